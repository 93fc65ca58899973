"""What practitioners are told in the morning: how many they see today, and when."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scheduling.domain.appointment import Appointment
from scheduling.domain.directory import Location
from scheduling.domain.events import NotificationRequested
from scheduling.domain.identifiers import PractitionerId
from scheduling.domain.period import local_day
from scheduling.domain.routing import Recipient, Route
from scheduling.domain.status import Status
from scheduling.domain.wall_clock import shown

TOLD_AT = time(8)
"""On the wall of the location."""

USEFUL_FOR = timedelta(hours=4)
"""Who could not be told for that long has seen it by then."""

TAKING_TIME = frozenset(status for status in Status if status.takes_time)

_ROUTE = Route(
    "practitioner.daily-schedule", Recipient.PRACTITIONER, ids=("locationId",)
)


def day_to_tell(timezone: str, now: datetime) -> date | None:
    """Return the local day whose sheets are to be sent now; None: not now."""
    day = local_day(now, timezone)
    due = shown(datetime.combine(day, TOLD_AT), ZoneInfo(timezone)).first
    return day if due <= now < due + USEFUL_FOR else None


def day_sheets(
    location: Location,
    day: date,
    visits: Iterable[Appointment],
    *,
    source_event_id: str,
    now: datetime,
) -> tuple[NotificationRequested, ...]:
    """Return one for each practitioner who has visits; what is only held is none."""
    by_practitioner: dict[PractitionerId, list[Appointment]] = {}
    for visit in visits:
        if visit.hold_expires_at is None:
            by_practitioner.setdefault(visit.practitioner_id, []).append(visit)
    return tuple(
        _ROUTE.to_notification(
            {
                "practitionerId": str(practitioner),
                "locationId": str(location.id),
                "date": day.isoformat(),
                "timezone": location.timezone,
                "appointments": str(len(theirs)),
                "firstStart": _told(min(one.period.start for one in theirs)),
                "lastEnd": _told(max(one.period.end for one in theirs)),
                "link": f"/calendar/#/day?clinic={location.id}&date={day}"
                f"&practitionerId={practitioner}",
            },
            source_event_id=source_event_id,
            now=now,
        )
        for practitioner, theirs in by_practitioner.items()
    )


def _told(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")

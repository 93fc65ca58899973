"""`/v1/availability`: what booking would accept at this moment, and why not more."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from scheduling.application.ports.appointment_lists import Whose
from scheduling.application.ports.availability import Candidate, First, SlotFilter
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.queries.explain_availability import LONGEST_EXPLANATION
from scheduling.application.queries.search_available_slots import LONGEST_SEARCH
from scheduling.domain import errors
from scheduling.domain.claim import ActorKind, Resource
from scheduling.domain.explaining import Question, Reason
from scheduling.domain.identifiers import (
    LocationId,
    PatientId,
    PractitionerId,
    SlotId,
)
from scheduling.domain.local_days import Span
from scheduling.domain.period import day_in, local_day
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import asking_of_patients
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import shown
from scheduling.entrypoints.http.paging import (
    LARGEST_PAGE,
    Cursor,
    Limit,
    cursor_at,
    position_of,
)
from scheduling.entrypoints.http.shapes import Day, Instant, Line, Shape, Zone
from scheduling.entrypoints.http.spans import From, InstantOrDay

router = room("/availability", "availability")

MOST_AT_ONCE = 20
MOST_ASKED_ABOUT = 200
"""Practitioners, or locations, in one question; their ids have to fit into a line."""

_UNTIL = "Exclusive; an instant or a day, as `from` is; {} days after it at the most"
ForWhom = Annotated[
    UUID | None, Field(description="Leave out what clashes with their bookings")
]


class AvailabilityQuery(Shape):
    practitioner_id: UUID | None = None
    location_id: UUID | None = None
    specialty: Line | None = None
    service_type: Line | None = None
    from_: Annotated[From, Field(alias="from")]
    to: Annotated[InstantOrDay, Field(description=_UNTIL.format(LONGEST_SEARCH))]
    patient_id: ForWhom = None
    timezone: Annotated[
        Zone | None,
        Field(
            description="Of the days that are asked for and told; without it, those "
            "asked for are the location's or the organisation's, those told the slot's"
        ),
    ] = None
    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None

    def to_filter(self, caller: Caller) -> SlotFilter:
        """Who comes with a patient's own token searches for that patient."""
        return SlotFilter(
            whose=Whose(
                location_ids=_one_or_none(LocationId, self.location_id),
                practitioner_ids=_one_or_none(PractitionerId, self.practitioner_id),
            ),
            specialty=self.specialty,
            service_type=self.service_type,
            patient_id=for_whom(self.patient_id, caller),
        )

    def to_page(self) -> First:
        if self.cursor is None:
            return First(self.limit)
        start, id = position_of(self.cursor)
        return First(self.limit, (start, SlotId(id)))


class AvailableSlotView(Shape):
    slot_id: UUID
    schedule_id: UUID
    practitioner_id: UUID
    location_id: UUID
    start: Instant
    end: Instant
    timezone: str
    date: Annotated[
        Day, Field(description="The local day of the start, in the zone asked for")
    ]
    remaining: int
    service_types: list[str]


class AvailabilityView(Shape):
    """By start. A page may hold fewer than `limit`, and yet another may follow."""

    items: list[AvailableSlotView]
    next_cursor: str | None


@router.get(
    "", **documented.reading(AvailabilityView, errors.PatientNotFound, digest=True)
)
async def search_available_slots(
    wanted: Annotated[AvailabilityQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """Free slots by start, as booking would take them now. A practitioner or location
    that nobody knows has none.
    """
    available = await asking_of_patients(
        request,
        caller,
        lambda of: of.search_available_slots(
            caller,
            wanted.to_filter(caller),
            Span(wanted.from_, wanted.to),
            wanted.to_page(),
            timezone=wanted.timezone,
        ),
    )
    last = available.last
    page = {
        "items": views(available.items, wanted.timezone),
        "nextCursor": None if last is None else cursor_at(last.start, last.slot_id),
    }
    return shown(request, page)


def views(found: Iterable[Candidate], timezone: str | None) -> list[dict[str, Any]]:
    """A model for each row would cost more than the search. Ids are written here: the
    driver's are of a class of its own, which the writer of JSON has to ask about.
    """
    instant, day_of = instants_in(timezone), _days()
    return [
        {
            "slotId": str(slot_id),
            "scheduleId": str(schedule_id),
            "practitionerId": str(practitioner_id),
            "locationId": str(location_id),
            "start": instant(start),
            "end": instant(end),
            "timezone": zone,
            "date": day_of(start, timezone or zone),
            "remaining": remaining,
            "serviceTypes": service_types,
        }
        for (
            slot_id,
            schedule_id,
            practitioner_id,
            location_id,
            start,
            end,
            zone,
            remaining,
            service_types,
            *_,
        ) in found
    ]


def _days() -> Callable[[datetime, str], date]:
    """Return how to tell the local day of instants that come by start: most are of the
    day of the one before.
    """
    latest: dict[str, tuple[datetime, datetime, date]] = {}

    def day_of(instant: datetime, timezone: str) -> date:
        known = latest.get(timezone)
        if known is not None and known[0] <= instant < known[1]:
            return known[2]
        day = local_day(instant, timezone)
        period = day_in(timezone, day)
        latest[timezone] = (period.start, period.end, day)
        return day

    return day_of


def instants_in(timezone: str | None) -> Callable[[datetime], datetime]:
    """Return how instants are shown: as they are, or in a zone."""
    if timezone is None:
        return _as_it_is
    zone = ZoneInfo(timezone)
    return lambda instant: instant.astimezone(zone)


def _as_it_is(instant: datetime) -> datetime:
    return instant


def for_whom(patient_id: UUID | None, caller: Caller) -> PatientId | None:
    return caller.patient_id if patient_id is None else PatientId(patient_id)


def _one_or_none(kind: Any, id: UUID | None) -> tuple[Any, ...]:  # noqa: ANN401
    return () if id is None else (kind(id),)


class NextQuery(Shape):
    practitioner_id: Annotated[
        tuple[UUID, ...],
        Field(max_length=MOST_ASKED_ABOUT, description="Of any of these"),
    ] = ()
    location_id: Annotated[
        tuple[UUID, ...],
        Field(max_length=MOST_ASKED_ABOUT, description="At any of these"),
    ] = ()
    specialty: Line | None = None
    service_type: Line | None = None
    patient_id: ForWhom = None
    from_: Annotated[
        Instant | None, Field(alias="from", description="Without it, from now on")
    ] = None
    timezone: Annotated[
        Zone | None, Field(description="Of the days and instants that are told")
    ] = None
    limit: Annotated[int, Field(ge=1, le=MOST_AT_ONCE, examples=[3])] = 1

    def to_filter(self, caller: Caller) -> SlotFilter:
        return SlotFilter(
            whose=Whose(
                location_ids=tuple(LocationId(id) for id in self.location_id),
                practitioner_ids=tuple(
                    PractitionerId(id) for id in self.practitioner_id
                ),
            ),
            specialty=self.specialty,
            service_type=self.service_type,
            patient_id=for_whom(self.patient_id, caller),
        )


class NextView(Shape):
    """The earliest first; none where nothing is to be had."""

    items: list[AvailableSlotView]


@router.get(
    "/next", **documented.reading(NextView, errors.PatientNotFound, digest=True)
)
async def find_next_available(
    wanted: Annotated[NextQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """The earliest times that can be had with any of the practitioners at any of the
    locations; without either, with anybody anywhere.
    """
    found = await asking_of_patients(
        request,
        caller,
        lambda of: of.find_next_available(
            caller, wanted.to_filter(caller), wanted.from_, wanted.limit
        ),
    )
    return shown(request, {"items": views(found, wanted.timezone)})


class ExplainQuery(Shape):
    practitioner_id: UUID
    location_id: UUID | None = None
    from_: Annotated[From, Field(alias="from")]
    to: Annotated[InstantOrDay, Field(description=_UNTIL.format(LONGEST_EXPLANATION))]
    patient_id: Annotated[
        UUID | None, Field(description="Tell what clashes with their bookings")
    ] = None
    service_type: Line | None = None
    room_id: Annotated[
        UUID | None, Field(description="Tell where this room is taken")
    ] = None
    device_id: Annotated[
        UUID | None, Field(description="Tell where this device is taken")
    ] = None
    timezone: Zone | None = None

    def to_question(self, caller: Caller) -> Question:
        things = ((ActorKind.ROOM, self.room_id), (ActorKind.DEVICE, self.device_id))
        return Question(
            service_type=self.service_type,
            patient_id=for_whom(self.patient_id, caller),
            resources=tuple(Resource(kind, id) for kind, id in things if id),
        )


class StretchView(Shape):
    start: Instant
    end: Instant
    slot_id: Annotated[UUID | None, Field(description="Null where there is no slot")]
    offered: bool
    reasons: Annotated[
        list[Reason], Field(description="All that apply; none if offered")
    ]


class ExplanationView(Shape):
    """By start. The stretches cover the range without a gap, and lie upon each other
    only where slots do.
    """

    items: list[StretchView]


@router.get(
    "/explain",
    **documented.reading(
        ExplanationView,
        errors.PractitionerNotFound,
        errors.LocationNotFound,
        errors.PatientNotFound,
        digest=True,
    ),
)
async def explain_availability(
    wanted: Annotated[ExplainQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """Why a practitioner's time can be had or not, without a gap, for up to 7 days."""
    stretches = await asking_of_patients(
        request,
        caller,
        lambda of: of.explain_availability(
            caller,
            PractitionerId(wanted.practitioner_id),
            None if wanted.location_id is None else LocationId(wanted.location_id),
            wanted.to_question(caller),
            Span(wanted.from_, wanted.to),
            timezone=wanted.timezone,
        ),
    )
    instant = instants_in(wanted.timezone)
    items = [
        {
            "start": instant(one.period.start),
            "end": instant(one.period.end),
            "slotId": one.slot_id,
            "offered": one.is_offered,
            "reasons": one.reasons,
        }
        for one in stretches
    ]
    return shown(request, {"items": items})

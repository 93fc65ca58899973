"""What bookable calendars tell when that changes which they are made from.

A calendar follows its role, its exceptions, its location and the settings. Whatever of
these changes, it says so once, and its slots are made anew from how things stand then.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from scheduling.domain.changes import changes_between
from scheduling.domain.directory import Location
from scheduling.domain.events import CalendarChanged, PractitionerRoleChanged
from scheduling.domain.identifiers import (
    LocationId,
    PractitionerId,
    PractitionerRoleId,
    ScheduleId,
)
from scheduling.domain.schedule import PractitionerRole, Schedule, calendar_of
from scheduling.domain.settings import Settings

CREATED, DELETED = ("created",), ("deleted",)
EXCEPTIONS = ("exceptions",)

_OF_A_LOCATION = ("timezone", "observesPublicHolidays", "closedDays")
_OF_HOLIDAYS = ("country", "subdivision")
_ZONE = "location.timezone"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleStanding:
    """The role that a calendar follows, as it stands."""

    id: PractitionerRoleId
    version: int
    active: bool = True
    has_own_zone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A schedule, as far as its news go. `version` is its own; `role` is None where
    staff made it.
    """

    schedule_id: ScheduleId
    practitioner_id: PractitionerId
    location_id: LocationId
    version: int
    role: RoleStanding | None

    @classmethod
    def made_by_staff(cls, schedule: Schedule) -> Self:
        return cls(
            schedule_id=schedule.id,
            practitioner_id=schedule.practitioner_id,
            location_id=schedule.location_id,
            version=schedule.version,
            role=None,
        )

    def news(self, changed: tuple[str, ...], *, now: datetime) -> CalendarChanged:
        """Tell what changed, with the present version: it is no step of its own."""
        if self.role is None:
            return CalendarChanged(
                occurred_at=now,
                version=self.version,
                schedule_id=self.schedule_id,
                practitioner_id=self.practitioner_id,
                location_id=self.location_id,
                changed=changed,
            )
        return PractitionerRoleChanged(
            occurred_at=now,
            version=self.role.version,
            schedule_id=self.schedule_id,
            practitioner_id=self.practitioner_id,
            location_id=self.location_id,
            changed=changed,
            practitioner_role_id=self.role.id,
            active=self.role.active,
        )

    def follows(self, changed: Iterable[str]) -> tuple[str, ...]:
        """Return what of this matters to it: its zone is the location's only where a
        role without a zone of its own is followed.
        """
        in_its_zone = self.role is not None and not self.role.has_own_zone
        return tuple(name for name in changed if in_its_zone or name != _ZONE)


def role_and_calendar(
    role: PractitionerRole,
    stored: PractitionerRole | None,
    calendar: Schedule | None,
    *,
    timezone: str,
    now: datetime,
) -> tuple[PractitionerRole, Schedule]:
    """Return the role with its news, where it is another version than the stored one,
    and its calendar as it wants it; `timezone` is the location's.
    """
    calendar = calendar_of(role, calendar, timezone=timezone, now=now)
    if stored is not None and stored.version == role.version:
        return role, calendar
    news = PractitionerRoleChanged(
        occurred_at=now,
        version=role.version,
        schedule_id=calendar.id,
        practitioner_id=role.practitioner_id,
        location_id=role.location_id,
        changed=_steps(role, stored),
        practitioner_role_id=role.id,
        active=role.active,
        deleted=role.is_deleted,
    )
    return replace(role, events=(news,)), calendar


def ends(role: PractitionerRole, stored: PractitionerRole | None) -> bool:
    """Whether the step from one to the other takes its hours away altogether."""
    return stored is not None and stored.active and not role.active


def followed_of_location(old: Location | None, new: Location) -> tuple[str, ...]:
    """Name what changed of it that calendars follow: the zone, the days on which it is
    closed, and where its public holidays are told by, if it observes them.
    """
    if old is None:
        return ()
    changes = changes_between(old, new)
    observes = old.observes_public_holidays or new.observes_public_holidays
    return tuple(
        f"location.{name}"
        for name in (*_OF_A_LOCATION, *(_OF_HOLIDAYS if observes else ()))
        if name in changes
    )


def followed_of_settings(old: Settings, new: Settings) -> tuple[str, ...]:
    """Name what changed of them that calendars follow: the horizon."""
    changed = old.horizon_days != new.horizon_days
    return ("settings.horizonDays",) if changed else ()


def news_of(
    calendars: Iterable[Calendar], changed: tuple[str, ...], *, now: datetime
) -> Iterator[CalendarChanged]:
    """Yield the news of those to which something of it matters."""
    for calendar in calendars:
        if followed := calendar.follows(changed):
            yield calendar.news(followed, now=now)


def _steps(role: PractitionerRole, stored: PractitionerRole | None) -> tuple[str, ...]:
    if role.is_new:
        return CREATED
    if role.is_deleted:
        return DELETED
    changes = changes_between(stored, role)
    return tuple(dict.fromkeys(map(_as_put, changes)))


def _as_put(name: str) -> str:
    """`periodStart` is part of `period` where roles are put."""
    return "period" if name in {"periodStart", "periodEnd"} else name

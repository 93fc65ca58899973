"""When a practitioner works at a location: rules, roles and bookable calendars."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from enum import StrEnum
from typing import Self

from scheduling.domain.errors import InvalidInput
from scheduling.domain.events import Event, SchedulePublished
from scheduling.domain.identifiers import (
    LocationId,
    PractitionerId,
    PractitionerRoleId,
    ScheduleId,
    new_id,
)
from scheduling.domain.period import Period
from scheduling.domain.settings import CalendarLimits, CalendarRules
from scheduling.domain.version import ExpectedVersion, check_version


class Day(StrEnum):
    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_WEEK = tuple(Day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Wall-clock hours that are cut into slots; an end at or before the start is the
    next day's, `00:00` as an end is the end of the day. Slots are elapsed minutes.
    """

    start: time
    end: time
    slot_minutes: int
    capacity: int = 1
    service_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyRule(Hours):
    """Hours on some days of the week; both dates are local and inclusive."""

    days: tuple[Day, ...]
    valid_from: date | None = None
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        return (
            _WEEK[day.weekday()] in self.days
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_to is None or day <= self.valid_to)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAvailable:
    period: Period
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PractitionerRole:
    """The assignment of a practitioner to a location, from and to a local date
    (both inclusive, as FHIR's Period is).
    """

    id: PractitionerRoleId
    practitioner_id: PractitionerId
    location_id: LocationId
    active: bool = True
    specialties: tuple[str, ...] = ()
    service_types: tuple[str, ...] = ()
    timezone: str | None = None
    period_start: date | None = None
    period_end: date | None = None
    availability: tuple[WeeklyRule, ...] = ()
    not_available: tuple[NotAvailable, ...] = ()
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    is_new: bool = field(default=False, compare=False)
    events: tuple[Event, ...] = field(default=(), compare=False)

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    def put(
        self, stored: Self | None, *, expected: ExpectedVersion | None, now: datetime
    ) -> Self:
        """Return the next version; the stored one where nothing changes.

        One that was deleted is made anew, and its version goes on.
        """
        if (
            self.period_start
            and self.period_end
            and self.period_end < self.period_start
        ):
            raise InvalidInput("end must not be before start", "period")
        there = stored is not None and not stored.is_deleted
        check_version(expected, stored.version if stored and there else 0)
        if stored is None:
            return replace(self, version=1, created_at=now, updated_at=now, is_new=True)
        moved = (self.practitioner_id, self.location_id) != (
            stored.practitioner_id,
            stored.location_id,
        )
        if moved:
            # Its slots and bookings are that practitioner's, at that location.
            raise InvalidInput(
                "a role keeps its practitioner and its location; make another one",
                "practitionerId",
            )
        same = replace(
            self,
            version=stored.version,
            created_at=stored.created_at,
            updated_at=stored.updated_at,
            is_new=not there,
        )
        if same == stored:
            return stored
        return replace(same, version=stored.version + 1, updated_at=now)

    def deleted(self, *, now: datetime) -> Self:
        """Its calendar, slots and visits go on pointing at it: it ends, and stays."""
        return replace(
            self,
            active=False,
            deleted_at=now,
            version=self.version + 1,
            updated_at=now,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The bookable calendar of a role, or one that staff made. Horizon, notice and
    limits are its own where they are set, else the organisation's hold (its limits are
    kept besides the organisation's).
    """

    id: ScheduleId
    practitioner_id: PractitionerId
    location_id: LocationId
    timezone: str
    practitioner_role_id: PractitionerRoleId | None = None
    availability: tuple[WeeklyRule, ...] = ()
    horizon_days: int | None = None
    minimum_notice_minutes: int | None = None
    limits: CalendarLimits = field(default_factory=CalendarLimits)
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    events: tuple[Event, ...] = ()

    @property
    def rules(self) -> CalendarRules:
        return CalendarRules(
            self.horizon_days, self.minimum_notice_minutes, self.limits
        )

    @classmethod
    def published(
        cls,
        *,
        practitioner_id: PractitionerId,
        location_id: LocationId,
        timezone: str,
        availability: tuple[WeeklyRule, ...],
        horizon_days: int | None = None,
        minimum_notice_minutes: int | None = None,
        limits: CalendarLimits | None = None,
        practitioner_role_id: PractitionerRoleId | None = None,
        id: ScheduleId | None = None,
        now: datetime,
    ) -> Self:
        id = id or ScheduleId(new_id(now))
        return cls(
            id=id,
            practitioner_id=practitioner_id,
            location_id=location_id,
            timezone=timezone,
            practitioner_role_id=practitioner_role_id,
            availability=availability,
            horizon_days=horizon_days,
            minimum_notice_minutes=minimum_notice_minutes,
            limits=limits or CalendarLimits(),
            version=1,
            created_at=now,
            updated_at=now,
            events=(
                SchedulePublished(
                    schedule_id=id,
                    version=1,
                    occurred_at=now,
                    practitioner_id=practitioner_id,
                    location_id=location_id,
                    timezone=timezone,
                ),
            ),
        )


def calendar_of(
    role: PractitionerRole, stored: Schedule | None, *, timezone: str, now: datetime
) -> Schedule:
    """Return the bookable calendar of a role as its present rules want it.

    `timezone` is the location's, for a role without its own. A changed calendar is no
    news in itself: the slots that follow from it are announced by their generation.
    """
    timezone = role.timezone or timezone
    if stored is None:
        return Schedule.published(
            practitioner_id=role.practitioner_id,
            location_id=role.location_id,
            practitioner_role_id=role.id,
            timezone=timezone,
            availability=role.availability,
            now=now,
        )
    same = replace(
        stored,
        practitioner_id=role.practitioner_id,
        location_id=role.location_id,
        timezone=timezone,
        availability=role.availability,
    )
    if same == stored:
        return stored
    return replace(same, version=stored.version + 1, updated_at=now)

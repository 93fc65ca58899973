"""What there is in a small clinic group, as plain as it can be said.

Two practitioners, two locations in two zones, four patients, and every Sunday for three
weeks two hours of each calendar: those in Auckland last from an hour before midnight
until an hour after it, and its clocks go back between the first week and the second.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

NOW = datetime(2030, 3, 31, 8, tzinfo=UTC)
ZONES = ("UTC", "Pacific/Auckland")
WEEKS = 3

CALENDARS = [(0, 0), (1, 0), (0, 1), (0, 0)]
"""(practitioner, location): the first works in two places, and has two calendars in one
of them, which meet for an hour.
"""

OPENING = tuple(datetime(2030, 3, 31, hour) for hour in (10, 10, 23, 11))  # noqa: DTZ001
"""Of each calendar, on the wall of its place."""

PRACTITIONERS = 2
CHANNELS = ("whatsapp", "sms", "email", None)
"""How each patient is reached."""

HALF_AN_HOUR = timedelta(minutes=30)
WEEK = timedelta(days=7)

TAKING = {"pending", "booked", "confirmed", "arrived", "in-progress"}
KEEPING = TAKING | {"completed"}
CLOSED = {"cancelled", "no-show", "entered-in-error"}
STEPS = {
    "pending": {"booked", "cancelled"},
    "booked": {"confirmed", "arrived", "cancelled", "no-show"},
    "confirmed": {"arrived", "cancelled", "no-show"},
    "arrived": {"in-progress", "completed", "cancelled", "no-show"},
    "in-progress": {"completed"},
    "completed": set(),
    "cancelled": set(),
    "no-show": set(),
    "entered-in-error": set(),
}


def on_the_wall(wall: datetime, zone: str) -> datetime:
    """None of our times is skipped or shown twice."""
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def day_of(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


class Who(NamedTuple):
    """Who asks: a patient's own token has no right but to its own."""

    subject: str
    patient: int | None = None
    manages: bool = False
    overrides: bool = False

    def sees(self, patient: int) -> bool:
        return self.patient in {None, patient}


@dataclass
class Rules:
    """What a calendar decides for itself, or the organisation for all."""

    notice: timedelta | None = None
    horizon: int | None = None
    per_day: int | None = None
    per_week: int | None = None


@dataclass
class Role:
    """When a practitioner is at a location; both dates inclusive, by its own days."""

    zone: str
    active: bool = True
    first: date | None = None
    last: date | None = None
    away: tuple[datetime, datetime] | None = None

    def refuses(self, start: datetime, end: datetime) -> str | None:
        day = day_of(start, self.zone)
        there = self.active and (self.first or day) <= day <= (self.last or day)
        if not there:
            return "PRACTITIONER_NOT_ASSIGNED"
        if self.away and self.away[0] < end and start < self.away[1]:
            return "PRACTITIONER_NOT_AVAILABLE"
        return None


@dataclass
class ModelSlot:
    """`booked` are the seats that are counted in storage: a hold that has run out
    counts there until somebody sweeps it.
    """

    id: UUID
    calendar: int
    start: datetime
    end: datetime
    capacity: int
    services: tuple[str, ...] = ()
    booked: int = 0
    blocked: bool = False
    blocked_by: UUID | None = None
    opened_by: UUID | None = None
    version: int = 1

    @property
    def full(self) -> bool:
        return self.booked >= self.capacity

    @property
    def status(self) -> str:
        if self.blocked:
            return "busy-unavailable"
        return "busy" if self.full else "free"

    @property
    def left(self) -> int:
        return 0 if self.blocked else max(0, self.capacity - self.booked)


class Take(NamedTuple):
    """What a visit takes of somebody's time: of the patient at once, of practitioner
    and room slot by slot; `until` is with the buffer behind the last.
    """

    kind: str
    whose: object
    slot: UUID | None
    start: datetime
    end: datetime
    until: datetime

    def is_beside(self, other: "Take") -> bool:
        """Whether they are of two people, or shared by all who are in one slot."""
        shared = self.slot is not None and self.slot == other.slot
        return (self.kind, self.whose) != (other.kind, other.whose) or shared

    def meets(self, other: "Take") -> bool:
        return self.start < other.end and other.start < self.end

    def comes_too_near(self, other: "Take") -> bool:
        return self.start < other.until and other.start < self.until


@dataclass
class Notice:
    """A reminder."""

    version: int
    minutes: int
    channel: str | None
    due: datetime
    status: str = "SCHEDULED"


class Told(NamedTuple):
    """What those who wait are told: of which slots, from when until when, and who."""

    version: int
    slots: list[UUID]
    start: datetime
    end: datetime
    entries: list[UUID]


@dataclass
class Visit:
    """`over` are the takes, by kind and slot, that lie upon others' by override."""

    id: UUID
    patient: int
    calendar: int
    slots: list[UUID]
    start: datetime
    end: datetime
    kind: str
    status: str
    buffer: timedelta
    room: UUID | None = None
    hold_until: datetime | None = None
    held_by: str | None = None
    series: tuple[UUID, int] | None = None
    overbooked: bool = False
    over: set[tuple[str, UUID | None]] = field(default_factory=set)
    version: int = 1
    swept: bool = False
    news: list[tuple[str, int]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    audit: list[str] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    @property
    def practitioner(self) -> int:
        return CALENDARS[self.calendar][0]

    @property
    def location(self) -> int:
        return CALENDARS[self.calendar][1]

    @property
    def zone(self) -> str:
        return ZONES[self.location]

    def next(self, action: str, *news: str) -> None:
        """The next version, and what is told of it."""
        self.version += 1
        self.audit.append(action)
        self.news += [(one, self.version) for one in news]


@dataclass
class Entry:
    """A patient waits."""

    id: UUID
    patient: int
    practitioners: list[int]
    locations: list[int]
    service: str | None
    earliest: datetime
    latest: datetime
    priority: int
    since: datetime
    status: str = "waiting"
    visit: UUID | None = None
    version: int = 1

"""What is asked of many appointments at once: lists, the staff calendar, figures.

An appointment entered in error is in none of them unless it is asked for by its status.
A hold that has run out is no appointment any more, whether or not anybody has swept it:
it is in no list, and its seat is free.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple, Protocol

from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import InvalidInput
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
)
from scheduling.domain.local_days import LocalDays
from scheduling.domain.period import Period
from scheduling.domain.statistics import Statistics
from scheduling.domain.status import Status

TOLD = frozenset(Status) - {Status.ENTERED_IN_ERROR}
EVER = Period(datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))

ListPosition = tuple[datetime, AppointmentId]
"""Where a page of a list ended: the last one's start and id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """At which locations, and of which practitioners; none named: of any."""

    location_ids: tuple[LocationId, ...] = ()
    practitioner_ids: tuple[PractitionerId, ...] = ()

    @property
    def location(self) -> LocationId | None:
        """The location, where it is one alone."""
        return self.location_ids[0] if len(self.location_ids) == 1 else None

    @property
    def practitioner(self) -> PractitionerId | None:
        return self.practitioner_ids[0] if len(self.practitioner_ids) == 1 else None


ANYBODY = Whose()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentFilter:
    """Appointments that begin in the period; with `running`, also those that began
    before it and are not over when it begins.
    """

    now: datetime
    period: Period = EVER
    running: bool = False
    whose: Whose = ANYBODY
    patient_id: PatientId | None = None
    statuses: frozenset[Status] = TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list is asked for; `after` is the last one of the page before."""

    after: ListPosition | None = None
    limit: int = 200
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class AppointmentPage:
    """`more`: others follow behind the last."""

    items: Sequence[Appointment]
    more: bool


class Summary(NamedTuple):
    """How many there are; what there is none of is left out."""

    by_status: Mapping[Status, int]
    by_day: Mapping[date, int]
    by_practitioner: Mapping[PractitionerId, int]


class AppointmentLists(Protocol):
    async def page(self, wanted: AppointmentFilter, page: Page) -> AppointmentPage:
        """Return up to `limit` of them by start and id, in one reading."""

    async def summary(self, wanted: AppointmentFilter, days: LocalDays) -> Summary:
        """Count all of them in one reading; `days` says on which day each begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarFilter:
    """What takes time in a period, wholly or in part, and what became of what did."""

    days: LocalDays
    whose: Whose
    now: datetime
    include_cancelled: bool = False
    at_most: int = 20_000
    """Appointments, and slots: a calendar is one answer, without pages."""


def more_than(at_most: int) -> InvalidInput:
    return InvalidInput(
        f"more than {at_most} appointments or slots: ask for fewer days, locations or "
        "practitioners",
        "to",
    )


class CalendarDay(NamedTuple):
    """A day of a calendar: two JSON arrays as text, written where the data are.

    Hundreds of rows a day are nobody's business on their way: as values each would be
    made, named and written again. The fields are those of `CalendarAppointmentView` and
    `CalendarSlotView` (a test holds both storages to them); instants are in UTC.
    """

    date: date
    appointments: str
    slots: str


class CalendarReader(Protocol):
    async def read(self, wanted: CalendarFilter) -> Sequence[CalendarDay]:
        """Return all days of the period in their order, in one reading.

        Each appointment and each slot is there once, on the local day on which it
        begins; what began before the period is on its first day. Both are by start and
        id. Appointments have the names of patient and practitioner. Slots that were
        entered in error are left out, and seats of holds that have run out are free.
        Raise InvalidInput (`more_than`) where there is more of either than is asked
        for at most.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsFilter:
    days: LocalDays
    whose: Whose = ANYBODY


class StatisticsReader(Protocol):
    async def count(self, wanted: StatisticsFilter) -> Statistics:
        """Count what begins in the period, in one reading: all figures are of one
        moment, and agree with each other.
        """

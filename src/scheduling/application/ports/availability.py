"""What storage tells of time that can be had."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from scheduling.application.ports.appointment_lists import ANYBODY, Whose
from scheduling.application.ports.identity import Caller
from scheduling.domain.explaining import Circumstances, Question
from scheduling.domain.identifiers import (
    LocationId,
    PatientId,
    PractitionerId,
    ScheduleId,
    SlotId,
)
from scheduling.domain.period import Period
from scheduling.domain.settings import CalendarRules, Settings

Position = tuple[datetime, UUID]
"""Where a page ended: the start and the id of its last slot, or location."""


class Candidate(NamedTuple):
    """A slot that storage holds for bookable; a tuple, for there may be thousands.

    The last two are what its schedule decides otherwise than the organisation.
    """

    slot_id: SlotId
    schedule_id: ScheduleId
    practitioner_id: PractitionerId
    location_id: LocationId
    start: datetime
    end: datetime
    timezone: str
    remaining: int
    service_types: Sequence[str]
    horizon_days: int | None
    minimum_notice_minutes: int | None

    @property
    def rules(self) -> CalendarRules:
        return CalendarRules(self.horizon_days, self.minimum_notice_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotFilter:
    """Which slots are asked for, and for whom."""

    whose: Whose = ANYBODY
    specialty: str | None = None
    service_type: str | None = None
    patient_id: PatientId | None = None


@dataclass(frozen=True, slots=True)
class First:
    """The first slots behind a position, so many at the most."""

    limit: int
    after: Position | None = None


Owner = Literal["practitioner", "location"]


@dataclass(frozen=True, slots=True)
class OwnDays:
    """Days on the wall of each slot's own clinic; the last one is not asked for."""

    first: date
    end: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotList:
    """All slots of a practitioner or at a location that meet a period, or days, whether
    they began in it or before.
    """

    owner: Owner
    id: UUID
    when: Period | OwnDays


class SlotInList(NamedTuple):
    """A slot as it stands, without the seats of holds that have run out."""

    slot_id: SlotId
    schedule_id: ScheduleId
    practitioner_id: PractitionerId
    location_id: LocationId
    start: datetime
    end: datetime
    timezone: str
    status: str
    capacity: int
    booked: int
    remaining: int
    service_types: Sequence[str]
    version: int
    offered: bool


class OpenLocation(NamedTuple):
    """A location at which something can be had on a day of its own."""

    location_id: LocationId
    name: str
    timezone: str
    offered: int
    first: datetime


class AvailabilityRepository(Protocol):
    async def offered(
        self,
        wanted: SlotFilter,
        period: Period,
        first: First,
        *,
        settings: Settings,
        now: datetime,
    ) -> Sequence[Candidate]:
        """Return the slots that begin in the period and that booking would accept, by
        start and id.

        Raise PatientNotFound where the patient they are for is unknown or inactive.
        """

    async def slots(
        self,
        wanted: SlotList,
        first: First,
        *,
        settings: Settings,
        now: datetime,
    ) -> Sequence[SlotInList]:
        """Return them by start and id, but for those entered in error.

        Raise PractitionerNotFound or LocationNotFound where there is none.
        """

    async def open_locations(
        self,
        day: date,
        wanted: SlotFilter,
        first: First,
        *,
        settings: Settings,
        now: datetime,
    ) -> Sequence[OpenLocation]:
        """Return the locations at which something can be had on the day, by when that
        begins and by id. Of the filter only service and specialty are asked.
        """

    async def circumstances(
        self,
        practitioner_id: PractitionerId,
        location_id: LocationId | None,
        question: Question,
        period: Period,
        *,
        settings: Settings,
        now: datetime,
    ) -> Circumstances:
        """Return what explains the practitioner's time, at one location or at all.

        Raise PractitionerNotFound, LocationNotFound or PatientNotFound where there is
        none; a patient who is inactive is none.
        """


class ReadSettings(Protocol):
    """Tell the organisation's settings, perhaps as they were a moment ago: for answers
    that a booking checks again.
    """

    async def __call__(self, caller: Caller, /) -> Settings: ...

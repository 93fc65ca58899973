"""What storage tells of time that can be had."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from scheduling.application.ports.appointment_lists import ANYBODY, Whose
from scheduling.application.ports.identity import Caller
from scheduling.domain.identifiers import (
    LocationId,
    PatientId,
    PractitionerId,
    ScheduleId,
    SlotId,
)
from scheduling.domain.period import Period
from scheduling.domain.settings import CalendarRules, Settings

Position = tuple[datetime, SlotId]
"""Where a page ended: the start and the id of its last slot."""


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


class ReadSettings(Protocol):
    """Tell the organisation's settings, perhaps as they were a moment ago: for answers
    that a booking checks again.
    """

    async def __call__(self, caller: Caller, /) -> Settings: ...

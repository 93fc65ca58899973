"""What use cases ask of a schedule's exceptions, and of the slots that they shape."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from scheduling.domain.identifiers import (
    AppointmentId,
    PatientId,
    ScheduleExceptionId,
    ScheduleId,
)
from scheduling.domain.period import Period
from scheduling.domain.reshaping import Reshaping
from scheduling.domain.schedule import Schedule
from scheduling.domain.schedule_exception import ScheduleException
from scheduling.domain.slot import Slot
from scheduling.domain.status import Status

ExceptionPosition = tuple[datetime, ScheduleExceptionId]
"""Where a page ended: the last one's start and id."""


class Affected(NamedTuple):
    """An appointment that keeps its time, though the calendar has none then; whose it
    is, for who has to call them.
    """

    id: AppointmentId
    period: Period
    status: Status
    patient_id: PatientId
    patient_name: str


class ScheduleExceptionRepository(Protocol):
    async def hold(self, id: ScheduleId) -> Schedule:
        """Return the schedule, and keep others from changing its exceptions, and from
        moving its practitioner's appointments, until the transaction is left. Raise
        ScheduleNotFound where there is none.
        """

    async def rely_on(self, id: ScheduleId) -> Schedule:
        """Return the schedule, and keep its exceptions as they are until the
        transaction is left; others may do so, too. Raise ScheduleNotFound where there
        is none.
        """

    async def get(
        self, schedule_id: ScheduleId, id: ScheduleExceptionId
    ) -> ScheduleException:
        """Raise ScheduleExceptionNotFound where the schedule has none such."""

    async def touching(
        self, schedule_id: ScheduleId, period: Period
    ) -> Sequence[ScheduleException]:
        """Return those whose period meets this one, in the order they were added."""

    async def page(
        self, schedule_id: ScheduleId, after: ExceptionPosition | None, limit: int
    ) -> Sequence[ScheduleException]:
        """Return up to `limit` of them, by start and id."""

    async def slots(self, schedule_id: ScheduleId, period: Period) -> Sequence[Slot]:
        """Return the slots that start in the period by start, all locked in that order
        until the transaction is left: whoever books one of them comes before or after.
        """

    async def affected(
        self, schedule: Schedule, slots: Collection[Slot], now: datetime
    ) -> Sequence[Affected]:
        """Return the appointments that take time in these slots, by start and id;
        a hold that has run out takes none.
        """

    def add(self, exception: ScheduleException, done: Reshaping) -> None:
        """Store it with all that it does to the slots, in a constant number of
        statements.
        """

    def remove(
        self, exception: ScheduleException, done: Reshaping, now: datetime
    ) -> None: ...

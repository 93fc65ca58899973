from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.reshape_calendar import closing
from scheduling.domain.identifiers import ScheduleId, SlotId
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot


@dataclass(frozen=True, slots=True)
class CreateSlot:
    """Open one stretch of a schedule's time for booking; within closed time it is made
    closed, and opens with the rest.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        *,
        schedule_id: ScheduleId,
        period: Period,
        capacity: int,
        service_types: tuple[str, ...],
        id: SlotId | None = None,
    ) -> Slot:
        async with self.begin(caller) as work:
            schedule = await work.schedule_exceptions.rely_on(schedule_id)
            now = self.now()
            opened = Slot.opened(
                schedule,
                period,
                capacity=capacity,
                service_types=service_types,
                id=id,
                now=now,
            )
            slot = opened.closed_as_made(await closing(work, schedule, opened), now)
            work.slots.add(slot)
        return slot

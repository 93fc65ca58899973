from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.reshape_calendar import closing
from scheduling.domain.identifiers import SlotId
from scheduling.domain.slot import Slot
from scheduling.domain.version import ExpectedVersion, demand_version


@dataclass(frozen=True, slots=True)
class UnblockSlot:
    """Give seats of a slot again, unless an exception closes it."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, id: SlotId, *, expected: ExpectedVersion | None
    ) -> Slot:
        async with self.begin(caller) as work:
            slot = await work.slots.get(id)
            demand_version(expected, slot.version)
            schedule = await work.schedule_exceptions.rely_on(slot.schedule_id)
            closed_by = await closing(work, schedule, slot)
            now = self.now()
            opened = slot.unblocked(now, closed_by=closed_by)
            work.slots.keep(opened, now)
        return opened

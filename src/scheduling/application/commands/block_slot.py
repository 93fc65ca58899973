from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.identifiers import SlotId
from scheduling.domain.slot import Slot
from scheduling.domain.version import ExpectedVersion, demand_version


@dataclass(frozen=True, slots=True)
class BlockSlot:
    """Give no more seats of a slot. Who has one keeps it."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        id: SlotId,
        *,
        expected: ExpectedVersion | None,
        reason: str | None,
    ) -> Slot:
        async with self.begin(caller) as work:
            slot = await work.slots.get(id)
            demand_version(expected, slot.version)
            now = self.now()
            blocked = slot.blocked(reason=reason, now=now)
            work.slots.keep(blocked, now)
        return blocked

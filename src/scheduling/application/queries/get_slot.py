from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.schedule_lists import SlotAsItIs
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.identifiers import SlotId


@dataclass(frozen=True, slots=True)
class GetSlot:
    """Show a slot as it is: a seat is free as soon as its hold has run out."""

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller, id: SlotId) -> SlotAsItIs:
        async with self.begin(caller) as work:
            return await work.schedule_lists.slot(id, self.now())

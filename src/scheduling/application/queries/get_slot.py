from dataclasses import dataclass

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.identifiers import SlotId
from scheduling.domain.slot import Slot


@dataclass(frozen=True, slots=True)
class GetSlot:
    begin: BeginWork

    async def __call__(self, caller: Caller, id: SlotId) -> Slot:
        async with self.begin(caller) as work:
            return await work.slots.get(id)

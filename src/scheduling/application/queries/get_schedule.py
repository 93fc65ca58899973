from dataclasses import dataclass

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.identifiers import ScheduleId
from scheduling.domain.schedule import Schedule


@dataclass(frozen=True, slots=True)
class GetSchedule:
    begin: BeginWork

    async def __call__(self, caller: Caller, id: ScheduleId) -> Schedule:
        async with self.begin(caller) as work:
            return await work.schedules.get(id)

from dataclasses import dataclass

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.identifiers import ScheduleExceptionId, ScheduleId
from scheduling.domain.schedule_exception import ScheduleException


@dataclass(frozen=True, slots=True)
class GetScheduleException:
    begin: BeginWork

    async def __call__(
        self, caller: Caller, schedule_id: ScheduleId, id: ScheduleExceptionId
    ) -> ScheduleException:
        async with self.begin(caller) as work:
            return await work.schedule_exceptions.get(schedule_id, id)

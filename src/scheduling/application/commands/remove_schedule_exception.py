from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.reshape_calendar import Effect, reshape_calendar
from scheduling.application.steps.tell_calendars import tell_of_exceptions
from scheduling.domain.identifiers import ScheduleExceptionId, ScheduleId
from scheduling.domain.schedule_exception import ScheduleException


@dataclass(frozen=True, slots=True)
class RemoveScheduleException:
    """Let a schedule be as if an exception had never been said.

    What it closed is open again unless another exception closes it too; what it opened
    goes where nobody has booked. Who has, keeps the time and is told as affected.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, schedule_id: ScheduleId, id: ScheduleExceptionId
    ) -> tuple[ScheduleException, Effect]:
        async with self.begin(caller) as work:
            schedule = await work.schedule_exceptions.hold(schedule_id)
            exception = await work.schedule_exceptions.get(schedule_id, id)
            now = self.now()
            effect = await reshape_calendar(
                work, schedule, exception, removed=True, now=now
            )
            work.schedule_exceptions.remove(exception, effect.done, now)
            await tell_of_exceptions(work, schedule, now=now)
        return exception, effect

from dataclasses import dataclass
from datetime import date

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.reshape_calendar import Effect, reshape_calendar
from scheduling.application.steps.tell_calendars import tell_of_exceptions
from scheduling.domain.identifiers import ScheduleId
from scheduling.domain.period import Period
from scheduling.domain.schedule import Hours
from scheduling.domain.schedule_exception import ExceptionKind, ScheduleException


@dataclass(frozen=True, slots=True)
class AddScheduleException:
    """Close, replace or add hours of a schedule, with effect at once.

    Booked appointments keep their time and are told as affected.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        schedule_id: ScheduleId,
        *,
        kind: ExceptionKind,
        on_date: date | None,
        period: Period | None,
        windows: tuple[Hours, ...],
        service_types: tuple[str, ...],
        reason: str | None,
    ) -> tuple[ScheduleException, Effect]:
        async with self.begin(caller) as work:
            schedule = await work.schedule_exceptions.hold(schedule_id)
            now = self.now()
            exception = ScheduleException.added(
                schedule,
                kind=kind,
                on_date=on_date,
                period=period,
                windows=windows,
                service_types=service_types,
                reason=reason,
                now=now,
            )
            effect = await reshape_calendar(work, schedule, exception, now=now)
            work.schedule_exceptions.add(exception, effect.done)
            await tell_of_exceptions(work, schedule, now=now)
        return exception, effect

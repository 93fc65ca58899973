from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.schedule_exceptions import ExceptionPosition
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.identifiers import ScheduleId
from scheduling.domain.schedule_exception import ScheduleException


@dataclass(frozen=True, slots=True)
class ScheduleExceptions:
    """`more`: there are further ones behind the last."""

    items: Sequence[ScheduleException]
    more: bool


@dataclass(frozen=True, slots=True)
class ListScheduleExceptions:
    """Show where a schedule differs from its weekly rules, by start."""

    begin: BeginWork

    async def __call__(
        self,
        caller: Caller,
        schedule_id: ScheduleId,
        *,
        after: ExceptionPosition | None,
        limit: int,
    ) -> ScheduleExceptions:
        async with self.begin(caller) as work:
            found = await work.schedule_exceptions.page(schedule_id, after, limit + 1)
            if not found:
                await work.schedules.get(schedule_id)
        page = found[:limit]
        return ScheduleExceptions(page, more=len(found) > len(page))

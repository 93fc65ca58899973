from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.generation import RunPosition
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.generation import Generation
from scheduling.domain.identifiers import ScheduleId


@dataclass(frozen=True, slots=True)
class GenerationRuns:
    """`more`: there are older ones behind the last."""

    items: Sequence[Generation]
    more: bool


@dataclass(frozen=True, slots=True)
class ListGenerationRuns:
    """Show how a schedule's slots came to follow its rules, the newest run first."""

    begin: BeginWork

    async def __call__(
        self,
        caller: Caller,
        schedule_id: ScheduleId,
        *,
        after: RunPosition | None,
        limit: int,
    ) -> GenerationRuns:
        async with self.begin(caller) as work:
            found = await work.generation.runs(schedule_id, after, limit + 1)
            if not found:
                await work.schedules.get(schedule_id)
        page = found[:limit]
        return GenerationRuns(page, more=len(found) > len(page))

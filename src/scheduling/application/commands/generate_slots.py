from dataclasses import dataclass

from scheduling.application.ports.almanac import Almanac
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.generate_slots import generate_slots
from scheduling.domain.generation import Generation, Trigger
from scheduling.domain.identifiers import ScheduleId, new_id


@dataclass(frozen=True, slots=True)
class GenerateSlots:
    """Make a calendar's slots follow its rules now, or tell what that would change."""

    begin: BeginWork
    now: Clock
    almanac: Almanac

    async def __call__(
        self,
        caller: Caller,
        schedule_id: ScheduleId,
        *,
        dry_run: bool = False,
        source_event_id: str | None = None,
    ) -> Generation:
        """The same `source_event_id` again returns the run that there was."""
        source = source_event_id or f"manual:{new_id(self.now())}"
        async with self.begin(caller) as work:
            run = await generate_slots(
                work,
                schedule_id,
                almanac=self.almanac,
                trigger=Trigger.MANUAL,
                source_event_id=source,
                now=self.now,
                dry_run=dry_run,
            )
        if run is None:
            raise RuntimeError("only news of a role is ever stale")
        return run

from dataclasses import dataclass

from scheduling.application.ports.almanac import Almanac
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent
from scheduling.application.ports.messages import CalendarNews
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.generate_slots import generate_slots
from scheduling.domain.generation import Trigger


@dataclass(frozen=True, slots=True)
class GenerateSlotsForRole(Reaction[CalendarNews]):
    """Make the slots of a calendar follow what it is made from."""

    begin: BeginWork
    now: Clock
    almanac: Almanac

    async def __call__(
        self, caller: Caller, event: ReceivedEvent[CalendarNews], /
    ) -> None:
        news = event.message
        async with self.begin(caller) as work:
            schedule = await work.schedules.get(news.schedule_id)
            # A calendar that follows a role is published by the role's own news, too.
            if schedule.practitioner_role_id == news.practitioner_role_id:
                await generate_slots(
                    work,
                    news.schedule_id,
                    almanac=self.almanac,
                    trigger=Trigger.EVENT,
                    source_event_id=event.id,
                    role_version=news.role_version,
                    now=self.now,
                )

from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent
from scheduling.application.ports.messages import CalendarNews
from scheduling.application.ports.unit_of_work import BeginWork


@dataclass(frozen=True, slots=True)
class GenerateSlotsForRole(Reaction[CalendarNews]):
    """Make the slots of a calendar follow what it is made from."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, event: ReceivedEvent[CalendarNews], /
    ) -> None:
        """Nothing yet."""

from dataclasses import dataclass

from scheduling.application.ports.dead_letters import DeadLetter
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import ReceivedEvent
from scheduling.application.ports.messages import Message
from scheduling.application.ports.unit_of_work import BeginWork


@dataclass(frozen=True, slots=True)
class KeepDeadLetter:
    """Put aside what cannot be followed as it is, for somebody to look at."""

    begin: BeginWork

    async def __call__(
        self,
        caller: Caller,
        letter: DeadLetter,
        event: ReceivedEvent[Message] | None = None,
    ) -> bool:
        """Return False where the `event` that it carries was followed after all, and
        nobody heard that it was.
        """
        async with self.begin(caller) as work:
            if event is not None and await work.inbox.recall(event) is not None:
                return False
            work.dead_letters.keep(letter)
        return True

from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent
from scheduling.application.ports.messages import PractitionerRoleNews
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.keep_role import put_role


@dataclass(frozen=True, slots=True)
class KeepPractitionerRole(Reaction[PractitionerRoleNews]):
    """Follow a directory's role as if it were put over REST: its slots follow from the
    news of it. Which version is newer the inbox has judged.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, event: ReceivedEvent[PractitionerRoleNews]
    ) -> None:
        async with self.begin(caller) as work:
            await put_role(work, event.message.role, expected=None, now=self.now())

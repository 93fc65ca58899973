from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent
from scheduling.application.ports.messages import PractitionerRoleDeleted
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.keep_role import hold_role, keep_role


@dataclass(frozen=True, slots=True)
class EndPractitionerRole(Reaction[PractitionerRoleDeleted]):
    """End an assignment that a directory has deleted. One that we never knew, or that
    has ended already, is nothing to do; an older put that comes late is stale.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, event: ReceivedEvent[PractitionerRoleDeleted]
    ) -> None:
        async with self.begin(caller) as work:
            held = await hold_role(work, event.message.practitioner_role_id)
            if held.role is not None and not held.role.is_deleted:
                now = self.now()
                await keep_role(work, held.role.deleted(now=now), held, now=now)

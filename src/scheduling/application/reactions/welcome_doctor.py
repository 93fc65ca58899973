from dataclasses import dataclass, replace

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent
from scheduling.application.ports.messages import (
    DoctorCreated,
    Message,
    PractitionerRoleNews,
)
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.keep_role import hold_role, keep_role
from scheduling.domain.directory import put
from scheduling.domain.routing import welcome
from scheduling.domain.schedule import PractitionerRole


@dataclass(frozen=True, slots=True)
class WelcomeDoctor(Reaction[DoctorCreated]):
    """Keep somebody new with their role, of which their slots follow, and have them
    welcomed. What a directory said of the role after this stands.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, event: ReceivedEvent[DoctorCreated]
    ) -> None:
        news = event.message
        async with self.begin(caller) as work:
            now = self.now()
            overtaken = await work.inbox.is_stale(_of_the_role(event, news.role))
            held = await hold_role(work, news.role.id)
            stored = await work.practitioners.find(news.practitioner.id)
            kept = put(stored, news.practitioner, expected=None, now=now)
            work.practitioners.save(kept)
            if not overtaken:
                role = news.role.put(held.role, expected=None, now=now)
                await keep_role(work, role, held, now=now)
            work.notices.tell(welcome(news.role, source_event_id=event.id, now=now))


def _of_the_role(
    event: ReceivedEvent[Message], role: PractitionerRole
) -> ReceivedEvent[Message]:
    """Its version, if it has one, is the practitioner's and not the role's."""
    return replace(event, message=PractitionerRoleNews(role=role), version=None)

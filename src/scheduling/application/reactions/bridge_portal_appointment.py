from dataclasses import dataclass
from datetime import datetime

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Reaction, ReceivedEvent
from scheduling.application.ports.messages import AppointmentRequested
from scheduling.application.ports.unit_of_work import BeginWork, UnitOfWork
from scheduling.domain.errors import DomainError
from scheduling.domain.portal import PortalRequest


@dataclass(frozen=True, slots=True)
class BridgePortalAppointment(Reaction[AppointmentRequested]):
    """Keep what a patient asks for as a proposal, which staff then book; or say why it
    cannot be. The portal is answered either way, so a refusal is an answer, too.

    The same wish is one proposal, however many events tell it. One that was rejected
    may be told again, and is looked at anew.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, event: ReceivedEvent[AppointmentRequested]
    ) -> None:
        asked = PortalRequest(
            tenant_id=event.tenant_id,
            id=event.message.request_id,
            event_id=event.id,
            wanted=event.message.wanted,
        )
        async with self.begin(caller) as work:
            now = self.now()
            try:
                await _propose(work, asked, now)
            except DomainError as refusal:
                work.notices.tell(asked.rejected(refusal, now))
            else:
                work.notices.tell(asked.accepted(now))


async def _propose(work: UnitOfWork, asked: PortalRequest, now: datetime) -> None:
    kept = await work.appointments.find(asked.appointment_id)
    if kept is not None:
        asked.demand_same(kept)
        return
    facts = await work.appointments.facts_for(asked.wish, now=now)
    work.appointments.add(asked.decide(facts, now=now))

from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.audit import AuditClient, Entity
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Scope, StaffOnly
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.ports.waitlist import NamedEntry
from scheduling.application.steps.who_waits_for import who_waits_for
from scheduling.domain.identifiers import SlotId


@dataclass(frozen=True, slots=True)
class FindWaitlistCandidates:
    """Show who waits for a slot that is free, best first, as they would be told of it.

    Those to whom other time is offered at the moment are among them, with that.
    """

    begin: BeginWork
    now: Clock
    audit: AuditClient

    async def __call__(self, caller: Caller, id: SlotId) -> Sequence[NamedEntry]:
        if caller.patient_id is not None:
            raise StaffOnly(Scope.READ)
        async with self.begin(caller) as work:
            best = await who_waits_for(work, id, now=self.now())
            found = await work.waitlist.named([entry.id for entry in best])
        await self.audit.record(caller, "slot.candidates.read", Entity("slot", id))
        return found

from dataclasses import dataclass

from scheduling.application.ports.audit import AuditClient, Entity
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.ports.waitlist import NamedEntry
from scheduling.domain.errors import WaitlistEntryNotFound
from scheduling.domain.identifiers import WaitlistEntryId


@dataclass(frozen=True, slots=True)
class GetWaitlistEntry:
    begin: BeginWork
    audit: AuditClient

    async def __call__(self, caller: Caller, id: WaitlistEntryId) -> NamedEntry:
        async with self.begin(caller) as work:
            found = await work.waitlist.named([id])
        if not found or not caller.sees(found[0].entry.patient_id):
            raise WaitlistEntryNotFound(id)
        about = Entity("waitlist-entry", id)
        await self.audit.record(caller, "waitlist-entry.read", about)
        return found[0]

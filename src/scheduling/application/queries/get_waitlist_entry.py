from dataclasses import dataclass

from scheduling.application.ports.audit import AuditClient, Entity
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import WaitlistEntryNotFound
from scheduling.domain.identifiers import WaitlistEntryId
from scheduling.domain.waitlist import WaitlistEntry


@dataclass(frozen=True, slots=True)
class GetWaitlistEntry:
    begin: BeginWork
    audit: AuditClient

    async def __call__(self, caller: Caller, id: WaitlistEntryId) -> WaitlistEntry:
        async with self.begin(caller) as work:
            entry = await work.waitlist.get(id)
        if not caller.sees(entry.patient_id):
            raise WaitlistEntryNotFound(id)
        about = Entity("waitlist-entry", id)
        await self.audit.record(caller, "waitlist-entry.read", about)
        return entry

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scheduling.application.ports.audit import AuditClient, asked_for
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.ports.waitlist import NamedEntry, WaitlistFilter
from scheduling.domain.errors import PatientNotFound


@dataclass(frozen=True, slots=True)
class Waitlist:
    """`more`: there are further entries behind the last."""

    items: Sequence[NamedEntry]
    more: bool


@dataclass(frozen=True, slots=True)
class GetWaitlist:
    """Show who waits, or waited, oldest first. Patients see their own entries."""

    begin: BeginWork
    audit: AuditClient

    async def __call__(self, caller: Caller, wanted: WaitlistFilter) -> Waitlist:
        if wanted.patient_id is not None and not caller.sees(wanted.patient_id):
            raise PatientNotFound(wanted.patient_id)
        asked = replace(
            wanted,
            patient_id=wanted.patient_id or caller.patient_id,
            limit=wanted.limit + 1,
        )
        async with self.begin(caller) as work:
            found = await work.waitlist.page(asked)
        about = asked_for(caller, patient=asked.patient_id)
        await self.audit.record(caller, "waitlist.read", about)
        page = found[: wanted.limit]
        return Waitlist(page, more=len(found) > len(page))

from dataclasses import dataclass

from scheduling.application.ports.audit import AuditClient, Entity
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.directory import Patient
from scheduling.domain.errors import PatientNotFound
from scheduling.domain.identifiers import PatientId


@dataclass(frozen=True, slots=True)
class GetPatient:
    """A patient's own token sees that patient only."""

    begin: BeginWork
    audit: AuditClient

    async def __call__(self, caller: Caller, id: PatientId) -> Patient:
        async with self.begin(caller) as work:
            found = await work.patients.find(id)
        if found is None or found.is_deleted or not caller.sees(id):
            raise PatientNotFound(id)
        await self.audit.record(caller, "patient.read", Entity("patient", id))
        return found

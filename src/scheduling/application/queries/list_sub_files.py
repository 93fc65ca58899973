from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.audit import AuditClient, Entity
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.sub_files import SubFilePosition
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import PatientNotFound
from scheduling.domain.identifiers import PatientId
from scheduling.domain.sub_file import SubFile


@dataclass(frozen=True, slots=True)
class SubFiles:
    """A page of them, the oldest first; `more` may follow."""

    items: Sequence[SubFile]
    more: bool


@dataclass(frozen=True, slots=True)
class ListSubFiles:
    """A patient's record folders, one for each clinic. A patient's own token sees that
    patient's only.
    """

    begin: BeginWork
    audit: AuditClient

    async def __call__(
        self,
        caller: Caller,
        patient_id: PatientId,
        *,
        after: SubFilePosition | None,
        limit: int,
    ) -> SubFiles:
        async with self.begin(caller) as work:
            patient = await work.patients.find(patient_id)
            gone = patient is None or patient.is_deleted
            if gone or not caller.sees(patient_id):
                raise PatientNotFound(patient_id)
            found = await work.sub_files.of_patient(
                patient_id, after=after, limit=limit + 1
            )
        about = Entity("patient", patient_id)
        await self.audit.record(caller, "patient.sub-files.read", about)
        return SubFiles(found[:limit], more=len(found) > limit)

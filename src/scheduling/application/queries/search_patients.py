from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.audit import AuditClient, asked_for
from scheduling.application.ports.identity import Caller, Scope, StaffOnly
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.directory import Patient
from scheduling.domain.patient_search import asked_words


@dataclass(frozen=True, slots=True)
class SearchPatients:
    """Find patients by the beginnings of words: of the name, the file number, the phone
    and the mail. For staff. Who was found is recorded; what was asked is not, since it
    is somebody's name.
    """

    begin: BeginWork
    audit: AuditClient

    async def __call__(
        self, caller: Caller, query: str, *, limit: int
    ) -> Sequence[Patient]:
        if caller.patient_id is not None:
            raise StaffOnly(Scope.READ)
        async with self.begin(caller) as work:
            found = await work.directory_lists.patients(asked_words(query), limit)
        shown = {"patientIds": (None, [str(one.id) for one in found])}
        await self.audit.record(
            caller, "patients.read", asked_for(caller), changes=shown
        )
        return found

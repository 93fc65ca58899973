from dataclasses import dataclass

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.directory import Practitioner
from scheduling.domain.errors import PractitionerNotFound
from scheduling.domain.identifiers import PractitionerId


@dataclass(frozen=True, slots=True)
class GetPractitioner:
    begin: BeginWork

    async def __call__(self, caller: Caller, id: PractitionerId) -> Practitioner:
        async with self.begin(caller) as work:
            found = await work.practitioners.find(id)
        if found is None:
            raise PractitionerNotFound(id)
        return found

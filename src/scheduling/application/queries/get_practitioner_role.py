from dataclasses import dataclass

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import PractitionerRoleNotFound
from scheduling.domain.identifiers import PractitionerRoleId
from scheduling.domain.schedule import PractitionerRole


@dataclass(frozen=True, slots=True)
class GetPractitionerRole:
    begin: BeginWork

    async def __call__(
        self, caller: Caller, id: PractitionerRoleId
    ) -> PractitionerRole:
        async with self.begin(caller) as work:
            found = await work.practitioner_roles.find(id)
        if found is None or found.is_deleted:
            raise PractitionerRoleNotFound(id)
        return found

from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.keep_role import KeptRole, keep_role, role_to_change
from scheduling.domain.identifiers import PractitionerRoleId
from scheduling.domain.version import ExpectedVersion


@dataclass(frozen=True, slots=True)
class DeletePractitionerRole:
    """End an assignment. Who is booked keeps the visit, and is told as affected."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        id: PractitionerRoleId,
        *,
        expected: ExpectedVersion | None,
    ) -> KeptRole:
        async with self.begin(caller) as work:
            held, stored = await role_to_change(work, id, expected)
            now = self.now()
            return await keep_role(work, stored.deleted(now=now), held, now=now)

from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.keep_role import KeptRole, put_role
from scheduling.domain.schedule import PractitionerRole
from scheduling.domain.version import ExpectedVersion


@dataclass(frozen=True, slots=True)
class PutPractitionerRole:
    """Assign a practitioner to a location; the role's calendar is made with it."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        wanted: PractitionerRole,
        *,
        expected: ExpectedVersion | None = None,
    ) -> KeptRole:
        async with self.begin(caller) as work:
            return await put_role(work, wanted, expected=expected, now=self.now())

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.keep_role import KeptRole, keep_role, role_to_change
from scheduling.domain.identifiers import PractitionerRoleId
from scheduling.domain.version import ExpectedVersion


@dataclass(frozen=True, slots=True)
class PatchPractitionerRole:
    """Change some of a role; the rest stays as it is."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        id: PractitionerRoleId,
        fields: Mapping[str, Any],
        *,
        expected: ExpectedVersion | None,
    ) -> KeptRole:
        """`fields` replace those of the role by name."""
        async with self.begin(caller) as work:
            held, stored = await role_to_change(work, id, expected)
            now = self.now()
            wanted = replace(stored, **fields)
            role = wanted.put(stored, expected=expected, now=now)
            return await keep_role(work, role, held, now=now)

from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.directory import Practitioner, put
from scheduling.domain.version import ExpectedVersion


@dataclass(frozen=True, slots=True)
class PutPractitioner:
    """Keep what the registry says of a practitioner; the same again changes nothing."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        wanted: Practitioner,
        *,
        expected: ExpectedVersion | None = None,
    ) -> Practitioner:
        async with self.begin(caller) as work:
            stored = await work.practitioners.find(wanted.id)
            kept = put(stored, wanted, expected=expected, now=self.now())
            work.practitioners.save(kept)
        return kept

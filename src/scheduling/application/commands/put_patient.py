from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.directory import Patient, put
from scheduling.domain.version import ExpectedVersion


@dataclass(frozen=True, slots=True)
class PutPatient:
    """Keep what the registry says of a patient; the same again changes nothing."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        wanted: Patient,
        *,
        expected: ExpectedVersion | None = None,
    ) -> Patient:
        async with self.begin(caller) as work:
            stored = await work.patients.find(wanted.id)
            kept = put(stored, wanted, expected=expected, now=self.now())
            work.patients.save(kept)
        return kept

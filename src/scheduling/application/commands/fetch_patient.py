from dataclasses import dataclass, replace

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.registry import PatientRegistry, RegistryUnavailable
from scheduling.application.ports.unit_of_work import (
    BeginWork,
    DecisionOutdated,
    TransactionAborted,
)
from scheduling.domain.directory import Patient, put
from scheduling.domain.errors import InvalidInput
from scheduling.domain.identifiers import PatientId

BY_THE_REGISTRY = "registry"
"""Who told us, as the audit has it."""


@dataclass(frozen=True, slots=True)
class FetchPatient:
    """Ask the registry for a patient whom nobody has told us of, and keep what it says.

    Whom we know is not asked for: news of them come as events. Who was forgotten stays
    so. No transaction is open while the registry is asked.
    """

    begin: BeginWork
    registry: PatientRegistry
    now: Clock

    async def __call__(self, caller: Caller, id: PatientId) -> bool:
        """Tell whether they can be booked for by now. Raise RegistryUnavailable."""
        if not caller.sees(id):
            return False
        async with self.begin(caller) as work:
            known = await work.patients.find(id)
        if known is not None:
            return known.active
        told = await self.registry.fetch(caller.tenant_id, id)
        if told is None:
            return False
        await self._keep(caller, told)
        return told.active

    async def _keep(self, caller: Caller, told: Patient) -> None:
        """Store it, if nobody was faster: an event that came meanwhile is newer."""
        teller = replace(
            caller, subject=BY_THE_REGISTRY, scopes=frozenset(), patient_id=None
        )
        try:
            async with self.begin(teller) as work:
                if await work.patients.find(told.id) is None:
                    wanted = put(None, told, expected=None, now=self.now())
                    work.patients.save(wanted)
        except (DecisionOutdated, TransactionAborted):
            return
        except InvalidInput as error:
            # Its file number is another's: one of the two is wrong, and not the caller.
            raise RegistryUnavailable(error.field) from error

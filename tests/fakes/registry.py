"""A patient registry in memory."""

from dataclasses import dataclass, field
from uuid import UUID

from scheduling.application.ports.registry import (
    PatientRegistry,
    RegistryJournal,
    RegistryOutcome,
    RegistryUnavailable,
)
from scheduling.domain.directory import Patient
from scheduling.domain.identifiers import PatientId, TenantId


@dataclass
class MemoryRegistry(PatientRegistry):
    """`asked` are those whom it was asked for, one by one."""

    known: dict[UUID, Patient] = field(default_factory=dict)
    is_away: bool = False
    asked: list[UUID] = field(default_factory=list)

    async def fetch(self, tenant_id: TenantId, patient_id: PatientId) -> Patient | None:
        del tenant_id
        self.asked.append(patient_id)
        if self.is_away:
            raise RegistryUnavailable(RegistryOutcome.UNAVAILABLE)
        return self.known.get(patient_id)


@dataclass
class Journal(RegistryJournal):
    """Keeps what it was told."""

    outcomes: list[RegistryOutcome] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    turns: list[bool] = field(default_factory=list)

    def asked(self, outcome: RegistryOutcome, seconds: float) -> None:
        assert seconds >= 0
        self.outcomes.append(outcome)

    def failed(self, why: str) -> None:
        self.reasons.append(why)

    def invalid(self, tenant_id: TenantId, patient_id: PatientId, detail: str) -> None:
        del tenant_id, patient_id
        self.details.append(detail)

    def circuit(self, *, is_open: bool) -> None:
        self.turns.append(is_open)

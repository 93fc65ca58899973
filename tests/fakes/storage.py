"""All of storage in memory, with the promises that PostgreSQL keeps."""

from asyncio import Lock
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from scheduling.adapters.cloud_events import Envelope
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.repositories import (
    LocationRepository,
    PatientRepository,
    PractitionerRepository,
    PractitionerRoleRepository,
)
from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.domain.claim import Claim
from scheduling.domain.identifiers import TenantId
from tests.fakes.answers import MemoryAnswers
from tests.fakes.appointments import MemoryAppointments
from tests.fakes.directory import MemoryDirectory, MemorySchedules, MemorySettings
from tests.fakes.slots import MemorySlots, standing
from tests.fakes.transaction import AuditRecord, StoredReminder, Tables, Transaction


class MemoryUnitOfWork(UnitOfWork):
    practitioners: PractitionerRepository
    locations: LocationRepository
    patients: PatientRepository
    practitioner_roles: PractitionerRoleRepository
    settings: MemorySettings
    schedules: MemorySchedules
    slots: MemorySlots
    appointments: MemoryAppointments
    answers: MemoryAnswers

    def __init__(self, transaction: Transaction) -> None:
        self.practitioners = MemoryDirectory(
            "practitioner", transaction, lambda tables: tables.practitioners
        )
        self.locations = MemoryDirectory(
            "location",
            transaction,
            lambda tables: tables.locations,
            unique=("code", "code"),
        )
        self.patients = MemoryDirectory(
            "patient",
            transaction,
            lambda tables: tables.patients,
            unique=("file_number", "fileNumber"),
        )
        self.practitioner_roles = MemoryDirectory(
            "practitioner-role", transaction, lambda tables: tables.practitioner_roles
        )
        self.settings = MemorySettings(transaction)
        self.schedules = MemorySchedules(transaction)
        self.slots = MemorySlots(transaction)
        self.appointments = MemoryAppointments(transaction)
        self.answers = MemoryAnswers(transaction)


@dataclass
class MemoryStorage:
    """Leaving the block commits, an exception undoes it: nothing is ever half there."""

    tenants: dict[TenantId, Tables] = field(default_factory=dict)
    locks: dict[object, Lock] = field(default_factory=dict)

    def of(self, tenant_id: TenantId) -> Tables:
        return self.tenants.get(tenant_id) or Tables()

    @asynccontextmanager
    async def begin(self, caller: Caller) -> AsyncIterator[UnitOfWork]:
        async with AsyncExitStack() as held:
            transaction = Transaction(
                caller, lambda: self.of(caller.tenant_id), self.locks, held
            )
            yield MemoryUnitOfWork(transaction)
            if transaction.changes:
                self.tenants[caller.tenant_id] = transaction.outcome()

    async def outbox(self, caller: Caller) -> list[Envelope]:
        """Return the tenant's events in the order in which they were committed."""
        return list(self.of(caller.tenant_id).outbox.values())

    async def claims(self, caller: Caller) -> list[Claim]:
        return list(standing(self.of(caller.tenant_id)))

    async def reminders(self, caller: Caller) -> list[StoredReminder]:
        tables = self.of(caller.tenant_id)
        return [one for some in tables.reminders.values() for one in some]

    async def audit(self, caller: Caller) -> list[AuditRecord]:
        return list(self.of(caller.tenant_id).audit)

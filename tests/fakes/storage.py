"""All of storage in memory, with the promises that PostgreSQL keeps."""

from asyncio import Lock
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from scheduling.adapters.cloud_events.outgoing import Envelope
from scheduling.application.ports.appointment_lists import (
    AppointmentLists,
    CalendarReader,
    StatisticsReader,
)
from scheduling.application.ports.audit import AuditRepository
from scheduling.application.ports.availability import AvailabilityRepository
from scheduling.application.ports.calendar_news import CalendarNewsRepository
from scheduling.application.ports.clinics import Clinics
from scheduling.application.ports.dead_letters import DeadLetterRepository
from scheduling.application.ports.directory_lists import DirectoryLists
from scheduling.application.ports.forgetting import ForgettingRepository
from scheduling.application.ports.generation import GenerationRepository
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import InboxRepository
from scheduling.application.ports.notices import Notices
from scheduling.application.ports.notifications import NotificationRepository
from scheduling.application.ports.reminders import ReminderRepository
from scheduling.application.ports.repositories import (
    AnswerRepository,
    AppointmentRepository,
    LocationRepository,
    PatientRepository,
    PractitionerRepository,
    PractitionerRoleRepository,
    ScheduleRepository,
    SettingsRepository,
    SlotRepository,
)
from scheduling.application.ports.schedule_exceptions import (
    ScheduleExceptionRepository,
)
from scheduling.application.ports.schedule_lists import ScheduleLists
from scheduling.application.ports.sub_files import SubFileRepository
from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.application.ports.waitlist import WaitlistRepository
from scheduling.domain.appointment import Appointment
from scheduling.domain.claim import Claim
from scheduling.domain.identifiers import TenantId
from scheduling.domain.slot import Slot
from scheduling.domain.waitlist import WaitlistEntry
from tests.builders import EIGHT
from tests.fakes.answers import MemoryAnswers
from tests.fakes.appointments import MemoryAppointments
from tests.fakes.audit import MemoryAudit, MemoryAuditTrail
from tests.fakes.availability import MemoryAvailability
from tests.fakes.calendar_news import MemoryCalendarNews
from tests.fakes.clinics import MemoryClinics
from tests.fakes.directory import MemoryDirectory, MemorySchedules, MemorySettings
from tests.fakes.directory_lists import MemoryDirectoryLists
from tests.fakes.forgetting import MemoryForgetting
from tests.fakes.generation import MemoryGeneration
from tests.fakes.inbox import MemoryDeadLetters, MemoryInbox
from tests.fakes.lists import (
    MemoryAppointmentLists,
    MemoryCalendar,
    MemoryStatistics,
)
from tests.fakes.notices import MemoryNotices
from tests.fakes.notifications import MemoryNotifications
from tests.fakes.reminders import MemoryReminders, due_of
from tests.fakes.schedule_exceptions import MemoryScheduleExceptions
from tests.fakes.schedule_lists import MemoryScheduleLists
from tests.fakes.slots import MemorySlots, standing
from tests.fakes.sub_files import MemorySubFiles
from tests.fakes.transaction import AuditRow, StoredReminder, Tables, Transaction
from tests.fakes.waitlist import MemoryWaitlist


class MemoryUnitOfWork(UnitOfWork):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    @cached_property
    def practitioners(self) -> PractitionerRepository:
        return MemoryDirectory(
            "practitioner", self._transaction, lambda tables: tables.practitioners
        )

    @cached_property
    def locations(self) -> LocationRepository:
        return MemoryDirectory(
            "location",
            self._transaction,
            lambda tables: tables.locations,
            unique=("code", "code"),
        )

    @cached_property
    def patients(self) -> PatientRepository:
        return MemoryDirectory(
            "patient",
            self._transaction,
            lambda tables: tables.patients,
            unique=("file_number", "fileNumber"),
        )

    @cached_property
    def practitioner_roles(self) -> PractitionerRoleRepository:
        return MemoryDirectory(
            "practitioner-role",
            self._transaction,
            lambda tables: tables.practitioner_roles,
        )

    @cached_property
    def settings(self) -> SettingsRepository:
        return MemorySettings(self._transaction)

    @cached_property
    def clinics(self) -> Clinics:
        return MemoryClinics(self._transaction)

    @cached_property
    def directory_lists(self) -> DirectoryLists:
        return MemoryDirectoryLists(self._transaction)

    @cached_property
    def schedules(self) -> ScheduleRepository:
        return MemorySchedules(self._transaction)

    @cached_property
    def schedule_exceptions(self) -> ScheduleExceptionRepository:
        return MemoryScheduleExceptions(self._transaction)

    @cached_property
    def calendar_news(self) -> CalendarNewsRepository:
        return MemoryCalendarNews(self._transaction)

    @cached_property
    def schedule_lists(self) -> ScheduleLists:
        return MemoryScheduleLists(self._transaction)

    @cached_property
    def generation(self) -> GenerationRepository:
        return MemoryGeneration(self._transaction)

    @cached_property
    def slots(self) -> SlotRepository:
        return MemorySlots(self._transaction)

    @cached_property
    def availability(self) -> AvailabilityRepository:
        return MemoryAvailability(self._transaction)

    @cached_property
    def appointments(self) -> AppointmentRepository:
        return MemoryAppointments(self._transaction)

    @cached_property
    def appointment_lists(self) -> AppointmentLists:
        return MemoryAppointmentLists(self._transaction)

    @cached_property
    def calendar(self) -> CalendarReader:
        return MemoryCalendar(self._transaction)

    @cached_property
    def statistics(self) -> StatisticsReader:
        return MemoryStatistics(self._transaction)

    @cached_property
    def reminders(self) -> ReminderRepository:
        return MemoryReminders(self._transaction)

    @cached_property
    def waitlist(self) -> WaitlistRepository:
        return MemoryWaitlist(self._transaction)

    @cached_property
    def audit(self) -> AuditRepository:
        return MemoryAuditTrail(self._transaction)

    @cached_property
    def answers(self) -> AnswerRepository:
        return MemoryAnswers(self._transaction)

    @cached_property
    def inbox(self) -> InboxRepository:
        return MemoryInbox(self._transaction)

    @cached_property
    def notices(self) -> Notices:
        return MemoryNotices(self._transaction)

    @cached_property
    def notifications(self) -> NotificationRepository:
        return MemoryNotifications(self._transaction)

    @cached_property
    def sub_files(self) -> SubFileRepository:
        return MemorySubFiles(self._transaction)

    @cached_property
    def forgetting(self) -> ForgettingRepository:
        return MemoryForgetting(self._transaction)

    @cached_property
    def dead_letters(self) -> DeadLetterRepository:
        return MemoryDeadLetters(self._transaction)


@dataclass
class MemoryStorage:
    """Leaving the block commits, an exception undoes it: nothing is ever half there."""

    tenants: dict[TenantId, Tables] = field(default_factory=dict)
    locks: dict[object, Lock] = field(default_factory=dict)
    work: Callable[[Transaction], UnitOfWork] = MemoryUnitOfWork

    @cached_property
    def recorder(self) -> MemoryAudit:
        """What has no transaction of its own is recorded at eight o'clock."""
        return MemoryAudit(self.tenants, lambda: EIGHT)

    def of(self, tenant_id: TenantId) -> Tables:
        return self.tenants.get(tenant_id) or Tables()

    @asynccontextmanager
    async def begin(self, caller: Caller) -> AsyncIterator[UnitOfWork]:
        async with AsyncExitStack() as held:
            transaction = Transaction(
                caller, lambda: self.of(caller.tenant_id), self.locks, held
            )
            yield self.work(transaction)
            if transaction.changes:
                self.tenants[caller.tenant_id] = transaction.outcome()

    async def outbox(self, caller: Caller) -> list[Envelope]:
        """Return the tenant's events in the order in which they were committed."""
        return list(self.of(caller.tenant_id).outbox.values())

    async def claims(self, caller: Caller) -> list[Claim]:
        return list(standing(self.of(caller.tenant_id)))

    async def appointments(self, caller: Caller) -> list[Appointment]:
        return list(self.of(caller.tenant_id).appointments.values())

    async def slots(self, caller: Caller) -> list[Slot]:
        return list(self.of(caller.tenant_id).slots.values())

    async def waitlist(self, caller: Caller) -> list[WaitlistEntry]:
        return list(self.of(caller.tenant_id).waitlist.values())

    async def reminders(self, caller: Caller) -> list[StoredReminder]:
        tables = self.of(caller.tenant_id)
        return [one for some in tables.reminders.values() for one in some]

    async def with_due_reminders(self) -> list[TenantId]:
        now = datetime.now(UTC)
        return [
            tenant
            for tenant, tables in self.tenants.items()
            if any(due_of(tables, now))
        ]

    async def audit(self, caller: Caller) -> list[AuditRow]:
        return list(self.of(caller.tenant_id).audit)

"""The work of one caller, under row level security.

A unit of work costs two round trips at its best: one reading, one writing. Row level
security costs a third where the connection served another tenant before.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from uuid import UUID

import asyncpg

from scheduling.adapters.postgres import directory
from scheduling.adapters.postgres.answers import PostgresAnswers
from scheduling.adapters.postgres.appointment_lists import PostgresAppointmentLists
from scheduling.adapters.postgres.appointments import PostgresAppointments
from scheduling.adapters.postgres.availability import PostgresAvailability
from scheduling.adapters.postgres.batch import SETTINGS
from scheduling.adapters.postgres.calendar import PostgresCalendar
from scheduling.adapters.postgres.calendar_news import PostgresCalendarNews
from scheduling.adapters.postgres.clinics import PostgresClinics
from scheduling.adapters.postgres.dead_letters import PostgresDeadLetters
from scheduling.adapters.postgres.directory import PostgresDirectory, PostgresSettings
from scheduling.adapters.postgres.directory_lists import PostgresDirectoryLists
from scheduling.adapters.postgres.forgetting import PostgresForgetting
from scheduling.adapters.postgres.generation import PostgresGeneration
from scheduling.adapters.postgres.history import PostgresAuditTrail
from scheduling.adapters.postgres.inbox import PostgresInbox
from scheduling.adapters.postgres.notices import PostgresNotices
from scheduling.adapters.postgres.notifications import PostgresNotifications
from scheduling.adapters.postgres.reminders import PostgresReminders
from scheduling.adapters.postgres.schedule_exceptions import PostgresScheduleExceptions
from scheduling.adapters.postgres.schedule_lists import PostgresScheduleLists
from scheduling.adapters.postgres.schedules import PostgresSchedules
from scheduling.adapters.postgres.sessions import PooledSessions
from scheduling.adapters.postgres.slots import PostgresSlots
from scheduling.adapters.postgres.statistics import PostgresStatistics
from scheduling.adapters.postgres.sub_files import PostgresSubFiles
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.adapters.postgres.violations import in_our_words
from scheduling.adapters.postgres.waitlist import PostgresWaitlist
from scheduling.application.ports.appointment_lists import (
    AppointmentLists,
    CalendarReader,
    StatisticsReader,
)
from scheduling.application.ports.audit import AuditRepository
from scheduling.application.ports.availability import AvailabilityRepository
from scheduling.application.ports.calendar_news import CalendarNewsRepository
from scheduling.application.ports.clinics import Clinics
from scheduling.application.ports.clock import Clock
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


class PostgresUnitOfWork(UnitOfWork):
    """Repositories are made when they are asked for: most commands use one or two."""

    def __init__(self, transaction: Transaction, now: Clock) -> None:
        self._transaction = transaction
        self._now = now

    @cached_property
    def practitioners(self) -> PractitionerRepository:
        return PostgresDirectory(self._transaction, directory.PRACTITIONER)

    @cached_property
    def locations(self) -> LocationRepository:
        return PostgresDirectory(self._transaction, directory.LOCATION)

    @cached_property
    def patients(self) -> PatientRepository:
        return PostgresDirectory(self._transaction, directory.PATIENT)

    @cached_property
    def practitioner_roles(self) -> PractitionerRoleRepository:
        return PostgresDirectory(self._transaction, directory.ROLE)

    @cached_property
    def settings(self) -> SettingsRepository:
        return PostgresSettings(self._transaction)

    @cached_property
    def clinics(self) -> Clinics:
        return PostgresClinics(self._transaction)

    @cached_property
    def directory_lists(self) -> DirectoryLists:
        return PostgresDirectoryLists(self._transaction)

    @cached_property
    def schedules(self) -> ScheduleRepository:
        return PostgresSchedules(self._transaction)

    @cached_property
    def schedule_exceptions(self) -> ScheduleExceptionRepository:
        return PostgresScheduleExceptions(self._transaction)

    @cached_property
    def calendar_news(self) -> CalendarNewsRepository:
        return PostgresCalendarNews(self._transaction)

    @cached_property
    def schedule_lists(self) -> ScheduleLists:
        return PostgresScheduleLists(self._transaction)

    @cached_property
    def generation(self) -> GenerationRepository:
        return PostgresGeneration(self._transaction)

    @cached_property
    def slots(self) -> SlotRepository:
        return PostgresSlots(self._transaction)

    @cached_property
    def availability(self) -> AvailabilityRepository:
        return PostgresAvailability(self._transaction)

    @cached_property
    def appointments(self) -> AppointmentRepository:
        return PostgresAppointments(self._transaction)

    @cached_property
    def appointment_lists(self) -> AppointmentLists:
        return PostgresAppointmentLists(self._transaction)

    @cached_property
    def calendar(self) -> CalendarReader:
        return PostgresCalendar(self._transaction)

    @cached_property
    def statistics(self) -> StatisticsReader:
        return PostgresStatistics(self._transaction)

    @cached_property
    def reminders(self) -> ReminderRepository:
        return PostgresReminders(self._transaction)

    @cached_property
    def waitlist(self) -> WaitlistRepository:
        return PostgresWaitlist(self._transaction)

    @cached_property
    def audit(self) -> AuditRepository:
        return PostgresAuditTrail(self._transaction)

    @cached_property
    def answers(self) -> AnswerRepository:
        return PostgresAnswers(self._transaction, self._now)

    @cached_property
    def inbox(self) -> InboxRepository:
        return PostgresInbox(self._transaction)

    @cached_property
    def notices(self) -> Notices:
        return PostgresNotices(self._transaction)

    @cached_property
    def notifications(self) -> NotificationRepository:
        return PostgresNotifications(self._transaction)

    @cached_property
    def sub_files(self) -> SubFileRepository:
        return PostgresSubFiles(self._transaction)

    @cached_property
    def forgetting(self) -> ForgettingRepository:
        return PostgresForgetting(self._transaction)

    @cached_property
    def dead_letters(self) -> DeadLetterRepository:
        return PostgresDeadLetters(self._transaction)


@asynccontextmanager
async def begin_work(
    pool: asyncpg.Pool,
    ring: Callable[[], None],
    now: Clock,
    caller: Caller,
    *,
    forget: Callable[[UUID], None] | None = None,
) -> AsyncIterator[UnitOfWork]:
    """Work for the caller; `ring` is called after events were committed, `forget` after
    the caller's organisation has changed its settings.
    """
    with in_our_words():
        transaction = Transaction(PooledSessions(pool), caller)
        try:
            yield PostgresUnitOfWork(transaction, now)
            await transaction.commit()
        except BaseException:
            await transaction.undo()
            raise
    if forget is not None and transaction.wrote(SETTINGS):
        forget(caller.tenant_id)
    if transaction.has_news:
        ring()

"""One transaction, and all that can be reached through it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeAlias

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
from scheduling.application.ports.waitlist import WaitlistRepository
from scheduling.domain.errors import DomainError


class StorageError(Exception):
    """Storage could not do it; nothing of it was done."""


class DecisionOutdated(StorageError):
    """What was read has changed before we wrote.

    Ask again, with fresh eyes; who asks no more says `refusal`.
    """

    def __init__(self, refusal: DomainError) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class TransactionAborted(StorageError):
    """A deadlock or a serialisation failure: the same may succeed when done again."""


class UnitOfWork(Protocol):
    """The repositories of one tenant in one transaction."""

    @property
    def practitioners(self) -> PractitionerRepository: ...
    @property
    def locations(self) -> LocationRepository: ...
    @property
    def patients(self) -> PatientRepository: ...
    @property
    def practitioner_roles(self) -> PractitionerRoleRepository: ...
    @property
    def settings(self) -> SettingsRepository: ...
    @property
    def clinics(self) -> Clinics: ...
    @property
    def directory_lists(self) -> DirectoryLists: ...
    @property
    def schedules(self) -> ScheduleRepository: ...
    @property
    def schedule_exceptions(self) -> ScheduleExceptionRepository: ...
    @property
    def calendar_news(self) -> CalendarNewsRepository: ...
    @property
    def schedule_lists(self) -> ScheduleLists: ...
    @property
    def generation(self) -> GenerationRepository: ...
    @property
    def slots(self) -> SlotRepository: ...
    @property
    def availability(self) -> AvailabilityRepository: ...
    @property
    def appointments(self) -> AppointmentRepository: ...
    @property
    def appointment_lists(self) -> AppointmentLists: ...
    @property
    def calendar(self) -> CalendarReader: ...
    @property
    def statistics(self) -> StatisticsReader: ...
    @property
    def reminders(self) -> ReminderRepository: ...
    @property
    def waitlist(self) -> WaitlistRepository: ...
    @property
    def audit(self) -> AuditRepository: ...
    @property
    def answers(self) -> AnswerRepository: ...
    @property
    def inbox(self) -> InboxRepository: ...
    @property
    def dead_letters(self) -> DeadLetterRepository: ...
    @property
    def notices(self) -> Notices: ...
    @property
    def notifications(self) -> NotificationRepository: ...
    @property
    def sub_files(self) -> SubFileRepository: ...
    @property
    def forgetting(self) -> ForgettingRepository: ...


BeginWork: TypeAlias = Callable[[Caller], AbstractAsyncContextManager[UnitOfWork]]
"""Open the caller's transaction: leaving the block commits, an exception undoes it."""

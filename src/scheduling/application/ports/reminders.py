"""Reminders that are due: how they are claimed and settled, and who sends them.

DispatchError
├── DispatchFailed      not now: the same may succeed later
├── Undeliverable       never: this recipient, or this notice, is refused
└── OutcomeUnknown      nobody can say whether it went out
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias
from uuid import UUID

from scheduling.application.ports.notices import Notices
from scheduling.domain.due_reminder import DueReminder, Notice, Reach, SettledReminder
from scheduling.domain.identifiers import AppointmentId, PatientId, TenantId
from scheduling.domain.reminder import KeptReminder

ReminderPosition: TypeAlias = tuple[datetime, UUID]
"""Where a look through reminders ended: the instant they are ordered by, and id."""


class DispatchError(Exception):
    """It was not sent, or nobody knows. `code` is stored, and told in the event."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class DispatchFailed(DispatchError):
    pass


class Undeliverable(DispatchError):
    pass


class OutcomeUnknown(DispatchError):
    pass


class ReminderDispatchPort(Protocol):
    """Sends notices, or has them sent."""

    @property
    def reach(self) -> Reach: ...

    @property
    def with_the_transaction(self) -> bool:
        """Whether what it does goes out with the transaction, or not at all.

        What is sent beyond it is sent one by one, each while its reminder is locked,
        so that a cancel comes before it or waits for it: an answer within seconds is
        part of the promise.
        """

    async def dispatch(self, notice: Notice, notices: Notices, /) -> None:
        """Send it, or put it into `notices`, which are of the transaction in which the
        reminder becomes SENT. Raise DispatchError.
        """


@dataclass(frozen=True, slots=True)
class AppointmentReminders:
    """Whose appointment it is, and a page of its reminders by when they are due."""

    patient_id: PatientId
    reminders: Sequence[KeptReminder]


class ReminderRepository(Protocol):
    async def claim(
        self, limit: int, *, after: ReminderPosition | None = None
    ) -> Sequence[DueReminder]:
        """Lock up to `limit` that are due by storage's clock, those first that are due
        longest, and leave out what others have locked.

        `after`: only what is behind it, so that nobody is looked at twice. Each is as
        it stands when it is locked, with its appointment and patient of then.
        """

    async def hold(self, id: UUID) -> DueReminder | None:
        """Lock one that is still SCHEDULED, due or not; wait for whoever has it. Until
        the transaction is left its appointment is neither cancelled nor at another time
        or place.
        """

    def settle(self, *settled: SettledReminder) -> None:
        """Store what became of those that we have locked, and tell their news."""

    async def of_appointment(
        self, id: AppointmentId, *, after: ReminderPosition | None, limit: int
    ) -> AppointmentReminders:
        """Return up to `limit` behind a position. Raise AppointmentNotFound."""


TenantsWithDueReminders: TypeAlias = Callable[[], Awaitable[Sequence[TenantId]]]
"""Return the organisations that have a reminder to be looked at, by storage's clock."""

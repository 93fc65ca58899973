from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.audit import REMINDERS_READ, AuditClient, Entity
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.reminders import ReminderPosition
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import AppointmentNotFound
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.reminder import KeptReminder


@dataclass(frozen=True, slots=True)
class Reminders:
    """A page of them, by when they are due; `more` may follow."""

    reminders: Sequence[KeptReminder]
    more: bool


@dataclass(frozen=True, slots=True)
class ListReminders:
    """The notices of an appointment, those of its former times too, and what became of
    each. A patient's own token sees those of its own appointment.
    """

    begin: BeginWork
    audit: AuditClient

    async def __call__(
        self,
        caller: Caller,
        id: AppointmentId,
        *,
        after: ReminderPosition | None = None,
        limit: int,
    ) -> Reminders:
        async with self.begin(caller) as work:
            found = await work.reminders.of_appointment(
                id, after=after, limit=limit + 1
            )
        if not caller.sees(found.patient_id):
            raise AppointmentNotFound(id)
        await self.audit.record(caller, REMINDERS_READ, Entity("appointment", id))
        return Reminders(found.reminders[:limit], len(found.reminders) > limit)

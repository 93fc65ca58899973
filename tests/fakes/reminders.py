"""Reminders that are due, in memory; what is due is judged by this machine's clock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from scheduling.application.ports.reminders import (
    AppointmentReminders,
    ReminderPosition,
    ReminderRepository,
)
from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.domain.due_reminder import Contact, DueReminder, SettledReminder
from scheduling.domain.errors import AppointmentNotFound, OptimisticLockConflict
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.reminder import KeptReminder, ReminderStatus
from tests.fakes.transaction import StoredReminder, Tables, Transaction


def due_of(tables: Tables, now: datetime) -> Iterator[StoredReminder]:
    for of_one in tables.reminders.values():
        for reminder in of_one:
            if reminder.status == "SCHEDULED" and reminder.look_at <= now:
                yield reminder


@dataclass
class MemoryReminders(ReminderRepository):
    transaction: Transaction

    async def claim(
        self, limit: int, *, after: ReminderPosition | None = None
    ) -> Sequence[DueReminder]:
        now = datetime.now(UTC)
        free = sorted(
            (one.look_at, one.id)
            for one in due_of(self.transaction.tables, now)
            if not self.transaction.is_locked_elsewhere("reminder", one.id)
        )
        behind = [one for one in free if after is None or one > after][:limit]
        return [held for _, id in behind if (held := await self.hold(id)) is not None]

    async def hold(self, id: UUID) -> DueReminder | None:
        await self.transaction.lock("reminder", id)
        found = _find(self.transaction.tables, id)
        if found is None or found.status != "SCHEDULED":
            return None
        return self._as_it_stands(found)

    def _as_it_stands(self, one: StoredReminder) -> DueReminder:
        now, tables = datetime.now(UTC), self.transaction.tables
        appointment = tables.appointments[AppointmentId(one.appointment_id)]
        patient = tables.patients[appointment.patient_id]
        location = tables.locations[appointment.location_id]
        return DueReminder(
            tenant_id=self.transaction.caller.tenant_id,
            id=one.id,
            appointment_id=appointment.id,
            patient_id=patient.id,
            practitioner_id=appointment.practitioner_id,
            location_id=location.id,
            start=appointment.period.start,
            status=appointment.status,
            offset_minutes=one.offset_minutes,
            channel=one.channel,
            look_at=one.look_at,
            attempts=one.attempts,
            reason=one.reason,
            sending_since=one.sending_since,
            overtaken=any(
                other.appointment_version == one.appointment_version
                and other.offset_minutes < one.offset_minutes
                and other.due_at <= now
                and other.status in {"SCHEDULED", "SENT"}
                for other in tables.reminders[appointment.id]
            ),
            patient_active=patient.active and not patient.is_deleted,
            contact=Contact(
                patient.preferences, patient.phone, patient.email, patient.language
            ),
            location_name=location.name,
            timezone=location.timezone,
            now=now,
        )

    def settle(self, *settled: SettledReminder) -> None:
        for one in settled:
            self.transaction.change(lambda tables, one=one: _store(tables, one))  # type: ignore[misc]
            self.transaction.announce(one.events)

    async def of_appointment(
        self, id: AppointmentId, *, after: ReminderPosition | None, limit: int
    ) -> AppointmentReminders:
        tables = self.transaction.tables
        if id not in tables.appointments:
            raise AppointmentNotFound(id)
        kept = sorted(
            tables.reminders.get(id, ()), key=lambda one: (one.due_at, one.id)
        )
        behind = [one for one in kept if after is None or (one.due_at, one.id) > after]
        return AppointmentReminders(
            tables.appointments[id].patient_id,
            [_as_kept(one) for one in behind[:limit]],
        )


def _as_kept(one: StoredReminder) -> KeptReminder:
    return KeptReminder(
        id=one.id,
        appointment_version=one.appointment_version,
        offset_minutes=one.offset_minutes,
        channel=one.channel,
        due_at=one.due_at,
        status=ReminderStatus(one.status),
        reason=one.reason,
        sent_at=one.sent_at,
    )


def _find(tables: Tables, id: UUID) -> StoredReminder | None:
    for of_one in tables.reminders.values():
        for one in of_one:
            if one.id == id:
                return one
    return None


def _store(tables: Tables, settled: SettledReminder) -> None:
    found = _find(tables, settled.id)
    if found is None or found.status != "SCHEDULED":
        raise DecisionOutdated(OptimisticLockConflict("A reminder was not ours."))
    after = replace(
        found,
        channel=settled.channel,
        status=settled.status,
        reason=settled.reason,
        attempts=settled.attempts,
        sent_at=settled.sent_at,
        attempt_at=settled.attempt_at,
        sending_since=settled.sending_since,
    )
    tables.reminders[found.appointment_id] = tuple(
        after if one.id == after.id else one
        for one in tables.reminders[found.appointment_id]
    )

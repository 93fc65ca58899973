"""Reminders that are due, and what became of them.

Rows are locked first and joined then: whoever cancels or moves an appointment writes
its reminders too, so a row that could be locked and still is SCHEDULED belongs to an
appointment that nobody has called off, and nobody can before we are done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import (
    DateTime,
    Integer,
    Select,
    Uuid,
    and_,
    exists,
    func,
    literal_column,
    select,
    true,
    tuple_,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import REMINDERS_SETTLED, TENANT
from scheduling.adapters.postgres.reminder_writes import channel_from, settled_row
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.adapters.postgres.violations import in_our_words
from scheduling.application.ports.reminders import (
    AppointmentReminders,
    ReminderPosition,
    ReminderRepository,
)
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.due_reminder import Contact, DueReminder, SettledReminder
from scheduling.domain.errors import AppointmentNotFound, OptimisticLockConflict
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    TenantId,
)
from scheduling.domain.reminder import KeptReminder, ReminderStatus
from scheduling.domain.status import Status

_INSTANT = DateTime(timezone=True)
_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC), UUID(int=0)
_SCHEDULED = t.reminders.c.status == literal_column("'SCHEDULED'")
_LOOK_AT: Any = func.coalesce(t.reminders.c.attempt_at, t.reminders.c.due_at)
_NOW: Any = func.statement_timestamp()
_PAGE = (
    "id",
    "appointment_version",
    "offset_minutes",
    "channel",
    "due_at",
    "status",
    "reason",
    "sent_at",
)


@cache
def claiming() -> Statement:
    reminders = t.reminders
    position = tuple_(given("after_at", _INSTANT), given("after_id", Uuid))
    due = (
        select(reminders, _LOOK_AT.label("look_at"))
        .where(
            reminders.c.tenant_id == TENANT,
            _SCHEDULED,
            _LOOK_AT <= _NOW,
            tuple_(_LOOK_AT, reminders.c.id) > position,
        )
        .order_by(_LOOK_AT, reminders.c.id)
        .limit(given("limit", Integer))
        .with_for_update(skip_locked=True)
    )
    return compiled(_with_what_decides(due), locks=True)


@cache
def holding() -> Statement:
    reminders = t.reminders
    one = (
        select(reminders, _LOOK_AT.label("look_at"))
        .where(
            reminders.c.tenant_id == TENANT,
            reminders.c.id == given("id", Uuid),
            _SCHEDULED,
        )
        .with_for_update()
    )
    return compiled(_with_what_decides(one), locks=True)


def _with_what_decides(rows: Select[Any]) -> Select[Any]:
    # A CTE that is materialised by its lock: the limit counts what was locked, and the
    # joins are made for that only.
    due = rows.cte("due").prefix_with("MATERIALIZED", dialect="postgresql")
    appointments, patients, locations = t.appointments, t.patients, t.locations
    later = t.reminders.alias("later")
    overtaken = exists().where(
        later.c.tenant_id == TENANT,
        later.c.appointment_id == due.c.appointment_id,
        later.c.appointment_version == due.c.appointment_version,
        later.c.offset_minutes < due.c.offset_minutes,
        later.c.due_at <= _NOW,
        later.c.status.in_([literal_column("'SCHEDULED'"), literal_column("'SENT'")]),
    )
    return (
        select(
            due.c.tenant_id,
            due.c.id,
            due.c.appointment_id,
            due.c.offset_minutes,
            due.c.channel,
            due.c.look_at,
            due.c.attempts,
            due.c.reason,
            due.c.sending_since,
            overtaken.label("overtaken"),
            appointments.c.patient_id,
            appointments.c.practitioner_id,
            appointments.c.location_id,
            appointments.c.starts_at,
            appointments.c.status,
            and_(patients.c.active, patients.c.deleted_at.is_(None)).label("active"),
            patients.c.prefers_whatsapp,
            patients.c.prefers_sms,
            patients.c.prefers_email,
            patients.c.phone,
            patients.c.email,
            patients.c.language,
            locations.c.name.label("location_name"),
            locations.c.timezone,
            _NOW.label("now"),
        )
        .select_from(due)
        .join(
            appointments,
            and_(
                appointments.c.tenant_id == TENANT,
                appointments.c.id == due.c.appointment_id,
            ),
        )
        .join(
            patients,
            and_(
                patients.c.tenant_id == TENANT,
                patients.c.id == appointments.c.patient_id,
            ),
        )
        .join(
            locations,
            and_(
                locations.c.tenant_id == TENANT,
                locations.c.id == appointments.c.location_id,
            ),
        )
        .order_by(due.c.look_at, due.c.id)
    )


@cache
def reading_page() -> Statement:
    """The appointment's patient, and a page of its reminders beside it."""
    appointments, reminders = t.appointments, t.reminders
    position = tuple_(given("after_at", _INSTANT), given("after_id", Uuid))
    page = (
        select(*(reminders.c[name] for name in _PAGE))
        .where(
            reminders.c.tenant_id == TENANT,
            reminders.c.appointment_id == given("id", Uuid),
            tuple_(reminders.c.due_at, reminders.c.id) > position,
        )
        .order_by(reminders.c.due_at, reminders.c.id)
        .limit(given("limit", Integer))
        .lateral("page")
    )
    return compiled(
        select(appointments.c.patient_id, *page.c)
        .select_from(appointments.outerjoin(page, true()))
        .where(
            appointments.c.tenant_id == TENANT,
            appointments.c.id == given("id", Uuid),
        )
        .order_by(page.c.due_at, page.c.id)
    )


@cache
def _finding_tenants() -> Statement:
    # One look into the index for each organisation, however many are due.
    tenants, reminders = t.tenants, t.reminders
    one = (
        select(literal_column("true"))
        .where(
            reminders.c.tenant_id == tenants.c.tenant_id, _SCHEDULED, _LOOK_AT <= _NOW
        )
        .limit(literal_column("1"))
        .scalar_subquery()
    )
    return compiled(select(tenants.c.tenant_id).where(one.is_not(None)))


async def tenants_with_due_reminders(pool: asyncpg.Pool) -> Sequence[TenantId]:
    """Look over all organisations, which only the role of the crons may."""
    with in_our_words():
        rows = await pool.fetch(_finding_tenants().sql)
    return [TenantId(row["tenant_id"]) for row in rows]


@dataclass(frozen=True, slots=True)
class PostgresReminders(ReminderRepository):
    transaction: Transaction

    async def claim(
        self, limit: int, *, after: ReminderPosition | None = None
    ) -> Sequence[DueReminder]:
        at, id = after or _BEFORE_ALL
        rows = await self.transaction.rows(
            claiming(), limit=limit, after_at=at, after_id=id
        )
        return [_due_from(row) for row in rows]

    async def hold(self, id: UUID) -> DueReminder | None:
        row = await self.transaction.row(holding(), id=id)
        return None if row is None else _due_from(row)

    def settle(self, *settled: SettledReminder) -> None:
        self.transaction.batch.add(
            REMINDERS_SETTLED,
            *(settled_row(one) for one in settled),
            otherwise=OptimisticLockConflict("A reminder was not ours."),
        )
        for one in settled:
            self.transaction.announce(one.events)

    async def of_appointment(
        self, id: AppointmentId, *, after: ReminderPosition | None, limit: int
    ) -> AppointmentReminders:
        at, last = after or _BEFORE_ALL
        rows = await self.transaction.rows(
            reading_page(), id=id, after_at=at, after_id=last, limit=limit
        )
        if not rows:
            raise AppointmentNotFound(id)
        return AppointmentReminders(
            PatientId(rows[0]["patient_id"]),
            [_kept_from(row) for row in rows if row["id"] is not None],
        )


def _due_from(row: Any) -> DueReminder:  # noqa: ANN401
    return DueReminder(
        tenant_id=TenantId(row["tenant_id"]),
        id=row["id"],
        appointment_id=AppointmentId(row["appointment_id"]),
        patient_id=PatientId(row["patient_id"]),
        practitioner_id=PractitionerId(row["practitioner_id"]),
        location_id=LocationId(row["location_id"]),
        start=row["starts_at"],
        status=Status(row["status"]),
        offset_minutes=row["offset_minutes"],
        channel=channel_from(row["channel"]),
        look_at=row["look_at"],
        attempts=row["attempts"],
        reason=row["reason"],
        sending_since=row["sending_since"],
        overtaken=row["overtaken"],
        patient_active=row["active"],
        contact=Contact(
            ContactPreferences(
                row["prefers_whatsapp"], row["prefers_sms"], row["prefers_email"]
            ),
            phone=row["phone"],
            email=row["email"],
            language=row["language"],
        ),
        location_name=row["location_name"],
        timezone=row["timezone"],
        now=row["now"],
    )


def _kept_from(row: Any) -> KeptReminder:  # noqa: ANN401
    return KeptReminder(
        id=row["id"],
        appointment_version=row["appointment_version"],
        offset_minutes=row["offset_minutes"],
        channel=channel_from(row["channel"]),
        due_at=row["due_at"],
        status=ReminderStatus(row["status"]),
        reason=row["reason"],
        sent_at=row["sent_at"],
    )

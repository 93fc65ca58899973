from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from sqlalchemy import (
    DateTime,
    Integer,
    Uuid,
    literal_column,
    select,
    tuple_,
    update,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import NOTIFICATIONS, TENANT, Row
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.notifications import (
    NotificationPosition,
    NotificationRepository,
)
from scheduling.domain.changes import plain
from scheduling.domain.directory import Practitioner
from scheduling.domain.errors import NotificationNotFound
from scheduling.domain.identifiers import (
    AppointmentId,
    NotificationId,
    PatientId,
    PractitionerId,
)
from scheduling.domain.notification import Notification, Template

_INSTANT = DateTime(timezone=True)
_OF = given("practitioner_id", Uuid)


@cache
def _paging(*, unread: bool, further: bool) -> Statement:
    notes = t.notifications
    position = tuple_(notes.c.created_at, notes.c.id)
    after = tuple_(given("after_at", _INSTANT), given("after_id", Uuid))
    return compiled(
        select(notes)
        .where(
            notes.c.tenant_id == TENANT,
            notes.c.practitioner_id == _OF,
            *([notes.c.read_at.is_(None)] if unread else []),
            *([position < after] if further else []),
        )
        .order_by(notes.c.created_at.desc(), notes.c.id.desc())
        .limit(given("limit", Integer))
    )


@cache
def _holding() -> Statement:
    notes = t.notifications
    return compiled(
        select(notes)
        .where(
            notes.c.tenant_id == TENANT,
            notes.c.practitioner_id == _OF,
            notes.c.id == given("id", Uuid),
        )
        .with_for_update(),
        locks=True,
    )


@cache
def _reading(*, all_of_them: bool) -> Statement:
    notes = t.notifications
    return compiled(
        update(notes)
        .where(
            notes.c.tenant_id == TENANT,
            notes.c.practitioner_id == _OF,
            notes.c.read_at.is_(None),
            *([] if all_of_them else [notes.c.id == given("id", Uuid)]),
        )
        .values(read_at=given("now", _INSTANT))
        .returning(literal_column("1").label("one")),
        locks=True,
    )


@dataclass(frozen=True, slots=True)
class PostgresNotifications(NotificationRepository):
    transaction: Transaction

    def add(self, notification: Notification) -> None:
        self.transaction.batch.add(NOTIFICATIONS, _row(notification))

    async def of_practitioner(
        self,
        id: PractitionerId,
        *,
        unread: bool,
        after: NotificationPosition | None,
        limit: int,
    ) -> Sequence[Notification]:
        at, last = after or (None, None)
        rows = await self.transaction.rows(
            _paging(unread=unread, further=after is not None),
            practitioner_id=id,
            after_at=at,
            after_id=last,
            limit=limit,
        )
        return [_from(row) for row in rows]

    async def mark_read(
        self, of: PractitionerId, id: NotificationId, *, now: datetime
    ) -> Notification:
        transaction = self.transaction
        row = await transaction.row(_holding(), practitioner_id=of, id=id)
        if row is None:
            raise NotificationNotFound(id)
        found = _from(row)
        if found.read_at is not None:
            return found
        reading = _reading(all_of_them=False)
        await transaction.rows(reading, practitioner_id=of, id=id, now=now)
        transaction.audit(
            "notification.read",
            "notification",
            id,
            version=1,
            changes={"readAt": (None, plain(now))},
            at=now,
        )
        return replace(found, read_at=now)

    async def mark_all_read(self, of: Practitioner, *, now: datetime) -> int:
        transaction = self.transaction
        reading = _reading(all_of_them=True)
        read = len(await transaction.rows(reading, practitioner_id=of.id, now=now))
        if read:
            transaction.audit(
                "practitioner.notifications-read",
                "practitioner",
                of.id,
                version=of.version,
                changes={"unread": (read, 0)},
                at=now,
            )
        return read


def _row(one: Notification) -> Row:
    return {
        "id": one.id,
        "practitioner_id": one.practitioner_id,
        "template": one.template,
        "patient_id": one.patient_id,
        "appointment_id": one.appointment_id,
        "starts_at": one.start,
        "timezone": one.timezone,
        "service_type": one.service_type,
        "source_event_id": one.source_event_id,
        "created_at": one.created_at,
        "read_at": one.read_at,
    }


def _from(row: Row) -> Notification:
    return Notification(
        id=NotificationId(row["id"]),
        practitioner_id=PractitionerId(row["practitioner_id"]),
        template=Template(row["template"]),
        patient_id=PatientId(row["patient_id"]),
        appointment_id=AppointmentId(row["appointment_id"]),
        start=row["starts_at"],
        timezone=row["timezone"],
        service_type=row["service_type"],
        source_event_id=row["source_event_id"],
        created_at=row["created_at"],
        read_at=row["read_at"],
    )

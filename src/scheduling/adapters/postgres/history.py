"""What the audit keeps of one appointment, read back page by page."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    DateTime,
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.statements import Statement, compiled
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.audit import (
    READS_OF_AN_APPOINTMENT,
    AppointmentRecords,
    AuditPosition,
    AuditRecord,
    AuditRepository,
    Outcome,
)
from scheduling.application.ports.identity import Caller
from scheduling.domain.errors import AppointmentNotFound
from scheduling.domain.identifiers import AppointmentId, PatientId

_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC), UUID(int=0)
_COLUMNS = (
    "id",
    "at",
    "actor",
    "action",
    "outcome",
    "entity_version",
    "changes",
    "request_id",
)


@cache
def reading_history(*, for_patient: bool) -> Statement:
    """The appointment, and a page of its records beside it: null where there is none.

    The page is cut inside, by `ix_audit_entity`: as many rows are read as are shown,
    however long the history is.
    """
    audit, appointments = t.audit, t.appointments
    position = tuple_(
        bindparam("after_at", type_=DateTime(timezone=True)),
        bindparam("after_id", type_=Uuid()),
    )
    page: Any = select(*(audit.c[name] for name in _COLUMNS)).where(
        audit.c.tenant_id == TENANT,
        audit.c.entity_id == bindparam("id", type_=Uuid()),
        tuple_(audit.c.at, audit.c.id) > position,
    )
    if for_patient:
        page = page.where(_told_to_the_patient())
    page = (
        page.order_by(audit.c.at, audit.c.id)
        .limit(bindparam("limit", type_=Integer()))
        .lateral("page")
    )
    return compiled(
        select(appointments.c.patient_id, *page.c)
        .select_from(appointments.outerjoin(page, true()))
        .where(
            appointments.c.tenant_id == TENANT,
            appointments.c.id == bindparam("id", type_=Uuid()),
        )
        .order_by(page.c.at, page.c.id)
    )


def _told_to_the_patient() -> Any:  # noqa: ANN401
    audit = t.audit
    reads: list[Any] = [
        literal_column(f"'{action}'") for action in READS_OF_AN_APPOINTMENT
    ]
    return or_(
        audit.c.actor == bindparam("actor", type_=Text()),
        and_(
            audit.c.outcome == literal_column(f"'{Outcome.DONE}'"),
            audit.c.action.not_in(reads),
        ),
    )


@dataclass(frozen=True, slots=True)
class PostgresAuditTrail(AuditRepository):
    transaction: Transaction

    async def of_appointment(
        self,
        id: AppointmentId,
        *,
        to: Caller,
        after: AuditPosition | None,
        limit: int,
    ) -> AppointmentRecords:
        at, last = after or _BEFORE_ALL
        for_patient = to.patient_id is not None
        rows = await self.transaction.rows(
            reading_history(for_patient=for_patient),
            id=id,
            after_at=at,
            after_id=last,
            limit=limit,
            actor=to.subject,
        )
        if not rows:
            raise AppointmentNotFound(id)
        return AppointmentRecords(
            PatientId(rows[0]["patient_id"]),
            [_record_from(row) for row in rows if row["id"] is not None],
        )


def _record_from(row: Any) -> AuditRecord:  # noqa: ANN401
    return AuditRecord(
        id=row["id"],
        at=row["at"],
        actor=row["actor"],
        action=row["action"],
        outcome=Outcome(row["outcome"]),
        version=row["entity_version"],
        changes={
            name: (old, new)
            for name, (old, new) in orjson.loads(row["changes"]).items()
        },
        request_id=row["request_id"],
    )

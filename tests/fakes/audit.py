"""The audit in memory: what has no transaction of its own, and pages of history."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from scheduling.application.ports.audit import (
    READS_OF_AN_APPOINTMENT,
    AppointmentRecords,
    AuditClient,
    AuditPosition,
    AuditRecord,
    AuditRepository,
    Entity,
    Outcome,
)
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.domain.changes import NO_CHANGES, Changes
from scheduling.domain.errors import AppointmentNotFound
from scheduling.domain.identifiers import AppointmentId, TenantId, new_id
from tests.fakes.transaction import AuditRow, Tables, Transaction


@dataclass
class MemoryAudit(AuditClient):
    """`away` is a database that nobody reaches."""

    tenants: dict[TenantId, Tables]
    now: Clock
    away: bool = False

    async def record(
        self,
        caller: Caller,
        action: str,
        entity: Entity,
        *,
        outcome: Outcome = Outcome.DONE,
        changes: Changes = NO_CHANGES,
    ) -> None:
        if self.away:
            raise DatabaseUnavailable
        now = self.now()
        row = AuditRow(
            action=action,
            entity_type=entity.type,
            entity_id=entity.id,
            entity_version=None,
            actor=caller.subject,
            changes=dict(changes),
            outcome=outcome,
            at=now,
            request_id=caller.request_id,
            id=new_id(now),
        )
        tables = self.tenants.get(caller.tenant_id, Tables())
        self.tenants[caller.tenant_id] = replace(tables, audit=(*tables.audit, row))


@dataclass
class MemoryAuditTrail(AuditRepository):
    transaction: Transaction

    async def of_appointment(
        self,
        id: AppointmentId,
        *,
        to: Caller,
        after: AuditPosition | None,
        limit: int,
    ) -> AppointmentRecords:
        tables = self.transaction.tables
        if id not in tables.appointments:
            raise AppointmentNotFound(id)
        told: Callable[[AuditRow], bool] = (
            (lambda _row: True)
            if to.patient_id is None
            else (lambda row: _is_told_to_the_patient(row, to.subject))
        )
        rows = sorted(
            (row for row in tables.audit if row.entity_id == id and told(row)),
            key=lambda row: (row.at, row.id),
        )
        page = [row for row in rows if after is None or (row.at, row.id) > after]
        return AppointmentRecords(
            tables.appointments[id].patient_id, list(_records(page[:limit]))
        )


def _is_told_to_the_patient(row: AuditRow, subject: str) -> bool:
    done = row.outcome is Outcome.DONE and row.action not in READS_OF_AN_APPOINTMENT
    return done or row.actor == subject


def _records(rows: Iterable[AuditRow]) -> Iterable[AuditRecord]:
    for row in rows:
        yield AuditRecord(
            id=row.id,
            at=row.at,
            actor=row.actor,
            action=row.action,
            outcome=row.outcome,
            version=row.entity_version,
            changes=row.changes,
            request_id=row.request_id,
        )

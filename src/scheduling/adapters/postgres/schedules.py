from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import bindparam, func, literal_column, select

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import SCHEDULES, TENANT
from scheduling.adapters.postgres.directory import reading_by_id
from scheduling.adapters.postgres.directory_rows import (
    Row,
    schedule_from,
    schedule_row,
)
from scheduling.adapters.postgres.statements import Statement, compiled
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.adapters.postgres.turns import turn_with_calendars
from scheduling.application.ports.repositories import ScheduleRepository
from scheduling.domain.changes import changes_between
from scheduling.domain.errors import OptimisticLockConflict, ScheduleNotFound
from scheduling.domain.identifiers import PractitionerRoleId, ScheduleId
from scheduling.domain.schedule import Schedule


@cache
def _reading_by_role() -> Statement:
    return compiled(
        select(t.schedules).where(
            t.schedules.c.tenant_id == TENANT,
            t.schedules.c.practitioner_role_id == bindparam("role_id"),
        )
    )


@cache
def _holding_of_role() -> Statement:
    """Others may refer to the schedule meanwhile, as new slots and bookings do."""
    schedules = t.schedules
    waited = select(func.count(turn_with_calendars())).scalar_subquery()
    return compiled(
        select(schedules)
        .where(
            schedules.c.tenant_id == TENANT,
            schedules.c.practitioner_role_id == bindparam("role_id"),
            waited >= literal_column("0"),
        )
        .with_for_update(key_share=True),
        locks=True,
    )


@dataclass(frozen=True, slots=True)
class PostgresSchedules(ScheduleRepository):
    transaction: Transaction
    seen: dict[ScheduleId, Schedule] = field(default_factory=dict)

    async def get(self, id: ScheduleId) -> Schedule:
        row = await self.transaction.row(reading_by_id(t.schedules), id=id)
        if row is None:
            raise ScheduleNotFound(id)
        return self._read(row)

    async def of_role(self, id: PractitionerRoleId) -> Schedule | None:
        row = await self.transaction.row(_reading_by_role(), role_id=id)
        return None if row is None else self._read(row)

    async def hold_of_role(self, id: PractitionerRoleId) -> Schedule | None:
        row = await self.transaction.row(_holding_of_role(), role_id=id)
        return None if row is None else self._read(row)

    def _read(self, row: Row) -> Schedule:
        schedule = schedule_from(row)
        self.seen[schedule.id] = schedule
        return schedule

    def save(self, schedule: Schedule) -> None:
        stored = self.seen.get(schedule.id)
        if stored is not None and stored.version == schedule.version:
            return
        if schedule.updated_at is None:
            raise ValueError("a schedule that was never published cannot be stored")
        self.transaction.batch.add(
            SCHEDULES,
            schedule_row(schedule),
            otherwise=OptimisticLockConflict(f"Schedule {schedule.id} has changed."),
        )
        self.transaction.announce(schedule.events)
        self.transaction.audit(
            "schedule.published" if schedule.version == 1 else "schedule.changed",
            "schedule",
            schedule.id,
            version=schedule.version,
            changes=changes_between(stored, schedule),
            at=schedule.updated_at,
        )

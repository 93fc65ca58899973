"""Schedule exceptions, and the slots that they block and open."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any

import orjson
from sqlalchemy import (
    DateTime,
    Integer,
    Uuid,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.affected import affected_from, whose
from scheduling.adapters.postgres.batch import (
    EXCEPTIONS,
    EXCEPTIONS_GONE,
    NEW_SLOTS,
    SLOTS,
    SLOTS_GONE,
    TENANT,
)
from scheduling.adapters.postgres.directory import reading_by_id
from scheduling.adapters.postgres.directory_rows import schedule_from
from scheduling.adapters.postgres.rows import blocking_row, slot_from, slot_row
from scheduling.adapters.postgres.statements import Statement, compiled
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.adapters.postgres.turns import turn_with
from scheduling.application.ports.schedule_exceptions import (
    Affected,
    ExceptionPosition,
    ScheduleExceptionRepository,
)
from scheduling.domain.changes import Changes, changes_between
from scheduling.domain.errors import (
    OptimisticLockConflict,
    ScheduleExceptionNotFound,
    ScheduleNotFound,
)
from scheduling.domain.identifiers import (
    ScheduleExceptionId,
    ScheduleId,
)
from scheduling.domain.period import Period
from scheduling.domain.reshaping import Reshaping
from scheduling.domain.schedule import Hours, Schedule
from scheduling.domain.schedule_exception import (
    LONGEST_EXCEPTION,
    ExceptionKind,
    ScheduleException,
)
from scheduling.domain.slot import LONGEST_SLOT, Slot
from scheduling.domain.status import Status

Row = Mapping[str, Any]

_INSTANT = DateTime(timezone=True)
_START, _END = bindparam("start", type_=_INSTANT), bindparam("end", type_=_INSTANT)
_SCHEDULE = bindparam("schedule_id", type_=Uuid())


@cache
def _holding() -> Statement:
    """After who moves the practitioner's appointments: they lock slots, too. Others may
    refer to the schedule meanwhile, as new slots and bookings do.
    """
    schedules = t.schedules
    it = and_(schedules.c.tenant_id == TENANT, schedules.c.id == _SCHEDULE)
    waited = select(func.count(turn_with(schedules.c.practitioner_id))).where(it)
    return compiled(
        select(schedules)
        .where(it, waited.scalar_subquery() >= literal_column("0"))
        .with_for_update(key_share=True),
        locks=True,
    )


@cache
def _relying() -> Statement:
    schedules = t.schedules
    return compiled(
        select(schedules)
        .where(schedules.c.tenant_id == TENANT, schedules.c.id == _SCHEDULE)
        .with_for_update(read=True),
        locks=True,
    )


@cache
def _touching() -> Statement:
    """By start, as the index goes: who began too long ago has ended."""
    exceptions = t.schedule_exceptions
    return compiled(
        select(exceptions)
        .where(
            exceptions.c.tenant_id == TENANT,
            exceptions.c.schedule_id == _SCHEDULE,
            exceptions.c.starts_at > bindparam("earliest", type_=_INSTANT),
            exceptions.c.starts_at < _END,
            exceptions.c.ends_at > _START,
        )
        .order_by(exceptions.c.created_at, exceptions.c.id)
    )


@cache
def _paging(*, further: bool) -> Statement:
    exceptions = t.schedule_exceptions
    position = tuple_(exceptions.c.starts_at, exceptions.c.id)
    after = tuple_(
        bindparam("after_start", type_=_INSTANT), bindparam("after_id", type_=Uuid())
    )
    return compiled(
        select(exceptions)
        .where(
            exceptions.c.tenant_id == TENANT,
            exceptions.c.schedule_id == _SCHEDULE,
            *([position > after] if further else []),
        )
        .order_by(exceptions.c.starts_at, exceptions.c.id)
        .limit(bindparam("limit", type_=Integer))
    )


@cache
def _locking_slots() -> Statement:
    slots = t.slots
    return compiled(
        select(slots)
        .where(
            slots.c.tenant_id == TENANT,
            slots.c.schedule_id == _SCHEDULE,
            slots.c.starts_at >= _START,
            slots.c.starts_at < _END,
        )
        .order_by(slots.c.starts_at, slots.c.id)
        .with_for_update(),
        locks=True,
    )


@cache
def _reading_taken() -> Statement:
    appointments = t.appointments
    return compiled(
        select(
            appointments.c.id,
            appointments.c.starts_at,
            appointments.c.ends_at,
            appointments.c.status,
            appointments.c.slot_ids,
            *whose(),
        )
        .where(
            appointments.c.tenant_id == TENANT,
            appointments.c.practitioner_id == bindparam("practitioner_id"),
            appointments.c.schedule_id == _SCHEDULE,
            appointments.c.starts_at >= _START,
            appointments.c.starts_at < _END,
            appointments.c.status.in_(
                [literal_column(f"'{one}'") for one in Status if one.takes_time]
            ),
            or_(
                appointments.c.hold_expires_at.is_(None),
                appointments.c.hold_expires_at > bindparam("now", type_=_INSTANT),
            ),
        )
        .order_by(appointments.c.starts_at, appointments.c.id)
    )


@dataclass(frozen=True, slots=True)
class PostgresScheduleExceptions(ScheduleExceptionRepository):
    """Storing an exception stores what it does to the slots, and their news."""

    transaction: Transaction

    async def hold(self, id: ScheduleId) -> Schedule:
        return await self._held(_holding(), id)

    async def rely_on(self, id: ScheduleId) -> Schedule:
        return await self._held(_relying(), id)

    async def _held(self, holding: Statement, id: ScheduleId) -> Schedule:
        row = await self.transaction.row(holding, schedule_id=id)
        if row is None:
            raise ScheduleNotFound(id)
        return schedule_from(row)

    async def get(
        self, schedule_id: ScheduleId, id: ScheduleExceptionId
    ) -> ScheduleException:
        row = await self.transaction.row(reading_by_id(t.schedule_exceptions), id=id)
        if row is None or row["schedule_id"] != schedule_id:
            raise ScheduleExceptionNotFound(id)
        return _exception_from(row)

    async def touching(
        self, schedule_id: ScheduleId, period: Period
    ) -> Sequence[ScheduleException]:
        rows = await self.transaction.rows(
            _touching(),
            schedule_id=schedule_id,
            earliest=period.start - LONGEST_EXCEPTION - timedelta(days=1),
            start=period.start,
            end=period.end,
        )
        return [_exception_from(row) for row in rows]

    async def page(
        self, schedule_id: ScheduleId, after: ExceptionPosition | None, limit: int
    ) -> Sequence[ScheduleException]:
        after_start, after_id = after or (None, None)
        rows = await self.transaction.rows(
            _paging(further=after is not None),
            schedule_id=schedule_id,
            after_start=after_start,
            after_id=after_id,
            limit=limit,
        )
        return [_exception_from(row) for row in rows]

    async def slots(self, schedule_id: ScheduleId, period: Period) -> Sequence[Slot]:
        rows = await self.transaction.rows(
            _locking_slots(),
            schedule_id=schedule_id,
            start=period.start,
            end=period.end,
        )
        return [slot_from(row) for row in rows]

    async def affected(
        self, schedule: Schedule, slots: Collection[Slot], now: datetime
    ) -> Sequence[Affected]:
        taken = {slot.id: slot.period.start for slot in slots if slot.booked > 0}
        if not taken:
            return ()
        rows = await self.transaction.rows(
            _reading_taken(),
            practitioner_id=schedule.practitioner_id,
            schedule_id=schedule.id,
            start=min(taken.values()) - LONGEST_SLOT,
            end=max(taken.values()) + LONGEST_SLOT,
            now=now,
        )
        return [
            affected_from(row)
            for row in rows
            if not taken.keys().isdisjoint(row["slot_ids"])
        ]

    def add(self, exception: ScheduleException, done: Reshaping) -> None:
        transaction = self.transaction
        transaction.batch.add(
            EXCEPTIONS, _exception_row(exception), otherwise=_changed(exception)
        )
        self._carry_out(exception, done)
        self._audit(
            "schedule-exception.added",
            exception,
            {**changes_between(None, exception), **done.counts()},
            at=exception.created_at,
        )

    def remove(
        self, exception: ScheduleException, done: Reshaping, now: datetime
    ) -> None:
        self.transaction.batch.add(
            EXCEPTIONS_GONE, {"id": exception.id}, otherwise=_changed(exception)
        )
        self._carry_out(exception, done)
        was = changes_between(None, exception)
        gone = {name: (value, None) for name, (_, value) in was.items()}
        self._audit(
            "schedule-exception.removed", exception, {**gone, **done.counts()}, at=now
        )

    def _carry_out(self, exception: ScheduleException, done: Reshaping) -> None:
        batch, changed = self.transaction.batch, _changed(exception)
        batch.add(NEW_SLOTS, *map(slot_row, done.made), otherwise=changed)
        batch.add(
            SLOTS,
            *map(blocking_row, (*done.blocked, *done.opened, *done.moved_on)),
            otherwise=changed,
        )
        batch.add(
            SLOTS_GONE,
            *({"id": slot.id, "version": slot.version} for slot in done.retired),
            otherwise=changed,
        )
        for slot in done.changed:
            self.transaction.announce(slot.events)

    def _audit(
        self,
        action: str,
        exception: ScheduleException,
        changes: Changes,
        *,
        at: datetime,
    ) -> None:
        self.transaction.audit(
            action,
            "schedule-exception",
            exception.id,
            version=1,
            changes=changes,
            at=at,
        )


def _changed(exception: ScheduleException) -> OptimisticLockConflict:
    return OptimisticLockConflict(
        f"The slots of schedule {exception.schedule_id} have changed."
    )


def _exception_from(row: Row) -> ScheduleException:
    return ScheduleException(
        id=ScheduleExceptionId(row["id"]),
        schedule_id=ScheduleId(row["schedule_id"]),
        kind=ExceptionKind(row["kind"]),
        period=Period(row["starts_at"], row["ends_at"]),
        on_date=row["on_date"],
        windows=tuple(hours_from(row["windows"])),
        service_types=tuple(row["service_types"]),
        reason=row["reason"],
        created_at=row["created_at"],
    )


def _exception_row(exception: ScheduleException) -> Row:
    return {
        "id": exception.id,
        "schedule_id": exception.schedule_id,
        "kind": exception.kind,
        "on_date": exception.on_date,
        "starts_at": exception.period.start,
        "ends_at": exception.period.end,
        "windows": [_hours_json(hours) for hours in exception.windows],
        "service_types": exception.service_types,
        "reason": exception.reason,
        "created_at": exception.created_at,
    }


def hours_from(text: str) -> Iterable[Hours]:
    for window in orjson.loads(text):
        yield Hours(
            start=time.fromisoformat(window["start"]),
            end=time.fromisoformat(window["end"]),
            slot_minutes=window["slot_minutes"],
            capacity=window["capacity"],
            service_types=tuple(window["service_types"]),
        )


def _hours_json(hours: Hours) -> Row:
    return {
        "start": hours.start.isoformat("minutes"),
        "end": hours.end.isoformat("minutes"),
        "slot_minutes": hours.slot_minutes,
        "capacity": hours.capacity,
        "service_types": hours.service_types,
    }

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    case,
    literal_column,
    or_,
    select,
    tuple_,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.directory_rows import schedule_from
from scheduling.adapters.postgres.offering import INSTANT, lapsed_seats
from scheduling.adapters.postgres.rows import slot_from
from scheduling.adapters.postgres.seats import as_shown
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.schedule_lists import (
    ScheduleFilter,
    ScheduleLists,
    ScheduleSlotFilter,
    SlotAsItIs,
)
from scheduling.domain.errors import SlotNotFound
from scheduling.domain.identifiers import SlotId
from scheduling.domain.schedule import Schedule
from scheduling.domain.slot import Slot


@cache
def _listing_schedules(filters: frozenset[str]) -> Statement:
    schedules, actor = t.schedules, given("actor_id", Uuid)
    conditions: dict[str, ColumnElement[bool]] = {
        "actor_id": or_(
            schedules.c.practitioner_id == actor, schedules.c.location_id == actor
        ),
        "after": schedules.c.id > given("after", Uuid),
    }
    return compiled(
        select(schedules)
        .where(
            schedules.c.tenant_id == TENANT,
            *(condition for name, condition in conditions.items() if name in filters),
        )
        .order_by(schedules.c.id)
        .limit(given("limit", Integer))
    )


def _booked() -> ColumnElement[int]:
    return t.slots.c.booked - lapsed_seats()


def _status() -> ColumnElement[str]:
    status, capacity = t.slots.c.status, t.slots.c.capacity
    opens = and_(status == literal_column("'busy'"), _booked() < capacity)
    return case((opens, literal_column("'free'")), else_=status)


def _as_it_is() -> Select[Any]:
    """As it is at `now`: what is held no more is free, swept or not."""
    stored = (c for c in t.slots.c if c.name not in {"booked", "status"})
    return select(*stored, _booked().label("booked"), _status().label("status"))


@cache
def _reading_slot() -> Statement:
    slots = t.slots
    return compiled(
        _as_it_is()
        .add_columns(lapsed_seats().label("lapsed"))
        .where(slots.c.tenant_id == TENANT, slots.c.id == given("id", Uuid))
    )


@cache
def _listing_slots(filters: frozenset[str]) -> Statement:
    slots = t.slots
    conditions: dict[str, ColumnElement[bool]] = {
        "status": as_shown(slots, slots.c.capacity - _booked())
        == given("status", Text),
        "after_id": tuple_(slots.c.starts_at, slots.c.id)
        > tuple_(given("after_start", INSTANT), given("after_id", Uuid)),
    }
    return compiled(
        _as_it_is()
        .where(
            slots.c.tenant_id == TENANT,
            slots.c.schedule_id == given("schedule_id", Uuid),
            slots.c.starts_at >= given("start", INSTANT),
            slots.c.starts_at < given("end", INSTANT),
            *(condition for name, condition in conditions.items() if name in filters),
        )
        .order_by(slots.c.starts_at, slots.c.id)
        .limit(given("limit", Integer))
    )


@dataclass(frozen=True, slots=True)
class PostgresScheduleLists(ScheduleLists):
    transaction: Transaction

    async def schedules(self, wanted: ScheduleFilter) -> Sequence[Schedule]:
        asked = _named(actor_id=wanted.actor_id, after=wanted.after)
        rows = await self.transaction.rows(
            _listing_schedules(frozenset(asked)), **asked, limit=wanted.limit
        )
        return [schedule_from(row) for row in rows]

    async def slots(self, wanted: ScheduleSlotFilter, now: datetime) -> Sequence[Slot]:
        after_start, after_id = wanted.after or (None, None)
        asked = _named(status=wanted.status, after_start=after_start, after_id=after_id)
        rows = await self.transaction.rows(
            _listing_slots(frozenset(asked)),
            **asked,
            schedule_id=wanted.schedule_id,
            start=wanted.period.start,
            end=wanted.period.end,
            now=now,
            limit=wanted.limit,
        )
        return [slot_from(row) for row in rows]

    async def slot(self, id: SlotId, now: datetime) -> SlotAsItIs:
        row = await self.transaction.row(_reading_slot(), id=id, now=now)
        if row is None:
            raise SlotNotFound(id)
        return SlotAsItIs(slot_from(row), row["lapsed"])


def _named(**values: Any) -> dict[str, Any]:  # noqa: ANN401
    return {name: value for name, value in values.items() if value is not None}

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Text,
    Uuid,
    and_,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.claimed import claimed_by, kind
from scheduling.adapters.postgres.directory_rows import schedule_from
from scheduling.adapters.postgres.rows import slot_from
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.schedule_lists import (
    ScheduleFilter,
    ScheduleLists,
    ScheduleSlotFilter,
)
from scheduling.domain.claim import ActorKind
from scheduling.domain.schedule import Schedule
from scheduling.domain.slot import Slot

_INSTANT = DateTime(timezone=True)


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


@cache
def _listing_slots(filters: frozenset[str]) -> Statement:
    """As they are at `now`: what is held no more is free, swept or not."""
    slots = t.slots
    booked = slots.c.booked - _lapsed_seats()
    status = case(
        (
            and_(slots.c.status == literal_column("'busy'"), booked < slots.c.capacity),
            literal_column("'free'"),
        ),
        else_=slots.c.status,
    )
    conditions: dict[str, ColumnElement[bool]] = {
        "status": status == given("status", Text),
        "after_id": tuple_(slots.c.starts_at, slots.c.id)
        > tuple_(given("after_start", _INSTANT), given("after_id", Uuid)),
    }
    return compiled(
        select(
            *(c for c in slots.c if c.name not in {"booked", "status"}),
            booked.label("booked"),
            status.label("status"),
        )
        .where(
            slots.c.tenant_id == TENANT,
            slots.c.schedule_id == given("schedule_id", Uuid),
            slots.c.starts_at >= given("start", _INSTANT),
            slots.c.starts_at < given("end", _INSTANT),
            *(condition for name, condition in conditions.items() if name in filters),
        )
        .order_by(slots.c.starts_at, slots.c.id)
        .limit(given("limit", Integer))
    )


def _lapsed_seats() -> ColumnElement[int]:
    """Asked only of slots that somebody has booked."""
    slots, claims, none = t.slots, t.claims, literal_column("0", Integer)
    found = (
        select(func.count())
        .where(
            claimed_by(slots.c.practitioner_id, kind(ActorKind.PRACTITIONER)),
            claims.c.starts_at == slots.c.starts_at,
            claims.c.share_id == slots.c.id,
            claims.c.expires_at <= given("now", _INSTANT),
        )
        .scalar_subquery()
    )
    return case((slots.c.booked == none, none), else_=cast(found, Integer))


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


def _named(**values: Any) -> dict[str, Any]:  # noqa: ANN401
    return {name: value for name, value in values.items() if value is not None}

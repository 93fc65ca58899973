"""The staff calendar, as the JSON that goes out.

PostgreSQL writes it: to name and write hundreds of rows here took the API's one thread
ten times as long as passing the text on, and PostgreSQL no less (see docs/decisions).
Rows are written one by one and joined: one array of them, `json_agg`, took a third
longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Select,
    Subquery,
    Table,
    Text,
    and_,
    case,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.selectable import LateralFromClause

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.asked_for import (
    INSTANT,
    clock_of,
    given_of,
    has_not_run_out,
    is_of,
    on_the_wall,
    runs,
)
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.claimed import LONGEST_CLAIM, kind
from scheduling.adapters.postgres.seats import as_shown, is_open
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.appointment_lists import (
    CalendarDay,
    CalendarFilter,
    CalendarReader,
    more_than,
)
from scheduling.domain.claim import ActorKind

_IN_ERROR: ColumnElement[str] = literal_column("'entered-in-error'")
_CANCELLED: ColumnElement[str] = literal_column("'cancelled'")


@dataclass(frozen=True, slots=True)
class PostgresCalendar(CalendarReader):
    transaction: Transaction

    async def read(self, wanted: CalendarFilter) -> Sequence[CalendarDay]:
        values = given_of(wanted.whose)
        dates = wanted.days.dates
        rows = await self.transaction.rows(
            reading_calendar(frozenset(values), cancelled=wanted.include_cancelled),
            **values,
            **clock_of(wanted.days),
            start=wanted.days.period.start,
            end=wanted.days.period.end,
            first=dates[0],
            now=wanted.now,
            most=wanted.at_most + 1,
        )
        for what in ("appointments", "slots"):
            if sum(r["count"] for r in rows if r["what"] == what) > wanted.at_most:
                raise more_than(wanted.at_most)
        told: dict[tuple[str, date], str] = {
            (row["what"], row["day"]): row["told"] for row in rows
        }
        return [
            CalendarDay(
                day,
                f"[{told.get(('appointments', day), '')}]",
                f"[{told.get(('slots', day), '')}]",
            )
            for day in dates
        ]


@cache
def reading_calendar(filters: frozenset[str], *, cancelled: bool) -> Statement:
    return compiled(
        union_all(_appointments(filters, cancelled=cancelled), _slots(filters))
    )


def _appointments(filters: frozenset[str], *, cancelled: bool) -> Select[Any]:
    patients, practitioners = t.patients, t.practitioners
    left_out = [_IN_ERROR, *([] if cancelled else [_CANCELLED])]
    one = _found(
        t.appointments,
        filters,
        t.appointments.c.status.not_in(left_out),
        has_not_run_out(),
    )
    shown = _shown(
        one,
        id=one.c.id,
        patientId=one.c.patient_id,
        patientName=patients.c.name,
        practitionerId=one.c.practitioner_id,
        practitionerName=practitioners.c.name,
        locationId=one.c.location_id,
        slotIds=one.c.slot_ids,
        start=one.c.starts_at,
        end=one.c.ends_at,
        appointmentType=one.c.appointment_type,
        status=one.c.status,
        overbooked=one.c.overbooked,
        holdExpiresAt=one.c.hold_expires_at,
        seriesId=one.c.series_id,
        version=one.c.version,
    )
    return (
        _by_day("appointments", one, shown)
        .join(patients, _has_id(patients, one.c.patient_id))
        .join(practitioners, _has_id(practitioners, one.c.practitioner_id))
        .join(shown, true())
    )


def _slots(filters: frozenset[str]) -> Select[Any]:
    """Seats of holds that have run out are free, though nobody gave them back yet."""
    one = _found(t.slots, filters, t.slots.c.status != _IN_ERROR)
    lapsed = _lapsed_seats()
    booked = one.c.booked - func.coalesce(lapsed.c.seats, 0)
    left = one.c.capacity - booked
    shown = _shown(
        one,
        lapsed,
        id=one.c.id,
        scheduleId=one.c.schedule_id,
        practitionerId=one.c.practitioner_id,
        locationId=one.c.location_id,
        start=one.c.starts_at,
        end=one.c.ends_at,
        status=as_shown(one, left),
        capacity=one.c.capacity,
        booked=booked,
        remaining=case((is_open(one), func.greatest(left, 0)), else_=0),
        serviceTypes=one.c.service_types,
        version=one.c.version,
    )
    return (
        _by_day("slots", one, shown)
        .outerjoin(lapsed, lapsed.c.slot_id == one.c.id)
        .join(shown, true())
    )


def _found(
    table: Table, filters: frozenset[str], *conditions: ColumnElement[bool]
) -> Subquery:
    """What is told, and not more of it than is asked for."""
    return (
        select(table)
        .where(is_of(table, filters), runs(table), *conditions)
        .limit(given("most", Integer))
        .subquery(f"{table.name}_found")
    )


def _lapsed_seats() -> FromClause:
    """How many seats of a slot are still counted for holds that have run out: each has
    its practitioner's claim, which is shared under the slot's id.
    """
    claims = t.claims
    return (
        select(
            claims.c.share_id.label("slot_id"),
            func.count().label("seats"),
        )
        .where(
            claims.c.tenant_id == TENANT,
            claims.c.actor_kind == kind(ActorKind.PRACTITIONER),
            claims.c.expires_at <= given("now", INSTANT),
            claims.c.starts_at > given("start", INSTANT) - LONGEST_CLAIM,
            claims.c.starts_at < given("end", INSTANT),
        )
        .group_by(claims.c.share_id)
        .subquery("lapsed")
    )


def _shown(*of: FromClause, **fields: ColumnElement[Any]) -> LateralFromClause:
    """One row, its fields named as they are called outside: JSON takes the names."""
    columns = [column.label(name) for name, column in fields.items()]
    known = (t.patients, t.practitioners)
    return select(*columns).correlate(*of, *known).lateral("shown")


def _by_day(what: str, one: FromClause, shown: LateralFromClause) -> Select[Any]:
    day = func.greatest(on_the_wall(one.c.starts_at).cast(Date), given("first", Date))
    row = func.row_to_json(shown.table_valued()).cast(Text)
    comma: ColumnElement[str] = literal_column("','")
    told = func.string_agg(row, aggregate_order_by(comma, one.c.starts_at, one.c.id))
    return (
        select(
            literal_column(f"'{what}'").label("what"),
            day.label("day"),
            told.label("told"),
            func.count().label("count"),
        )
        .select_from(one)
        .group_by(literal_column("2"))
    )


def _has_id(table: Any, id: ColumnElement[Any]) -> ColumnElement[bool]:  # noqa: ANN401
    return and_(table.c.tenant_id == TENANT, table.c.id == id)

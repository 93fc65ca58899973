"""Pages of appointments, and counts of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Date,
    Integer,
    Text,
    Uuid,
    any_,
    func,
    select,
    tuple_,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.asked_for import (
    INSTANT,
    Given,
    begins,
    clock_of,
    given_of,
    has_not_run_out,
    is_of,
    on_the_wall,
    runs,
)
from scheduling.adapters.postgres.rows import appointment_from
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.appointment_lists import (
    AppointmentFilter,
    AppointmentLists,
    AppointmentPage,
    Page,
    Summary,
)
from scheduling.domain.local_days import LocalDays
from scheduling.domain.status import Status


@dataclass(frozen=True, slots=True)
class PostgresAppointmentLists(AppointmentLists):
    transaction: Transaction

    async def page(self, wanted: AppointmentFilter, page: Page) -> AppointmentPage:
        filters, values = _asked(wanted)
        if page.after is not None:
            filters |= {"after"}
            values["after_start"], values["after_id"] = page.after
        rows = await self.transaction.rows(
            _reading_page(
                filters, running=wanted.running, newest_first=page.newest_first
            ),
            **values,
            limit=page.limit + 1,
        )
        return AppointmentPage(
            [appointment_from(row) for row in rows[: page.limit]],
            more=len(rows) > page.limit,
        )

    async def summary(self, wanted: AppointmentFilter, days: LocalDays) -> Summary:
        filters, values = _asked(wanted)
        rows = await self.transaction.rows(
            _counting(filters, running=wanted.running), **values, **clock_of(days)
        )
        return Summary(
            by_status={Status(one): n for one, n in _counts(rows, "status")},
            by_day=dict(_counts(rows, "day")),
            by_practitioner=dict(_counts(rows, "practitioner_id")),
        )


def _asked(wanted: AppointmentFilter) -> tuple[frozenset[str], Given]:
    """Return the names of the filters, and the values of all parameters."""
    filters = given_of(wanted.whose)
    if wanted.patient_id is not None:
        filters["patient_id"] = wanted.patient_id
    return frozenset(filters), {
        **filters,
        "start": wanted.period.start,
        "end": wanted.period.end,
        "now": wanted.now,
        "statuses": list(wanted.statuses),
    }


def _is_asked_for(filters: frozenset[str], *, running: bool) -> list[Any]:
    one = t.appointments
    return [
        is_of(one, filters),
        runs(one) if running else begins(one),
        one.c.status == any_(given("statuses", ARRAY(Text))),
        has_not_run_out(),
    ]


@cache
def _reading_page(
    filters: frozenset[str], *, running: bool, newest_first: bool
) -> Statement:
    one = t.appointments
    start, place = one.c.starts_at, tuple_(one.c.starts_at, one.c.id)
    after = tuple_(given("after_start", INSTANT), given("after_id", Uuid))
    behind = place < after if newest_first else place > after
    order = [start.desc(), one.c.id.desc()] if newest_first else [start, one.c.id]
    return compiled(
        select(*(column for column in one.c if column.name != "tenant_id"))
        .where(
            *_is_asked_for(filters, running=running),
            *([behind] if "after" in filters else []),
        )
        .order_by(*order)
        .limit(given("limit", Integer))
    )


@cache
def _counting(filters: frozenset[str], *, running: bool) -> Statement:
    one = t.appointments
    asked = (
        select(
            one.c.status,
            on_the_wall(one.c.starts_at).cast(Date).label("day"),
            one.c.practitioner_id,
        )
        .where(*_is_asked_for(filters, running=running))
        .subquery("asked")
    )
    kinds = (asked.c.status, asked.c.day, asked.c.practitioner_id)
    return compiled(
        select(*kinds, func.count().label("count")).group_by(
            func.grouping_sets(*(tuple_(kind) for kind in kinds))
        )
    )


def _counts(rows: Sequence[Any], kind: str) -> list[tuple[Any, int]]:
    """Return the rows that are grouped by that; no column of theirs is ever null."""
    found = [(row[kind], row["count"]) for row in rows if row[kind] is not None]
    return sorted(found, key=lambda one: str(one[0]))

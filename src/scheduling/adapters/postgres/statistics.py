"""Statistics, counted in one statement: all its figures are of one moment."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Select,
    exists,
    extract,
    func,
    literal_column,
    null,
    select,
    tuple_,
    union_all,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.asked_for import (
    INSTANT,
    begins,
    clock_of,
    given_of,
    is_of,
    on_the_wall,
)
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.appointment_lists import (
    StatisticsFilter,
    StatisticsReader,
)
from scheduling.domain.statistics import Statistics
from scheduling.domain.status import Status


@dataclass(frozen=True, slots=True)
class PostgresStatistics(StatisticsReader):
    transaction: Transaction

    async def count(self, wanted: StatisticsFilter) -> Statistics:
        filters = given_of(wanted.whose)
        rows = await self.transaction.rows(
            _counting(frozenset(filters)),
            **filters,
            **clock_of(wanted.days),
            start=wanted.days.period.start,
            end=wanted.days.period.end,
        )
        counts: dict[str, Any] = {name: {} for name in _KINDS}
        of_practitioners: dict[Any, dict[Status, int]] = {}
        of_days: dict[date, dict[Status, int]] = {d: {} for d in wanted.days.dates}
        new = known = 0
        for row in sorted(rows, key=str):
            if row["patients"] is not None:
                new, known = row["count"], row["patients"] - row["count"]
            elif row["practitioner_id"] is not None:
                of_one = of_practitioners.setdefault(row["practitioner_id"], {})
                of_one[Status(row["status"])] = row["count"]
            elif row["day"] is not None:
                of_days[row["day"]][Status(row["status"])] = row["count"]
            else:
                kind = next(name for name in _KINDS if row[name] is not None)
                counts[kind][row[kind]] = row["count"]
        return Statistics(
            by_status={Status(one): n for one, n in counts["status"].items()},
            by_type=counts["appointment_type"],
            by_day=of_days,
            by_hour=counts["hour"],
            by_practitioner=of_practitioners,
            new_patients=new,
            returning_patients=known,
        )


_KINDS = ("status", "appointment_type", "hour")


@cache
def _counting(filters: frozenset[str]) -> Statement:
    one = t.appointments
    wall = on_the_wall(one.c.starts_at)
    counted = (
        select(
            one.c.patient_id,
            one.c.practitioner_id,
            one.c.status,
            one.c.appointment_type,
            wall.cast(Date).label("day"),
            extract("hour", wall).cast(Integer).label("hour"),
        )
        .where(is_of(one, filters), begins(one), *_is_counted(one))
        .cte("counted")
    )
    figures = select(
        counted.c.practitioner_id,
        counted.c.status,
        counted.c.appointment_type,
        counted.c.day,
        counted.c.hour,
        func.count().label("count"),
        null().cast(BigInteger).label("patients"),
    ).group_by(
        func.grouping_sets(
            *(tuple_(counted.c[name]) for name in _KINDS),
            tuple_(counted.c.day, counted.c.status),
            tuple_(counted.c.practitioner_id, counted.c.status),
        )
    )
    return compiled(union_all(figures, _patients(counted)))


def _patients(counted: CTE) -> Select[Any]:
    """How many patients there were, and how many of them for the first time."""
    earlier, theirs = t.appointments.alias("earlier"), counted.c.patient_id
    came_before = (
        exists()
        .where(
            earlier.c.tenant_id == TENANT,
            earlier.c.patient_id == theirs,
            earlier.c.starts_at < given("start", INSTANT),
            *_is_counted(earlier),
        )
        .correlate(counted)
    )
    each = (
        select(came_before.label("known"))
        .select_from(counted)
        .group_by(theirs)
        .subquery("each_patient")
    )
    nothing = [null().cast(column.type) for column in counted.c if column is not theirs]
    return select(
        *nothing,
        func.count().filter(each.c.known.is_(False)),
        func.count(),
    ).select_from(each)


def _is_counted(one: FromClause) -> tuple[ColumnElement[bool], ...]:
    """Every appointment but those that never were, and holds: seats kept, run out or
    not.
    """
    return (
        one.c.status != literal_column("'entered-in-error'"),
        one.c.hold_expires_at.is_(None),
    )

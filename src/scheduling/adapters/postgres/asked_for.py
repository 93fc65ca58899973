"""What questions over many appointments and slots have in common, as SQL.

There is one statement for each set of filters: `$1 IS NULL OR …` would keep PostgreSQL
from its indexes. One id is compared and several are looked up in an array: only the
first is read from an index in the order of time, so that a page ends where it is full.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Interval,
    Table,
    Uuid,
    and_,
    any_,
    func,
    literal_column,
    or_,
)
from sqlalchemy.sql.elements import Grouping

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.claimed import LONGEST_CLAIM
from scheduling.adapters.postgres.statements import given
from scheduling.application.ports.appointment_lists import Whose
from scheduling.domain.local_days import LocalDays

LOOKING_BACK = timedelta(hours=28)
"""As LONGEST_CLAIM, for those who count on our side."""

INSTANT = DateTime(timezone=True)
Given = dict[str, Any]


def given_of(whose: Whose) -> Given:
    """Return the filters that are asked for, by the names that `is_of` knows."""
    values: Given = {}
    for name, ids in (
        ("location_id", whose.location_ids),
        ("practitioner_id", whose.practitioner_ids),
    ):
        if len(ids) == 1:
            values[name] = ids[0]
        elif ids:
            values[f"{name}s"] = list(ids)
    return values


def is_of(table: Table, filters: frozenset[str]) -> ColumnElement[bool]:
    """Rows of the tenant, and of those whose filters are given."""
    conditions: list[ColumnElement[bool]] = [table.c.tenant_id == TENANT]
    for name in ("location_id", "practitioner_id", "patient_id"):
        if name in filters:
            conditions.append(table.c[name] == given(name, Uuid))
        if f"{name}s" in filters:
            conditions.append(table.c[name] == any_(given(f"{name}s", ARRAY(Uuid))))
    return and_(*conditions)


def begins(table: Table) -> ColumnElement[bool]:
    """Rows that begin in the period from `start` to `end`."""
    return and_(
        table.c.starts_at >= given("start", INSTANT),
        table.c.starts_at < given("end", INSTANT),
    )


def runs(table: Table) -> ColumnElement[bool]:
    """Rows that meet the period: also those that began before it. None is longer than
    a claim may be.
    """
    return and_(
        table.c.starts_at > given("start", INSTANT) - LONGEST_CLAIM,
        table.c.starts_at < given("end", INSTANT),
        table.c.ends_at > given("start", INSTANT),
    )


def has_not_run_out() -> ColumnElement[bool]:
    """Whether an appointment is more than a hold that nobody used in time. One that was
    swept is cancelled, and still has its expiry.
    """
    expires_at = t.appointments.c.hold_expires_at
    return or_(expires_at.is_(None), expires_at > given("now", INSTANT))


def on_the_wall(instant: ColumnElement[Any]) -> ColumnElement[Any]:
    """The local time of an instant, by the offsets of `clock_of`."""
    ahead = Grouping(given("ahead", ARRAY(Interval)))
    index = func.width_bucket(instant, given("since", ARRAY(INSTANT)))
    return func.timezone(literal_column("'UTC'"), instant) + ahead[index]


def clock_of(days: LocalDays) -> Given:
    """Return the parameters of `on_the_wall` for all that `runs` finds."""
    offsets = days.offsets(before=LOOKING_BACK)
    return {
        "since": [one.since for one in offsets],
        "ahead": [one.ahead for one in offsets],
    }

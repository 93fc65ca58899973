"""Removing what is old, a few thousand rows a statement.

Ids of the outbox and of the audit rise with time: the oldest are those with the lowest,
and a statement looks at no more of them than it may remove. So it costs the same
whether there is much to remove, or nothing among a hundred million rows. What has to
stay at the low end (a blocked event) is looked at in vain, and is never much.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import asyncpg
from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Table,
    delete,
    exists,
    func,
    literal_column,
    select,
    tuple_,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.sessions import PooledSessions
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.violations import in_our_words
from scheduling.application.ports.archive import Archive, Kept
from scheduling.application.ports.dead_letters import NO_TENANT
from scheduling.domain.identifiers import TenantId

_BEFORE = given("before", DateTime(timezone=True))


def _oldest(table: Table, *, of_tenant: bool, by: Column[Any]) -> Select[Any]:
    """The rows to look at, as the index gives them; all of their columns."""
    looked_at = select(table).order_by(by).limit(given("limit", Integer))
    return looked_at.where(table.c.tenant_id == TENANT) if of_tenant else looked_at


def _outbox() -> Select[Any]:
    seen = _oldest(t.outbox, of_tenant=True, by=t.outbox.c.id).subquery("seen")
    return select(seen.c.tenant_id, seen.c.id).where(seen.c.published_at < _BEFORE)


def _audit() -> Select[Any]:
    seen = _oldest(t.audit, of_tenant=True, by=t.audit.c.id).subquery("seen")
    return select(seen.c.tenant_id, seen.c.id).where(seen.c.at < _BEFORE)


def _by_age(
    table: Table, age: Column[Any], *also: ColumnElement[bool], of_tenant: bool
) -> Select[Any]:
    rows = _oldest(table, of_tenant=of_tenant, by=age).where(age < _BEFORE, *also)
    return rows.with_only_columns(*table.primary_key)


def _generation_runs() -> Select[Any]:
    runs, later = t.generation_runs, t.generation_runs.alias("later")
    none: ColumnElement[int] = literal_column("0")
    is_followed = exists(
        select(later.c.id).where(
            later.c.tenant_id == runs.c.tenant_id,
            later.c.schedule_id == runs.c.schedule_id,
            later.c.started_at > runs.c.started_at,
            func.coalesce(later.c.role_version, none)
            >= func.coalesce(runs.c.role_version, none),
        )
    )
    return _by_age(runs, runs.c.started_at, is_followed, of_tenant=True)


_LOOKED_AT: Mapping[Kept, tuple[Table, Callable[[], Select[Any]]]] = {
    Kept.OUTBOX: (t.outbox, _outbox),
    Kept.INBOX: (
        t.inbox,
        lambda: _by_age(t.inbox, t.inbox.c.received_at, of_tenant=False),
    ),
    Kept.IDEMPOTENCY_KEYS: (
        t.idempotency_keys,
        lambda: _by_age(
            t.idempotency_keys, t.idempotency_keys.c.created_at, of_tenant=False
        ),
    ),
    Kept.AUDIT: (t.audit, _audit),
    Kept.DEAD_LETTERS: (
        t.dead_letters,
        lambda: _by_age(t.dead_letters, t.dead_letters.c.replayed_at, of_tenant=False),
    ),
    Kept.GENERATION_RUNS: (t.generation_runs, _generation_runs),
    Kept.NOTIFICATIONS: (
        t.notifications,
        lambda: _by_age(t.notifications, t.notifications.c.created_at, of_tenant=True),
    ),
}

_CAN_BE_PUT_BACK: Mapping[Kept, Column[Any]] = {
    Kept.OUTBOX: t.outbox.c.published_at,
    Kept.DEAD_LETTERS: t.dead_letters.c.replayed_at,
}
"""Whose age somebody may take from them: they wait to be sent again."""


@cache
def _removing(what: Kept) -> Statement:
    table, old = _LOOKED_AT[what]
    found = old().subquery("old")
    key = tuple_(*table.primary_key)
    # Asked of the row itself once more: what was found is not looked for anew where we
    # had to wait for whoever put it back.
    still = [_CAN_BE_PUT_BACK[what] < _BEFORE] if what in _CAN_BE_PUT_BACK else []
    gone = (
        delete(table)
        .where(key.in_(select(*(found.c[c.name] for c in table.primary_key))), *still)
        .returning(literal_column("1").label("one"))
        .cte("gone")
    )
    return compiled(select(func.count().label("removed")).select_from(gone))


@dataclass(frozen=True, slots=True)
class PostgresArchive(Archive):
    """For the role that may remove; it works for one tenant, or sweeps all."""

    pool: asyncpg.Pool

    async def remove(
        self, what: Kept, before: datetime, *, of: TenantId | None, limit: int
    ) -> int:
        statement = _removing(what)
        tenant = of or NO_TENANT
        sessions = PooledSessions(self.pool)
        values = {"tenant_id": tenant, "before": before, "limit": limit}
        with in_our_words():
            connection = await sessions.take(tenant)
            try:
                removed: int = await connection.fetchval(
                    statement.sql, *statement.arguments(**values)
                )
            finally:
                await sessions.give_back(connection)
        return removed

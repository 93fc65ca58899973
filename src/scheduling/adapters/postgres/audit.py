"""The audit of what has no transaction of its own, many records to a statement.

Group commit: whoever comes while a statement is under way waits for the next one, and
all who wait then go out together, in one INSERT for each tenant (row level security is
the session's). A process under load so writes a few hundred statements a second however
many it is asked for, and one that is idle writes each record at once.

The statement commits without waiting for the disk (`synchronous_commit = off`). What
was answered is in PostgreSQL: the death of this process loses none of it. A power cut
may lose the last fraction of a second (three times `wal_writer_delay`, 0.6 s) of reads
and refusals; never of commands, whose records are in their own transactions.
"""

import asyncio
from collections.abc import Sequence
from functools import cache
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import bindparam, column, func, insert, literal_column, select

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import AUDIT, JSON_TEXT, TENANT, Row
from scheduling.adapters.postgres.sessions import PooledSessions
from scheduling.adapters.postgres.statements import Statement, compiled
from scheduling.adapters.postgres.violations import in_our_words
from scheduling.application.ports.audit import AuditClient, Entity, Outcome
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.application.ports.unit_of_work import TransactionAborted
from scheduling.domain.changes import NO_CHANGES, Changes
from scheduling.domain.identifiers import new_id

MOST_WAITING = 4096
"""Records; who comes on top of them is told that the database is away."""

LANES = 2
"""Tenants written at a time, each on a connection of the pool that commands use."""


class _Waiting(NamedTuple):
    row: Row
    kept: "asyncio.Future[None]"


class GroupCommittedAudit(AuditClient):
    """`async with` ends when all that was given is written, or has failed."""

    def __init__(
        self, pool: asyncpg.Pool, now: Clock, *, most_waiting: int = MOST_WAITING
    ) -> None:
        self._sessions = PooledSessions(pool)
        self._now = now
        self._most_waiting = most_waiting
        self._count = 0
        self._waiting: dict[UUID, list[_Waiting]] = {}
        self._writers: dict[UUID, asyncio.Task[None]] = {}
        self._lanes = asyncio.Semaphore(LANES)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.gather(*self._writers.values())

    async def record(
        self,
        caller: Caller,
        action: str,
        entity: Entity,
        *,
        outcome: Outcome = Outcome.DONE,
        changes: Changes = NO_CHANGES,
    ) -> None:
        if self._count >= self._most_waiting:
            raise DatabaseUnavailable
        now = self._now()
        row = {
            "id": new_id(now),
            "at": now,
            "actor": caller.subject,
            "action": action,
            "outcome": outcome,
            "entity_type": entity.type,
            "entity_id": entity.id,
            "entity_version": None,
            "changes": dict(changes),
            "request_id": caller.request_id,
        }
        kept = asyncio.get_running_loop().create_future()
        self._count += 1
        self._waiting.setdefault(caller.tenant_id, []).append(_Waiting(row, kept))
        self._see_to(caller.tenant_id)
        # Who gives up waiting does not take the record back.
        await kept

    def _see_to(self, tenant_id: UUID) -> None:
        if tenant_id not in self._writers:
            self._writers[tenant_id] = asyncio.create_task(
                self._write_while_some_wait(tenant_id), name="audit"
            )

    async def _write_while_some_wait(self, tenant_id: UUID) -> None:
        while tenant_id in self._waiting:
            async with self._lanes:
                # Taken with the lane in hand: who came meanwhile goes along.
                together = self._waiting.pop(tenant_id)
                self._count -= len(together)
                await self._write(tenant_id, together)
        del self._writers[tenant_id]

    async def _write(self, tenant_id: UUID, together: Sequence[_Waiting]) -> None:
        try:
            await self._send(tenant_id, [waiting.row for waiting in together])
        except Exception as error:  # noqa: BLE001  # each that waits is told
            for waiting in together:
                if not waiting.kept.done():
                    waiting.kept.set_exception(error)
        else:
            for waiting in together:
                if not waiting.kept.done():
                    waiting.kept.set_result(None)

    async def _send(self, tenant_id: UUID, rows: Sequence[Row]) -> None:
        statement = recording()
        records = orjson.dumps(rows, default=str).decode()
        try:
            with in_our_words():
                connection = await self._sessions.take(tenant_id)
                try:
                    await connection.fetch(
                        statement.sql,
                        *statement.arguments(tenant_id=tenant_id, records=records),
                    )
                finally:
                    await self._sessions.give_back(connection)
        except TransactionAborted as aborted:
            raise DatabaseUnavailable from aborted


@cache
def recording() -> Statement:
    """Insert audit rows; the setting is the statement's own transaction's."""
    unhurried: Any = select(
        func.set_config("synchronous_commit", "off", literal_column("true")).label("is")
    ).cte("unhurried")
    rows: Any = (
        func.json_to_recordset(bindparam("records", type_=JSON_TEXT))
        .table_valued(*(column(c.name, c.type) for c in AUDIT.columns))
        .render_derived(name="rows", with_types=True)
    )
    names = [c.name for c in AUDIT.columns]
    return compiled(
        insert(t.audit).from_select(
            ["tenant_id", *names],
            select(TENANT, *(rows.c[name] for name in names)).where(
                unhurried.c["is"] == literal_column("'off'")
            ),
        )
    )

"""Turns at jobs: a session advisory lock for each, all on one session.

When the session ends, PostgreSQL frees its locks, however the process died. One that is
stopped and not dead is told apart by its silence: the session is used every few seconds
(`beat`), and the server ends one that was idle for longer. Which is no more than a
courtesy to who waits: jobs are safe where two processes are at one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID
from zlib import crc32

import asyncpg
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Text,
    case,
    cast,
    column,
    extract,
    func,
    literal_column,
    select,
    table,
    update,
)
from sqlalchemy.dialects import postgresql

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.bell import LOST
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.application.ports.leadership import (
    JobRun,
    Leadership,
    LeadershipLost,
    NotNow,
    RunOutcome,
    Taken,
)

JOB_LOCKS = 512_877_003
"""The first key of the advisory lock of a job; the second is made of its name."""

BEAT = 5.0
SILENT_AT_MOST = 30
"""Seconds between two signs of life, and without one until others take over."""

SESSION = {
    "application_name": "scheduling cron",
    "jit": "off",
    "statement_timeout": "10s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
COMMAND_TIMEOUT = 10.0

_NOBODYS: ColumnElement[Any] = literal_column(f"'{UUID(int=0)}'::uuid")
_NOW = func.clock_timestamp()
_LOCK: ColumnElement[int] = literal_column(str(JOB_LOCKS))


def lock_of(job: str) -> int:
    return crc32(job.encode()) & 0x7FFF_FFFF


@cache
def _locking() -> Statement:
    return compiled(select(func.pg_try_advisory_lock(_LOCK, given("lock", Integer))))


@cache
def _unlocking() -> Statement:
    return compiled(select(func.pg_advisory_unlock(_LOCK, given("lock", Integer))))


@cache
def _reading() -> Statement:
    locks = table(
        "pg_locks",
        *map(column, ("locktype", "database", "classid", "objid", "objsubid")),
    )
    databases = table("pg_database", column("oid"), column("datname"))
    runs = t.cron_runs
    wanted = given("job", Text)
    here = (
        select(databases.c.oid)
        .where(databases.c.datname == func.current_database())
        .scalar_subquery()
    )
    held = (
        select(cast(locks.c.objid, BigInteger))
        .where(
            locks.c.locktype == literal_column("'advisory'"),
            locks.c.database == here,
            cast(locks.c.classid, BigInteger) == _LOCK,
            locks.c.objsubid == literal_column("2"),
        )
        .scalar_subquery()
    )
    return compiled(
        select(
            runs.c.job,
            runs.c.started_at,
            runs.c.duration_ms,
            runs.c.outcome,
            runs.c.done,
            runs.c.failure,
            runs.c.succeeded_at,
            func.array(held).label("held"),
            _NOW.label("now"),
        )
        .where(runs.c.tenant_id == _NOBODYS, wanted.is_(None) | (runs.c.job == wanted))
        .order_by(runs.c.job)
    )


@cache
def _beginning() -> Statement:
    runs = t.cron_runs
    new = postgresql.insert(runs).values(
        tenant_id=_NOBODYS,
        job=given("job", Text),
        started_at=_NOW,
        outcome=literal_column("'running'"),
        done=literal_column("0"),
    )
    return compiled(
        new.on_conflict_do_update(
            index_elements=list(runs.primary_key),
            set_={
                "started_at": _NOW,
                "outcome": literal_column("'running'"),
                "done": literal_column("0"),
                "duration_ms": literal_column("NULL"),
                "failure": literal_column("NULL"),
            },
        )
    )


@cache
def _ending() -> Statement:
    runs = t.cron_runs
    failure = given("failure", Text)
    went_well = failure.is_(None)
    elapsed = extract("epoch", _NOW - runs.c.started_at) * literal_column("1000")
    return compiled(
        update(runs)
        .where(runs.c.tenant_id == _NOBODYS, runs.c.job == given("job", Text))
        .values(
            outcome=case(
                (went_well, literal_column("'done'")),
                else_=literal_column("'failed'"),
            ),
            done=given("done", Integer),
            failure=failure,
            duration_ms=cast(elapsed, Integer),
            succeeded_at=case((went_well, _NOW), else_=runs.c.succeeded_at),
        )
    )


class PostgresLeadership(Leadership):
    """Made by `open_leadership`."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection
        self._one_at_a_time = asyncio.Lock()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done as soon as the session has ended."""
        connection.add_termination_listener(self._on_end)

    @asynccontextmanager
    async def turn(
        self, job: str, every: timedelta | None
    ) -> AsyncIterator[Taken | NotNow]:
        # Most look only: who comes too soon takes no lock.
        early = await self._too_early(job, every)
        if early is not None:
            yield early
            return
        (mine,) = await self._fetch(_locking(), lock=lock_of(job))
        if not mine[0]:
            yield NotNow(None)
            return
        try:
            # Somebody else may have been at it between our look and our lock.
            early = await self._too_early(job, every)
            if early is not None:
                yield early
                return
            await self._fetch(_beginning(), job=job)
            yield Taken()
        finally:
            with suppress(LeadershipLost):
                await self._fetch(_unlocking(), lock=lock_of(job))

    async def ended(self, job: str, *, done: int, failure: str | None = None) -> None:
        await self._fetch(_ending(), job=job, done=done, failure=failure)

    async def runs(self) -> list[JobRun]:
        return [run for run, _ in await self._runs(None)]

    async def beat(self) -> None:
        """Show that we live. To be called every BEAT seconds."""
        async with self._telling_loss():
            await self._connection.execute("SELECT")

    async def _too_early(self, job: str, every: timedelta | None) -> NotNow | None:
        if every is None:
            return None
        for run, now in await self._runs(job):
            due_in = run.due_at(every) - now
            if due_in > timedelta():
                return NotNow(due_in)
        return None

    async def _runs(self, job: str | None) -> list[tuple[JobRun, datetime]]:
        return [
            (_run_from(row), row["now"])
            for row in await self._fetch(_reading(), job=job)
        ]

    async def _fetch(
        self, statement: Statement, **values: object
    ) -> list[asyncpg.Record]:
        async with self._telling_loss():
            return await self._connection.fetch(
                statement.sql, *statement.arguments(**values)
            )

    @asynccontextmanager
    async def _telling_loss(self) -> AsyncIterator[None]:
        try:
            async with self._one_at_a_time:
                yield
        except LOST as error:
            # Nothing is known of the session now; without it others may take over.
            self._connection.terminate()
            raise LeadershipLost(type(error).__name__) from error

    def _on_end(self, _connection: object) -> None:
        if not self.lost.done():
            self.lost.set_result(None)


@asynccontextmanager
async def open_leadership(
    database_url: str,
    *,
    role: str = "scheduling_cron",
    silent_at_most: int = SILENT_AT_MOST,
) -> AsyncIterator[PostgresLeadership]:
    """Open a session for turns; leaving gives those that are held to others, and so
    does a silence of that many seconds.

    Raise LeadershipLost where no session is to be had.
    """
    try:
        connection = await asyncpg.connect(
            database_url,
            server_settings={
                **SESSION,
                "role": role,
                "idle_session_timeout": f"{silent_at_most}s",
            },
            timeout=10,
            command_timeout=COMMAND_TIMEOUT,
        )
    except LOST as error:
        raise LeadershipLost(type(error).__name__) from error
    try:
        yield PostgresLeadership(connection)
    finally:
        with suppress(*LOST):
            await connection.close(timeout=2)


def _run_from(row: asyncpg.Record) -> JobRun:
    took = row["duration_ms"]
    return JobRun(
        job=row["job"],
        started_at=row["started_at"],
        outcome=RunOutcome(row["outcome"]),
        done=row["done"],
        duration=None if took is None else timedelta(milliseconds=took),
        failure=row["failure"],
        succeeded_at=row["succeeded_at"],
        held=lock_of(row["job"]) in row["held"],
    )

"""Cron processes to run against a real database, and work for them."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from scheduling.adapters.embedded.program import Program, Running, start
from scheduling.adapters.postgres.leadership import lock_of, open_leadership
from scheduling.application.ports.leadership import JobRun
from scheduling.entrypoints.cron.figures import CronFigures
from scheduling.entrypoints.cron.jobs import Job, Work
from scheduling.entrypoints.cron.process import Cron, work_until
from scheduling.entrypoints.settings import Settings

PATIENCE = 30.0


@dataclass
class Errand:
    """What a job does in a test: waits until it is let go, then is done or fails."""

    fails: bool = False
    done: int = 3
    begun: int = 0
    ended: int = 0
    at_once: int = 0
    most_at_once: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    @classmethod
    def at_once_done(cls, *, fails: bool = False) -> "Errand":
        errand = cls(fails=fails)
        errand.gate.set()
        return errand

    async def __call__(self) -> AsyncGenerator[int, None]:
        self.begun += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self._tell()
        try:
            await self.gate.wait()
            if self.fails:
                raise KeyError("Marker Patient")
            yield self.done
        finally:
            self.at_once -= 1
            self.ended += 1
            await self._tell()

    async def until(self, *, begun: int = 0, ended: int = 0) -> None:
        async with asyncio.timeout(PATIENCE), self.moved:
            await self.moved.wait_for(
                lambda: self.begun >= begun and self.ended >= ended
            )

    async def _tell(self) -> None:
        async with self.moved:
            self.moved.notify_all()


def settings_of(url: str) -> Settings:
    return Settings(database_url=SecretStr(url), database_pool_size=2)


@asynccontextmanager
async def cron(url: str, errands: Mapping[Job, Work]) -> AsyncIterator[CronFigures]:
    """A cron with these jobs in this process, stopped gracefully at the end."""
    stop = asyncio.Event()
    figures = CronFigures(CollectorRegistry())
    works = {job.name: work for job, work in errands.items()}
    told = Cron(
        settings_of(url),
        tuple(errands),
        lambda _storage, _settings: works,
        first_within=timedelta(milliseconds=50),
    )
    task = asyncio.create_task(work_until(stop, told, figures))
    try:
        yield figures
    finally:
        stop.set()
        await asyncio.wait_for(task, PATIENCE)


async def cron_process(url: str, log: Path, *words: str, **environment: str) -> Running:
    return await start(
        Program(
            name="cron",
            command=(sys.executable, "-m", "scheduling", "cron", *words),
            environment={
                **os.environ,
                "SCHEDULING_DATABASE_URL": url,
                **environment,
            },
            log=log,
        )
    )


async def known_runs(url: str) -> dict[str, JobRun]:
    async with open_leadership(url) as leadership:
        return {run.job: run for run in await leadership.runs()}


async def until_run(url: str, job: str, outcome: str) -> JobRun:
    """Return how the job last went, as soon as it went so."""
    async with asyncio.timeout(PATIENCE), open_leadership(url) as leadership:
        while True:
            for run in await leadership.runs():
                if (run.job, run.outcome) == (job, outcome):
                    return run
            await asyncio.sleep(0.02)  # a row of another process cannot be awaited


async def end_session_of(url: str, job: str) -> None:
    """Cut off whoever is at the job, as a server does that is restarted."""
    connection = await asyncpg.connect(url)
    try:
        ended = await connection.fetch(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE granted "
            "AND locktype = 'advisory' AND objid::bigint = $1 AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())",
            lock_of(job),
        )
    finally:
        await connection.close()
    assert len(ended) == 1


async def until_told(url: str, type: str, count: int) -> Counter[UUID]:
    """Return how often it was told of each thing, once that many were told of."""
    connection = await asyncpg.connect(
        url, server_settings={"role": "scheduling_relay"}
    )
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                rows = await connection.fetch(
                    "SELECT aggregate_id FROM outbox WHERE subject LIKE $1",
                    f"%.{type}",
                )
                told = Counter(row["aggregate_id"] for row in rows)
                if len(told) >= count:
                    return told
                await asyncio.sleep(0.01)  # rows of another process
    finally:
        await connection.close()

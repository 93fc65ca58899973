"""Faults, drawn from a seed, each written down with its time before it happens."""

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg


class FaultLog:
    """`faults.jsonl` of a stage: seconds since its beginning, kind, what it hit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        self._began = time.monotonic()

    def note(self, kind: str, of: str = "") -> None:
        self.counts[kind] += 1
        told = {"at": round(time.monotonic() - self._began, 3), "kind": kind, "of": of}
        with self.path.open("a") as file:
            file.write(json.dumps(told) + "\n")


def family_of(pid: int) -> list[int]:
    """Return a process and all that descend from it: PostgreSQL's are in sessions of
    their own, so no group holds them.
    """
    parents: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name may hold blanks and brackets; what follows it does not.
            words = status.read_text().rpartition(")")[2].split()
            parents.setdefault(int(words[1]), []).append(int(status.parent.name))
    family = [pid]
    for one in family:
        family += parents.get(one, [])
    return family


def signal_family(pid: int, request: signal.Signals) -> None:
    """Send it to a process and its descendants, the eldest first."""
    for one in family_of(pid):
        with suppress(ProcessLookupError):
            os.kill(one, request)


async def terminate_sessions(superuser_url: str, like: str, log: FaultLog) -> int:
    """End the database sessions whose application_name is LIKE that; return how many
    there were.
    """
    connection = await asyncpg.connect(superuser_url)
    try:
        ended = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE $1 AND datname = current_database()"
            " AND pid <> pg_backend_pid()",
            like,
        )
    finally:
        await connection.close()
    log.note("session ended", f"{len(ended)} of {like}")
    return len(ended)


@asynccontextmanager
async def every(
    seconds: float, do: Callable[[random.Random], Awaitable[None]], seed: int
) -> AsyncIterator[None]:
    """Do it again and again while the block runs, about that many seconds apart; the
    last one is finished. What it raises ends the block.
    """
    chance = random.Random(seed)  # noqa: S311  # told, so that it can be had again
    stop = asyncio.Event()

    async def work() -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                pause = seconds * chance.uniform(0.7, 1.3)
                await asyncio.wait_for(stop.wait(), pause)
                return
            await do(chance)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work())
        try:
            yield
        finally:
            stop.set()

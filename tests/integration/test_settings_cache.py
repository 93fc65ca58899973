"""Settings are kept in each process, and never outlive a change that it could hear."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import asyncpg
import pytest

from scheduling.adapters.postgres.sessions import open_pool
from scheduling.adapters.postgres.settings_cache import KEPT, SettingsCache
from scheduling.adapters.postgres.unit_of_work import begin_work
from scheduling.application.commands.put_settings import PutSettings
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.queries.get_settings import GetSettings
from scheduling.domain.settings import Settings
from tests.builders import EIGHT, a_caller

PATIENCE = 30.0


@dataclass
class Process:
    """What one API process has: a pool, and settings in memory."""

    begin: BeginWork
    cache: SettingsCache
    reads: list[UUID] = field(default_factory=list)
    clock: float = 0.0

    async def buffer(self, caller: Caller) -> int:
        return (await self.cache(caller)).buffer_minutes

    async def put_buffer(self, caller: Caller, minutes: int) -> None:
        put = PutSettings(self.begin, lambda: EIGHT)
        await put(caller, Settings(buffer_minutes=minutes))

    async def hears(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.cache.listening.wait()


@asynccontextmanager
async def a_process(url: str) -> AsyncIterator[Process]:
    pool = await open_pool(url, role="scheduling_api", size=2)
    plain: BeginWork = partial(begin_work, pool, lambda: None, lambda: EIGHT)
    reads: list[UUID] = []

    async def read(caller: Caller, /) -> Settings:
        reads.append(caller.tenant_id)
        return await GetSettings(plain)(caller)

    def clock() -> float:
        return process.clock

    cache = SettingsCache(read, url, role="scheduling_api", clock=clock)
    begin: BeginWork = partial(
        begin_work, pool, lambda: None, lambda: EIGHT, forget=cache.forget
    )
    process = Process(begin, cache, reads)
    try:
        async with cache:
            await process.hears()
            yield process
    finally:
        await pool.close()


@pytest.fixture
async def processes(database_url: str) -> AsyncIterator[tuple[Process, Process]]:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(a_process(database_url))
        other = await stack.enter_async_context(a_process(database_url))
        yield one, other


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask until it holds: that word of it has come to another session is nowhere to be
    awaited.
    """
    async with asyncio.timeout(PATIENCE):
        while not await holds():  # noqa: ASYNC110  # another session
            await asyncio.sleep(0.005)


async def cut(url: str) -> int:
    """End all sessions that listen for settings, as a restart of the server does."""
    connection = await asyncpg.connect(url)
    try:
        ended: int = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
            "application_name = 'scheduling settings' AND datname = current_database()"
        )
        return ended
    finally:
        await connection.close()


async def test_what_is_kept_is_not_read_again(
    processes: tuple[Process, Process],
) -> None:
    process, _ = processes
    caller, somebody_else = a_caller(), a_caller()
    for _ in range(3):
        assert await process.buffer(caller) == 0
        assert await process.buffer(somebody_else) == 0
    assert process.reads == [caller.tenant_id, somebody_else.tenant_id]


async def test_who_changes_settings_sees_them_changed_at_once(
    processes: tuple[Process, Process],
) -> None:
    process, _ = processes
    caller = a_caller()
    for minutes in (5, 10, 15):
        await process.put_buffer(caller, minutes)
        assert await process.buffer(caller) == minutes


async def test_a_change_in_one_process_is_heard_in_the_other(
    processes: tuple[Process, Process],
) -> None:
    one, other = processes
    caller = a_caller()
    for minutes in (5, 10, 15):
        await other.buffer(caller)
        await one.put_buffer(caller, minutes)

        async def is_told(minutes: int = minutes) -> bool:
            return await other.buffer(caller) == minutes

        await until(is_told)


async def test_what_one_changes_drops_no_others_settings(
    processes: tuple[Process, Process],
) -> None:
    one, other = processes
    caller, somebody_else = a_caller(), a_caller()
    await other.buffer(somebody_else)
    await one.put_buffer(caller, 5)

    async def is_told() -> bool:
        return await other.buffer(caller) == 5

    await until(is_told)
    await other.buffer(somebody_else)
    assert other.reads.count(somebody_else.tenant_id) == 1


async def test_who_cannot_listen_keeps_nothing_until_it_listens_again(
    processes: tuple[Process, Process], database_url: str
) -> None:
    one, other = processes
    caller = a_caller()
    await one.put_buffer(caller, 5)
    assert await other.buffer(caller) == 5
    assert await cut(database_url) == 2

    async def is_deaf_or_has_been() -> bool:
        # The session's end has been seen when what was kept is gone.
        await other.buffer(caller)
        return other.reads.count(caller.tenant_id) > 1

    await until(is_deaf_or_has_been)
    for minutes in (10, 15):
        await one.put_buffer(caller, minutes)

        async def is_told(minutes: int = minutes) -> bool:
            return await other.buffer(caller) == minutes

        await until(is_told)
    await other.hears()


async def test_deaf_from_the_beginning_all_is_read(database_url: str) -> None:
    pool = await open_pool(database_url, role="scheduling_api", size=1)
    begin: BeginWork = partial(begin_work, pool, lambda: None, lambda: EIGHT)
    # It is never entered, so it never listens.
    cache = SettingsCache(GetSettings(begin), database_url, role="scheduling_api")
    caller = a_caller()
    try:
        for minutes in (5, 10):
            put = PutSettings(begin, lambda: EIGHT)
            await put(caller, Settings(buffer_minutes=minutes))
            assert (await cache(caller)).buffer_minutes == minutes
    finally:
        await pool.close()


async def test_what_was_read_before_a_change_is_not_kept_after_it(
    processes: tuple[Process, Process],
) -> None:
    """Reading began, the change was heard, and only then what was read arrives."""
    process, _ = processes
    caller = a_caller()
    held, goes_on = asyncio.Event(), asyncio.Event()

    async def slowly(caller: Caller, /) -> Settings:
        settings = await GetSettings(process.begin)(caller)
        held.set()
        await goes_on.wait()
        return settings

    process.cache._read = slowly  # noqa: SLF001  # as slow as a database may be
    reading = asyncio.create_task(process.buffer(caller))
    await held.wait()
    await process.put_buffer(caller, 5)
    goes_on.set()
    assert await reading == 0
    assert await process.buffer(caller) == 5


async def test_nothing_is_kept_for_long(processes: tuple[Process, Process]) -> None:
    process, _ = processes
    caller = a_caller()
    for elapsed in (0.0, KEPT / 2, KEPT, KEPT * 1.5, KEPT * 2):
        process.clock = elapsed
        await process.buffer(caller)
    assert len(process.reads) == 3

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from scheduling.adapters.embedded.folders import free_port
from scheduling.adapters.postgres.bell import OUTBOX_CHANNEL, OutboxBell
from scheduling.adapters.postgres.outbox import open_outbox


class Ear:
    """Counts the rings that a relay hears."""

    def __init__(self) -> None:
        self.rings = 0
        self._heard = asyncio.Event()

    def hear(self) -> None:
        self.rings += 1
        self._heard.set()

    async def ring_number(self, number: int) -> None:
        async with asyncio.timeout(20):
            while self.rings < number:
                self._heard.clear()
                await self._heard.wait()


@pytest.fixture
async def ear(database_url: str) -> AsyncIterator[Ear]:
    ear = Ear()
    async with open_outbox(database_url) as outbox:
        await outbox.listen(ear.hear)
        yield ear


async def test_a_ring_is_heard(database_url: str, ear: Ear) -> None:
    async with OutboxBell(database_url, role="scheduling_api") as bell:
        bell.ring()
        await ear.ring_number(1)


async def test_many_rings_at_once_become_one_and_the_last_is_not_lost(
    database_url: str, ear: Ear
) -> None:
    async with OutboxBell(database_url) as bell:
        bell.ring()
        await ear.ring_number(1)
        for _ in range(1000):
            bell.ring()
        await ear.ring_number(2)
    other = await asyncpg.connect(database_url)
    await other.execute(f"NOTIFY {OUTBOX_CHANNEL}")
    await other.close()
    await ear.ring_number(3)
    assert ear.rings == 3


async def test_a_bell_whose_connection_was_cut_rings_on(
    database_url: str, ear: Ear
) -> None:
    async with OutboxBell(database_url) as bell:
        bell.ring()
        await ear.ring_number(1)
        other = await asyncpg.connect(database_url)
        assert await other.fetchval(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'scheduling outbox bell' "
            "AND datname = current_database()"
        )
        await other.close()
        bell.ring()
        await ear.ring_number(2)


async def test_a_bell_without_a_database_is_silent_and_stops_when_asked() -> None:
    url = f"postgresql://scheduling@127.0.0.1:{free_port()}/nowhere"
    async with OutboxBell(url) as bell:
        bell.ring()
        await asyncio.sleep(0)
        bell.ring()

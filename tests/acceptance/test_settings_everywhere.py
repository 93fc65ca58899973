"""What one process changes holds in the others within a moment, and never doubles."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest

from tests.acceptance.conftest import ALL
from tests.acceptance.desk import Desk, at, codes
from tests.acceptance.product import PATIENCE, Product, running_product


@pytest.fixture
def another(product: Product, tmp_path: Path) -> Iterator[Product]:
    """Another API process over the same database."""
    with running_product(product.database_url, product.nats_url, tmp_path) as other:
        yield other


def desk_at(product: Product, http: httpx2.AsyncClient, tenant: UUID) -> Desk:
    token = product.issuer.mint(tenant_id=tenant, scope=ALL, subject="reception")
    return Desk(http, token)


async def test_a_buffer_that_is_set_in_one_process_holds_in_all(
    product: Product, another: Product
) -> None:
    tenant = uuid4()
    async with (
        httpx2.AsyncClient(base_url=product.url, timeout=30) as here,
        httpx2.AsyncClient(base_url=another.url, timeout=30) as there,
    ):
        one, other = desk_at(product, here, tenant), desk_at(another, there, tenant)
        schedule = await one.a_schedule()
        first = await one.a_slot(at("09:00"), minutes=15, schedule=schedule)
        neighbour = await one.a_slot(at("08:45"), minutes=15, schedule=schedule)
        await one.booked(first)

        async def shown() -> list[str]:
            return [slot["slotId"] for slot in await other.free()]

        assert await shown() == [neighbour["id"]]
        await one.settings(bufferMinutes=15)
        assert await one.free() == [], "who changes it sees it changed at once"
        await until_equal(shown, [])
        await one.settings(bufferMinutes=0)
        await until_equal(shown, [neighbour["id"]])

        # Whoever listens is cut off, and something changes meanwhile.
        await one.settings(bufferMinutes=15)
        await cut_listeners(product)
        await one.settings(bufferMinutes=5)
        refused = await other.book(neighbour)
        assert codes(refused) == [(409, "BUFFER_TIME_CONFLICT")], "whatever is kept"
        await until_equal(shown, [])
        await one.settings(bufferMinutes=0)
        await until_equal(shown, [neighbour["id"]])


async def until_equal(
    ask: Callable[[], Awaitable[list[str]]], expected: list[str]
) -> None:
    async with asyncio.timeout(PATIENCE):
        while await ask() != expected:  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.01)


async def cut_listeners(product: Product) -> None:
    connection = await asyncpg.connect(product.database_url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
            "application_name = 'scheduling settings' AND datname = current_database()"
        )
    finally:
        await connection.close()

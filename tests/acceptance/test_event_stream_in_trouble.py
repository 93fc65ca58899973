"""Event streams when the broker goes, the API stops, or a client does not read."""

import asyncio
import re
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import UUID

import httpx2
import nats
import pytest

from scheduling.adapters.embedded.nats import EmbeddedNats
from scheduling.adapters.embedded.program import Running, start
from tests.acceptance.conftest import ALL
from tests.acceptance.desk import Desk, codes
from tests.acceptance.listening import PATH, Block, listening
from tests.acceptance.product import PATIENCE, Product, running_product

PROMPTLY = 10
"""Seconds; half of what requests under way have when the API stops."""

LARGE = b'{"data":{},"filler":"%b"}' % (b"x" * 100_000)


@asynccontextmanager
async def desk_of(product: Product, tenant: UUID) -> AsyncIterator[Desk]:
    token = product.issuer.mint(tenant_id=tenant, scope=ALL, subject="reception")
    async with httpx2.AsyncClient(base_url=product.url, timeout=60) as http:
        yield Desk(http, token)


@pytest.fixture
def restless(database_url: str, nats_url: str, tmp_path: Path) -> Iterator[Product]:
    """A product whose streams beat often, end soon, and are few."""
    with running_product(
        database_url,
        nats_url,
        tmp_path,
        SCHEDULING_EVENT_STREAM_HEARTBEAT="0.05",
        SCHEDULING_EVENT_STREAM_LIFETIME="1.5",
        SCHEDULING_MAX_EVENT_STREAMS="2",
        SCHEDULING_MAX_IN_FLIGHT="1",
    ) as product:
        yield product


async def started(server: EmbeddedNats) -> Running:
    running = await start(server.program())
    await running.ready()
    return running


async def test_a_quiet_stream_shows_signs_of_life_that_carry_its_position(
    restless: Product, tenant: UUID
) -> None:
    async with desk_of(restless, tenant) as desk, asyncio.timeout(PATIENCE):
        async with listening(desk) as listener:
            begun = listener.last_id
            signs = [await listener.block() for _ in range(3)]
        assert {sign.lines for sign in signs} == {(":", f"id: {begun}")}
        nobody_of_ours = {"locationId": str(tenant)}
        async with listening(desk, **nobody_of_ours) as listener:
            begun = listener.last_id
            await desk.a_slot()
            while listener.last_id == begun:
                assert not (await listener.block()).is_event


async def test_a_stream_ends_by_itself_and_is_taken_up_again_without_loss(
    restless: Product, tenant: UUID
) -> None:
    heard: list[Block] = []
    async with desk_of(restless, tenant) as desk, asyncio.timeout(PATIENCE):
        async with listening(desk) as listener:
            last = listener.last_id
        for _ in range(3):
            await desk.a_slot()
            async with listening(desk, after=last) as listener:
                heard += await listener.until_end()
                last = listener.last_id
    stored = await restless.events(tenant)
    assert [block["data"].encode() for block in heard] == [m.data for m in stored]
    assert len(heard) == 6


async def test_streams_have_a_bound_and_leave_their_place_to_the_next(
    restless: Product, tenant: UUID
) -> None:
    async with desk_of(restless, tenant) as desk, asyncio.timeout(PATIENCE):
        async with listening(desk), listening(desk):
            full = await desk.get(PATH)
            # Though one request in flight is all that this process takes.
            slot = await desk.a_slot()
            booked = await desk.book(slot)
        # Both have hung up, which the API hears a moment later.
        while True:
            async with desk.http.stream(
                "GET", PATH, headers={"Authorization": f"Bearer {desk.token}"}
            ) as answer:
                if answer.status_code == 200:
                    break
    assert codes(full) == [(503, "SERVICE_UNAVAILABLE")]
    assert int(full.headers["retry-after"]) > 0
    assert booked.status_code == 201


async def test_without_the_broker_streams_end_and_are_refused_and_bookings_go_on(
    database_url: str, tmp_path: Path, tenant: UUID
) -> None:
    server = EmbeddedNats.on_free_port(tmp_path / "nats")
    broker = await started(server)
    try:
        with running_product(database_url, server.url, tmp_path / "run") as product:
            async with desk_of(product, tenant) as desk, asyncio.timeout(PATIENCE):
                await desk.booked()
                await product.events(tenant)
                async with listening(desk) as listener:
                    await broker.stop()
                    assert await listener.until_end() == []
                    last = listener.last_id
                refused = await desk.get(PATH, headers={"Last-Event-ID": last})
                await desk.booked()
                assert (await desk.http.get("/readyz")).status_code == 200
                broker = await started(server)
                stored = await product.events(tenant)
                missed = [message.data for message in stored[3:]]
                async with listening(desk, after=last) as listener:
                    told = await listener.events(len(missed))
        assert codes(refused) == [(503, "SERVICE_UNAVAILABLE")]
        assert int(refused.headers["retry-after"]) > 0
        assert len(missed) == 3
        assert [block["data"].encode() for block in told] == missed
    finally:
        await broker.stop()


async def test_an_api_that_knows_of_no_broker_refuses_streams_only(
    database_url: str, nats_url: str, tmp_path: Path, tenant: UUID
) -> None:
    with running_product(database_url, nats_url, tmp_path) as product:
        product.kill_api()
        product.settings["SCHEDULING_NATS_URL"] = ""
        product.start_api()
        product.until_ready()
        async with desk_of(product, tenant) as desk:
            refused = await desk.get(PATH)
            await desk.booked()
    assert codes(refused) == [(503, "SERVICE_UNAVAILABLE")]


@contextmanager
def deaf(product: Product, token: str) -> Iterator[None]:
    """A client that asks for the stream, and never reads a byte of it."""
    request = f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(product.listening.getsockname())
        client.sendall(request.encode())
        yield


def resident(process: subprocess.Popen[bytes]) -> int:
    """Bytes of memory that the process has."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    [kilobytes] = re.findall(r"VmRSS:\s+(\d+) kB", status)
    return int(kilobytes) * 1024


async def until_open(desk: Desk, count: int) -> None:
    while True:
        figures = (await desk.http.get("/metrics")).text
        if f"scheduling_event_streams_open {count}.0" in figures:
            return


async def test_who_does_not_read_delays_nobody_costs_little_and_holds_up_no_shutdown(
    database_url: str, nats_url: str, tmp_path: Path, tenant: UUID
) -> None:
    with running_product(database_url, nats_url, tmp_path) as product:
        api = product.api
        assert api is not None
        async with desk_of(product, tenant) as desk, asyncio.timeout(PATIENCE):
            await desk.a_slot()
            await product.events(tenant)
            with (
                deaf(product, desk.token),
                deaf(product, desk.token),
                deaf(product, desk.token),
            ):
                async with listening(desk) as listener:
                    await until_open(desk, 4)
                    before = resident(api)
                    client = await nats.connect(nats_url)
                    for _ in range(400):
                        await client.jetstream().publish(
                            f"scheduling.{tenant}.large", LARGE
                        )
                    await client.close()
                    told = await listener.events(400)
                    appointment = await desk.booked()
                    told += await listener.events(3)
                    assert told[-1].event["subject"] == appointment["id"]
                    # Thrice 40 MB are waiting, but not here.
                    assert resident(api) - before < 40_000_000
                    api.terminate()
                    assert await listener.until_end() == []
                assert await asyncio.to_thread(api.wait, PROMPTLY) in {0, -15}
    assert "Traceback" not in product.logs()
    assert "without completing" not in product.logs()

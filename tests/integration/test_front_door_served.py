"""The front door behind the real server: what ASGI alone cannot show."""

import asyncio
import socket
from collections.abc import AsyncIterator
from itertools import islice

import httpx2
import pytest
import uvicorn

from tests.unit.http.door import Door


@pytest.fixture
async def url() -> AsyncIterator[str]:
    door = Door(max_in_flight=2, largest_body=100_000)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(door.app, log_config=None, access_log=False)
        )
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        door.release.set()
        await serving


async def test_a_body_without_end_is_cut_off_and_the_server_lives(url: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(10_000):
            yield b"x" * 10_000

    async with httpx2.AsyncClient(base_url=url) as client:
        try:
            answer = await client.post("/v1/things", content=endless())
            assert answer.status_code == 413
        except httpx2.TransportError:
            pass  # the server hung up while we were still talking, as it may
        assert (await client.get("/livez")).status_code == 200


async def test_of_many_at_once_those_over_the_limit_are_turned_away(url: str) -> None:
    async with asyncio.timeout(10), httpx2.AsyncClient(base_url=url) as client:
        asked = [asyncio.create_task(client.get("/slow")) for _ in range(30)]
        answers = [await a for a in islice(asyncio.as_completed(asked), 28)]
        assert {answer.status_code for answer in answers} == {503}
        assert {answer.headers["retry-after"] for answer in answers} == {"1"}
        assert len({answer.headers["x-request-id"] for answer in answers}) == 28
        for still_waiting in asked:
            still_waiting.cancel()
        await asyncio.wait(asked)

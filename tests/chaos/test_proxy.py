"""The bad line does to a connection what it says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.chaos.faults import FaultLog
from tests.chaos.proxy import Proxy, a_proxy


@asynccontextmanager
async def an_echo(heard: list[bytes]) -> AsyncIterator[int]:
    ended: list[asyncio.Event] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(asyncio.Event())
        end = ended[-1]
        with suppress(ConnectionResetError):
            while line := await reader.readline():
                heard.append(line)
                writer.write(line)
        writer.transport.abort()
        end.set()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for one in ended:
            await one.wait()


@pytest.fixture
def heard() -> list[bytes]:
    return []


@pytest.fixture
async def proxy(tmp_path: Path, heard: list[bytes]) -> AsyncIterator[Proxy]:
    log = FaultLog(tmp_path / "faults.jsonl")
    async with an_echo(heard) as port, a_proxy("127.0.0.1", port, log) as proxy:
        yield proxy


@asynccontextmanager
async def a_line(
    proxy: Proxy,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        yield reader, writer
    finally:
        writer.transport.abort()


async def test_a_line_that_is_cut_is_reset_and_another_can_be_had(
    proxy: Proxy,
) -> None:
    async with a_line(proxy) as (reader, _):
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            await reader.readline()
    async with a_line(proxy):
        pass
    assert proxy.log.counts == {"line cut": 1}


async def test_what_goes_into_a_black_hole_comes_out_once_it_is_mended(
    proxy: Proxy, heard: list[bytes]
) -> None:
    async with a_line(proxy) as (reader, writer):
        proxy.blackhole()
        writer.write(b"lost?\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readline(), 0.1)
        assert heard == [b"hello\n"]
        proxy.mend()
        assert await reader.readline() == b"lost?\n"


async def test_on_a_half_open_line_the_question_arrives_and_the_answer_does_not(
    proxy: Proxy, heard: list[bytes]
) -> None:
    async with a_line(proxy) as (reader, writer):
        proxy.half_open()
        writer.write(b"done?\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readline(), 0.1)
        assert heard[-1] == b"done?\n"
        proxy.cut()
    proxy.mend()


async def test_who_is_refused_is_refused_until_it_is_mended(proxy: Proxy) -> None:
    proxy.refuse()
    with pytest.raises((ConnectionResetError, AssertionError)):
        async with a_line(proxy):
            pass
    proxy.mend()
    async with a_line(proxy):
        pass

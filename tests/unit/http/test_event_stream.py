"""Server-sent events as they are written, and everything that ends them."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Message

from scheduling.application.ports.event_feed import EventFilter, Happening, Position
from scheduling.domain.identifiers import TenantId
from scheduling.entrypoints.http.event_stream import (
    CONNECTION,
    PIECE,
    EventStream,
    OpenStreams,
    StreamFigures,
    beat,
    in_pieces,
    written,
)
from scheduling.entrypoints.telemetry import Metrics
from tests.fakes.event_feed import MemoryFeed

TENANT = TenantId(UUID(int=1))
AT = Position(0x1F, 7)


@pytest.mark.parametrize("position", [Position(0, 0), Position(2**64 - 1, 10**18)])
def test_a_position_is_read_as_it_was_written(position: Position) -> None:
    assert Position.read(str(position)) == position


@pytest.mark.parametrize(
    "nonsense", ["", "1", "1-", "-1", "1-01", "G-1", "1-1\n", "1-1-1", "1-" + "9" * 20]
)
def test_what_we_never_wrote_is_no_position(nonsense: str) -> None:
    with pytest.raises(ValueError, match="not a position"):
        Position.read(nonsense)


def test_an_event_is_its_position_its_type_and_its_bytes() -> None:
    assert (
        written(Happening(AT, "slot.opened", b'{"a":"\xc3\xa4"}'))
        == b'id: 1f-7\nevent: slot.opened\ndata: {"a":"\xc3\xa4"}\n\n'
    )


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_line_ends_between_the_words_of_an_event_do_not_end_it(end: bytes) -> None:
    lines = written(Happening(AT, "e", b"{" + end + b'"a":1}')).split(b"\n")
    assert lines[2:] == [b"data: {", b'data: "a":1}', b"", b""]


def test_a_sign_of_life_is_a_comment_and_a_position() -> None:
    assert beat(AT) == b":\nid: 1f-7\n\n"


def test_events_go_out_in_pieces_of_a_bounded_size() -> None:
    events = [Happening(AT, "e", b"x" * size) for size in (9, PIECE // 2) * 9]
    pieces = in_pieces([*events, Happening(AT, "e", b"y" * PIECE)])
    assert b"".join(pieces[:-1]) == b"".join(map(written, events))
    assert max(map(len, pieces[:-1])) <= PIECE
    assert len(pieces) == 10
    assert in_pieces([]) == []


class Transport(asyncio.Transport):
    def __init__(self, client: "Client") -> None:
        super().__init__()
        self._client = client

    def abort(self) -> None:
        self._client.aborted = True
        self._client.gone.set()

    def get_write_buffer_size(self) -> int:
        return 0


class Client:
    """One request, and what came back."""

    def __init__(self, feed: MemoryFeed, streams: OpenStreams) -> None:
        self.text = b""
        self.status = 0
        self.is_over = False
        self.aborted = False
        self.gone = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()
        self._heard = asyncio.Event()
        followed = feed.follow(TENANT, EventFilter(), after=None)
        scope = {
            "type": "http",
            "method": "GET",
            "extensions": {CONNECTION: {"transport": Transport(self)}},
        }
        self.served = asyncio.create_task(
            EventStream(followed, streams)(scope, self._receive, self._send)
        )

    async def _receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.text += message["body"]
            self.is_over = not message.get("more_body", False)
        self._heard.set()

    async def until(self, holds: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                self._heard.clear()
                await self._heard.wait()

    async def ended(self) -> None:
        async with asyncio.timeout(10):
            await self.served


def some_streams(**given: Any) -> tuple[OpenStreams, Callable[[], str]]:  # noqa: ANN401
    registry = CollectorRegistry()
    streams = OpenStreams(figures=StreamFigures(registry), **{"at_most": 1, **given})

    def figures() -> str:
        return Metrics(registry).render()[0].decode()

    return streams, figures


async def test_a_client_that_hangs_up_leaves_its_place_at_once() -> None:
    feed, (streams, figures) = MemoryFeed(), some_streams()
    client = Client(feed, streams)
    await client.until(lambda: client.text)
    assert feed.followers == 1
    assert "scheduling_event_streams_open 1.0" in figures()
    client.gone.set()
    await client.ended()
    assert feed.followers == 0
    assert "scheduling_event_streams_open 0.0" in figures()
    assert 'ended_total{why="client"} 1.0' in figures()


async def test_over_the_bound_nobody_follows() -> None:
    feed, (streams, _) = MemoryFeed(), some_streams()
    first = Client(feed, streams)
    await first.until(lambda: first.text)
    second = Client(feed, streams)
    await second.ended()
    assert (second.status, feed.followers) == (503, 1)
    first.gone.set()
    await first.ended()


async def test_when_the_process_stops_every_stream_ends_as_a_whole_answer() -> None:
    feed, (streams, figures) = MemoryFeed(), some_streams(at_most=3)
    clients = [Client(feed, streams) for _ in range(3)]
    for client in clients:
        await client.until(lambda client=client: client.text)  # type: ignore[misc]
    streams.end_all()
    for client in clients:
        await client.ended()
        assert (client.is_over, client.aborted) == (True, False)
    assert 'ended_total{why="stop"} 3.0' in figures()


async def test_a_stream_ends_when_its_time_is_over() -> None:
    feed, (streams, figures) = MemoryFeed(), some_streams(lifetime=0.05)
    client = Client(feed, streams)
    await client.ended()
    assert client.is_over
    assert 'ended_total{why="time"} 1.0' in figures()


async def test_a_feed_that_breaks_ends_the_stream_after_what_it_brought() -> None:
    feed, (streams, figures) = MemoryFeed(), some_streams()
    client = Client(feed, streams)
    await client.until(lambda: client.text)
    at = await feed.publish(TENANT, "e", b"{}")
    await client.until(lambda: b"data" in client.text)
    await feed.go_away()
    await client.ended()
    assert client.is_over
    assert client.text.endswith(b"id: %b\nevent: e\ndata: {}\n\n" % str(at).encode())
    assert 'ended_total{why="feed"} 1.0' in figures()


async def test_who_takes_nothing_is_asked_nothing_more_and_dropped_in_the_end() -> None:
    feed, (streams, figures) = MemoryFeed(), some_streams(patience=0.1)
    client = Client(feed, streams)
    await client.until(lambda: client.text)
    client.reads.clear()
    await feed.publish(TENANT, "e", b"{}")
    await client.ended()
    assert feed.asked == 1
    assert (client.is_over, client.aborted) == (False, True)
    assert 'ended_total{why="stalled"} 1.0' in figures()


async def test_who_takes_nothing_holds_up_no_stop() -> None:
    feed, (streams, figures) = MemoryFeed(), some_streams(patience=1000)
    client = Client(feed, streams)
    await client.until(lambda: client.text)
    client.reads.clear()
    await feed.publish(TENANT, "e", b"{}")
    await asyncio.sleep(0)
    streams.end_all()
    await client.ended()
    assert client.aborted
    assert 'ended_total{why="stop"} 1.0' in figures()


async def test_a_quiet_stream_beats() -> None:
    feed, (streams, _) = MemoryFeed(), some_streams(heartbeat=0.01)
    client = Client(feed, streams)
    sign = beat(Position(1, 0))
    await client.until(lambda: client.text.endswith(3 * sign))
    client.gone.set()
    await client.ended()

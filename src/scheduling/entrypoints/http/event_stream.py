"""Server-sent events (WHATWG HTML, 9.2): how they are written, and for how long.

A stream takes the next events only when its client has taken the last, so that one who
reads slowly waits for himself alone. It ends by itself from time to time, for its token
to be judged again, and wherever anything is wrong: a client comes back by itself, with
the last `id` that it saw.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.types import Message, Receive, Scope, Send

from scheduling.application.ports.event_feed import (
    FeedUnavailable,
    Following,
    Happening,
    Position,
)
from scheduling.entrypoints.http.problems import problem

MEDIA_TYPE = "text/event-stream"
PATHS = frozenset({"/v1/events/stream"})
"""Whose answers last: they are bound and counted here, not with the other requests."""

CONNECTION = "scheduling.connection"
"""Extension of the ASGI scope: holds the transport, for a connection to be dropped with
all that it has not taken.
"""

RETRY = (1000, 3000)
"""Milliseconds, by chance in between, so that clients do not come back all at once."""

LIFETIME = (0.9, 1.0)
"""Parts of it, by chance in between: for the same reason."""

PIECE = 64 * 1024
"""Bytes written at a time; about what the transport takes before it makes us wait."""

GOODBYE = 1.0
"""Seconds that the end of a stream may take before its connection is dropped."""


class StreamFigures:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.open = Gauge(
            "scheduling_event_streams_open",
            "Event streams that are being followed",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.ended = Counter(
            "scheduling_event_streams_ended",
            "Event streams that ended, by why: client, time, stop, stalled, feed",
            ("why",),
            registry=registry,
        )


@dataclass(slots=True, kw_only=True)
class OpenStreams:
    """The streams of this process. Times are seconds."""

    figures: StreamFigures
    at_most: int
    heartbeat: float = 15.0
    lifetime: float = 600.0
    patience: float = 30.0
    """How long a client may take nothing at all before its connection is dropped."""

    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _count: int = 0

    def end_all(self) -> None:
        self.stopping.set()

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Yield whether there was one left."""
        if self._count >= self.at_most:
            yield False
            return
        self._count += 1
        self.figures.open.inc()
        try:
            yield True
        finally:
            self._count -= 1
            self.figures.open.dec()


def opening(following: Following) -> bytes:
    """The first words: when to come back, what was missed, and from where it goes on.

    The last is worth an `id` of its own: who hears nothing else can still go on there.
    """
    told = b"retry: %d\n" % random.randint(*RETRY)  # noqa: S311  # no secret
    if not following.is_whole:
        told += b'event: reset\ndata: {"reason":"position-not-kept"}\n'
    return told + _id(following.position) + b"\n"


def written(happening: Happening) -> bytes:
    """One event. Its JSON has no line ends of ours; others' are only white space."""
    return b"%bevent: %b\ndata: %b\n\n" % (
        _id(happening.position),
        happening.type.encode(),
        b"\ndata: ".join(happening.body.splitlines()),
    )


def in_pieces(happened: Sequence[Happening]) -> list[bytes]:
    pieces: list[bytes] = []
    for event in map(written, happened):
        if pieces and len(pieces[-1]) + len(event) <= PIECE:
            pieces[-1] += event
        else:
            pieces.append(event)
    return pieces


def beat(position: Position) -> bytes:
    """A sign of life: no event, but an `id`, so that nothing is searched again for who
    was left out by a filter.
    """
    return b":\n%b\n" % _id(position)


def _id(position: Position) -> bytes:
    return b"id: %b\n" % str(position).encode()


class EventStream(Response):
    """An answer that lasts. Until it begins it can be a problem document instead."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        followed: AbstractAsyncContextManager[Following],
        streams: OpenStreams,
    ) -> None:
        self.status_code = 200
        self.background = None
        # Proxies that gather an answer before they pass it on: not this one.
        self.init_headers({"X-Accel-Buffering": "no"})
        self._followed = followed
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._streams.place() as there_was_one:
            if not there_was_one:
                full = problem(
                    503,
                    FeedUnavailable.code,
                    "More streams than this process keeps open.",
                    headers={"Retry-After": str(FeedUnavailable.retry_after)},
                )
                await full(scope, receive, send)
                return
            async with self._followed as following:
                await send(
                    {
                        "type": "http.response.start",
                        "status": self.status_code,
                        "headers": self.raw_headers,
                    }
                )
                why = await self._last(following, scope, receive, send)
            self._streams.figures.ended.labels(why).inc()

    async def _last(
        self, following: Following, scope: Scope, receive: Receive, send: Send
    ) -> str:
        """Tell events until anything ends it, and return what did."""
        gone = asyncio.create_task(_until_gone(receive))
        telling = asyncio.create_task(self._tell(following, send))
        stopped = asyncio.create_task(self._streams.stopping.wait())
        lifetime = self._streams.lifetime * random.uniform(*LIFETIME)  # noqa: S311
        try:
            ended, _ = await asyncio.wait(
                (gone, telling, stopped),
                timeout=lifetime,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if gone in ended:
                return "client"
            if telling in ended:
                why = telling.result()
            else:
                why = "stop" if stopped in ended else "time"
                await _stop(telling)
            await _say_goodbye(scope, send, gone, why)
            return why
        finally:
            await _stop(gone, telling, stopped)

    async def _tell(self, following: Following, send: Send) -> str:
        """Tell of events, and of being alive where there are none, for ever; return
        why that cannot be gone on with.
        """
        clock = asyncio.get_running_loop().time
        pieces = [opening(following)]
        try:
            while True:
                for piece in pieces:
                    async with asyncio.timeout(self._streams.patience):
                        await send(_body(piece, more=True))
                beat_at = clock() + self._streams.heartbeat
                pieces = []
                while not pieces:
                    happened = await following.more(max(beat_at - clock(), 0.0))
                    pieces = in_pieces(happened)
                    if not pieces and clock() >= beat_at:
                        pieces = [beat(following.position)]
        except FeedUnavailable:
            return "feed"
        except TimeoutError:
            return "stalled"


async def _say_goodbye(
    scope: Scope, send: Send, gone: asyncio.Task[None], why: str
) -> None:
    """End the answer as HTTP has it, so that its client comes back for more; or drop
    the connection of one who does not listen.
    """
    extension = (scope.get("extensions") or {}).get(CONNECTION)
    transport: asyncio.Transport | None = extension and extension["transport"]
    if why != "stalled":
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE):
                await send(_body(b"", more=False))
                if why == "stop" and transport is not None:
                    # It is closed once all is taken. Who takes nothing holds us up.
                    await _until_taken(transport)
                return
    if transport is not None:
        transport.abort()
        await asyncio.wait([gone], timeout=GOODBYE)


async def _until_taken(transport: asyncio.Transport) -> None:
    while transport.get_write_buffer_size():  # noqa: ASYNC110  # nothing tells of it
        await asyncio.sleep(0.01)


async def _until_gone(receive: Receive) -> None:
    """A body, if there is one, is passed over."""
    with suppress(HTTPException):
        while (await receive())["type"] != "http.disconnect":
            pass


async def _stop(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _body(piece: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": piece, "more_body": more}

"""Where event streams come from: NATS, if there is one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

from scheduling.application.ports.event_feed import EventFeed, FeedUnavailable
from scheduling.entrypoints.http.event_stream import OpenStreams, StreamFigures
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.telemetry import Metrics


class NoFeed(EventFeed):
    def follow(self, *_whom: object, **_after: object) -> NoReturn:
        raise FeedUnavailable("SCHEDULING_NATS_URL is not set")


@asynccontextmanager
async def open_event_feed(settings: Settings) -> AsyncIterator[EventFeed]:
    """Nothing is connected before somebody follows."""
    nats_url = settings.nats_url.get_secret_value() if settings.nats_url else ""
    if not nats_url:
        yield NoFeed()
        return
    # Brings the client along, which a process without NATS never needs.
    from scheduling.adapters.nats.feed import NatsEventFeed  # noqa: PLC0415
    from scheduling.adapters.nats.shared import SharedConnection  # noqa: PLC0415

    connection = SharedConnection(nats_url, name="scheduling api")
    try:
        yield NatsEventFeed(connection)
    finally:
        await connection.close()


def event_streams(settings: Settings, metrics: Metrics) -> OpenStreams:
    return OpenStreams(
        figures=StreamFigures(metrics.registry),
        at_most=settings.max_event_streams,
        heartbeat=settings.event_stream_heartbeat,
        lifetime=settings.event_stream_lifetime,
    )

"""Feeds to be promised by: what the tests do to them, in memory and on NATS."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol
from uuid import UUID

from scheduling.adapters.nats.connection import Connection, open_connection
from scheduling.adapters.nats.feed import NatsEventFeed
from scheduling.adapters.nats.publisher import JetStreamPublisher
from scheduling.adapters.nats.shared import SharedConnection
from scheduling.adapters.nats.streams import SCHEDULING, accept, ask, ensure_stream
from scheduling.application.ports.event_feed import EventFeed
from tests.fakes.event_feed import MemoryFeed
from tests.fakes.outbox import an_event


class World(Protocol):
    @property
    def feed(self) -> EventFeed: ...

    async def publish(self, tenant_id: UUID, type: str, body: bytes) -> None: ...

    async def forget(self) -> None:
        """All that is kept is gone; what comes after it goes on counting."""

    async def begin_anew(self) -> None:
        """The storage is gone, and what comes counts from one again."""


class MemoryWorld(World):
    def __init__(self) -> None:
        self._feed = MemoryFeed()

    @property
    def feed(self) -> EventFeed:
        return self._feed

    async def publish(self, tenant_id: UUID, type: str, body: bytes) -> None:
        await self._feed.publish(tenant_id, type, body)

    async def forget(self) -> None:
        await self._feed.forget()

    async def begin_anew(self) -> None:
        await self._feed.begin_anew()


class NatsWorld(World):
    def __init__(self, broker: Connection, feed: EventFeed) -> None:
        self._broker = broker
        self._feed = feed

    @property
    def feed(self) -> EventFeed:
        return self._feed

    async def publish(self, tenant_id: UUID, type: str, body: bytes) -> None:
        subject = f"scheduling.{tenant_id}.{type}"
        event = an_event(tenant_id=tenant_id, subject=subject, body=body)
        await JetStreamPublisher(self._broker).publish(event)

    async def forget(self) -> None:
        accept(await ask(self._broker, f"STREAM.PURGE.{SCHEDULING}", {}))

    async def begin_anew(self) -> None:
        accept(await ask(self._broker, f"STREAM.DELETE.{SCHEDULING}", {}))
        await ensure_stream(self._broker, replicas=1)


@asynccontextmanager
async def nats_world(nats_url: str) -> AsyncIterator[NatsWorld]:
    async with open_connection(nats_url, name="test") as broker:
        await ensure_stream(broker, replicas=1)
        shared = SharedConnection(nats_url, name="test feed")
        try:
            yield NatsWorld(broker, NatsEventFeed(shared))
        finally:
            await shared.close()

"""Relays to run against real servers, traffic for them, and what came out."""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import nats
from nats.js.api import DeliverPolicy
from nats.js.errors import NotFoundError
from prometheus_client import CollectorRegistry

from scheduling.adapters.embedded.program import Program, Running, start
from scheduling.adapters.postgres.outbox_desk import open_desk
from scheduling.application.ports.messaging import (
    OutboxDesk,
    OutboxStatus,
    WaitingEvent,
)
from scheduling.entrypoints.relay import Relay, relay_until
from scheduling.entrypoints.relay_figures import RelayFigures
from tests.fakes.outbox import PARTITIONS, an_event
from tests.outbox_rows import insert, writer

PATIENCE = 60.0


@asynccontextmanager
async def relaying(database_url: str, nats_url: str) -> AsyncIterator[RelayFigures]:
    """A relay in this process, stopped gracefully at the end."""
    stop = asyncio.Event()
    figures = RelayFigures(CollectorRegistry())
    task = asyncio.create_task(
        relay_until(stop, Relay(database_url, nats_url), figures)
    )
    try:
        yield figures
    finally:
        stop.set()
        await asyncio.wait_for(task, PATIENCE)


async def relay_process(
    database_url: str, nats_url: str, log: Path, **environment: str
) -> Running:
    return await start(
        Program(
            name="relay",
            command=(sys.executable, "-m", "scheduling", "relay"),
            environment={
                **os.environ,
                "SCHEDULING_DATABASE_URL": database_url,
                "SCHEDULING_NATS_URL": nats_url,
                **environment,
            },
            log=log,
        )
    )


async def traffic(
    database_url: str, *, events: int, writers: int = 4, pause: float = 0.0
) -> list[WaitingEvent]:
    """Commit events in small transactions from several sessions; return them all.

    Each writer has aggregates of its own, as a lock on the aggregate would see to;
    their versions rise, and transactions of different writers commit as they come.
    """

    async def write(seed: int) -> list[WaitingEvent]:
        chance = random.Random(seed)  # noqa: S311  # chosen once, the same every time
        aggregates = [uuid4() for _ in range(10)]
        versions = dict.fromkeys(aggregates, 0)
        done: list[WaitingEvent] = []
        async with writer(database_url) as connection:
            while len(done) < events // writers:
                batch = []
                for aggregate in chance.choices(aggregates, k=chance.randint(1, 4)):
                    versions[aggregate] += 1
                    batch.append(an_event(aggregate, versions[aggregate]))
                async with connection.transaction():
                    await insert(connection, batch)
                done += batch
                await asyncio.sleep(pause)
        return done

    by_writer = await asyncio.gather(*(write(seed) for seed in range(writers)))
    return [event for events_of_one in by_writer for event in events_of_one]


async def arrivals(nats_url: str) -> AsyncGenerator[UUID, None]:
    """Event ids in the order of the stream, from its beginning, as they come."""
    client = await nats.connect(nats_url, error_cb=_unheard)
    try:
        jetstream = client.jetstream()
        while True:
            with suppress(NotFoundError):
                subscription = await jetstream.subscribe(
                    "scheduling.>",
                    ordered_consumer=True,
                    deliver_policy=DeliverPolicy.ALL,
                )
                break
            await asyncio.sleep(0.02)  # a stream that is not there cannot be awaited
        while True:
            message = await subscription.next_msg(timeout=PATIENCE)
            yield UUID((message.headers or {})["Nats-Msg-Id"])
    finally:
        await client.close()


async def until_arrived(nats_url: str, count: int) -> list[UUID]:
    found: list[UUID] = []
    async with asyncio.timeout(PATIENCE), aclosing(arrivals(nats_url)) as ids:
        async for id in ids:
            found.append(id)
            if len(found) >= count:
                return found
    raise AssertionError("arrivals never end")


async def whole_stream(nats_url: str) -> list[UUID]:
    """All that is in the stream now."""
    client = await nats.connect(nats_url)
    try:
        info = await client.jetstream().stream_info("SCHEDULING")
    finally:
        await client.close()
    return await until_arrived(nats_url, info.state.messages)


async def everything(nats_url: str, committed: Sequence[WaitingEvent]) -> None:
    """Return when each of these has arrived."""
    missing = {event.event_id for event in committed}
    async with asyncio.timeout(PATIENCE), aclosing(arrivals(nats_url)) as ids:
        async for id in ids:
            missing.discard(id)
            if not missing:
                return


async def until(
    desk: OutboxDesk, holds: Callable[[OutboxStatus], bool]
) -> OutboxStatus:
    """Return the first status for which it holds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            status = await desk.status()
            if holds(status):
                return status
            await asyncio.sleep(0.02)  # rows of other sessions cannot be awaited


async def until_shared(database_url: str, *, relays: int) -> None:
    """Return when that many relays hold equal parts of all partitions."""

    def shared(status: OutboxStatus) -> bool:
        parts = Counter(status.holders.values())
        return (
            len(status.holders) == PARTITIONS
            and len(parts) == relays
            and max(parts.values()) == -(-PARTITIONS // relays)
        )

    async with open_desk(database_url) as desk:
        await until(desk, shared)


async def terminate_relays(database_url: str) -> int:
    """End the database sessions of all relays; return how many there were."""
    connection = await asyncpg.connect(database_url)
    try:
        return len(
            await connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'scheduling relay' "
                "AND datname = current_database()"
            )
        )
    finally:
        await connection.close()


async def _unheard(_error: Exception) -> None:
    """Servers are killed on purpose here."""

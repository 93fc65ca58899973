"""The feed on a real broker: what only a broker can do to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from scheduling.adapters.embedded.folders import free_port
from scheduling.adapters.embedded.nats import EmbeddedNats
from scheduling.adapters.embedded.program import Running, start
from scheduling.adapters.nats.connection import Connection, open_connection
from scheduling.adapters.nats.feed import BATCH, REQUEST_LIVES, NatsEventFeed
from scheduling.adapters.nats.shared import SharedConnection
from scheduling.adapters.nats.streams import SCHEDULING, accept, ask, ensure_stream
from scheduling.application.ports.event_feed import (
    EventFilter,
    FeedUnavailable,
    Following,
    Happening,
    Position,
)
from scheduling.application.ports.messaging import BrokerUnavailable
from scheduling.domain.identifiers import TenantId

PATIENCE = 30.0
TENANT = TenantId(UUID(int=1))
ALL = EventFilter()


@asynccontextmanager
async def a_feed(
    nats_url: str, *, request_lives: float = REQUEST_LIVES
) -> AsyncIterator[NatsEventFeed]:
    shared = SharedConnection(nats_url, name="test feed")
    try:
        yield NatsEventFeed(shared, request_lives=request_lives)
    finally:
        await shared.close()


@asynccontextmanager
async def a_stream(nats_url: str) -> AsyncIterator[Connection]:
    async with open_connection(nats_url, name="test") as broker:
        await ensure_stream(broker, replicas=1)
        yield broker


async def publish(broker: Connection, *bodies: bytes) -> None:
    jetstream = broker.client.jetstream()
    for body in bodies:
        await jetstream.publish(f"scheduling.{TENANT}.e", body)


def numbered(count: int, first: int = 0) -> list[bytes]:
    return [b'{"n":%d}' % number for number in range(first, first + count)]


async def heard(following: Following, count: int) -> list[bytes]:
    found: list[Happening] = []
    while len(found) < count:
        came = await following.more(PATIENCE)
        assert came
        found += came
    return [one.body for one in found]


async def consumers(broker: Connection) -> list[Any]:
    told = accept(await ask(broker, f"CONSUMER.LIST.{SCHEDULING}", {"offset": 0}))
    found: list[Any] = told["consumers"]
    return found


async def until_consumers(broker: Connection, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(await consumers(broker)) != count:  # noqa: ASYNC110  # the server's
            await asyncio.sleep(0.02)


async def started(server: EmbeddedNats) -> Running:
    running = await start(server.program())
    await running.ready()
    return running


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_a_restarted_broker_ends_the_following_and_nothing_is_lost_or_doubled(
    how: str, tmp_path: Path
) -> None:
    server = EmbeddedNats.on_free_port(tmp_path)
    running = await started(server)
    try:
        async with a_feed(server.url) as feed, asyncio.timeout(PATIENCE):
            async with a_stream(server.url) as broker:
                async with feed.follow(TENANT, ALL, after=None) as following:
                    last = following.position
                await publish(broker, *numbered(150))
            with pytest.raises(FeedUnavailable):
                async with feed.follow(TENANT, ALL, after=last) as following:
                    found = await heard(following, 150)
                    last = following.position
                    if how == "killed":
                        running.kill()
                        await running.wait()
                    else:
                        await running.stop()
                    await following.more(PATIENCE)
            with pytest.raises(FeedUnavailable):
                async with feed.follow(TENANT, ALL, after=last):
                    raise AssertionError("there is no broker")
            running = await started(server)
            async with a_stream(server.url) as broker:
                await publish(broker, *numbered(50, first=150))
            async with feed.follow(TENANT, ALL, after=last) as following:
                assert following.is_whole
                found += await heard(following, 50)
                assert await following.more(0.0) == []
        assert found == numbered(200)
    finally:
        await running.stop()


async def test_what_a_follower_does_not_ask_for_waits_in_the_broker(
    nats_url: str,
) -> None:
    async with (
        a_stream(nats_url) as broker,
        a_feed(nats_url) as feed,
        feed.follow(TENANT, ALL, after=None) as slow,
    ):
        await publish(broker, b"{}")
        assert await heard(slow, 1) == [b"{}"]
        await publish(broker, *numbered(1000))
        async with feed.follow(TENANT, ALL, after=slow.position) as quick:
            assert await heard(quick, 1000) == numbered(1000)
        # The rest of the one request that was made has come; no more than that.
        [consumer] = [one for one in await consumers(broker) if one["num_pending"]]
        assert consumer["num_pending"] == 1000 - (BATCH - 1)
        assert await heard(slow, 1000) == numbered(1000)


async def test_large_events_come_a_few_at_a_time_and_none_is_too_large(
    nats_url: str,
) -> None:
    async with a_stream(nats_url) as broker, a_feed(nats_url) as feed:
        largest = broker.client.max_payload
        bodies = [bytes([65 + n]) * (largest - n) for n in range(12)]
        async with feed.follow(TENANT, ALL, after=None) as following:
            await publish(broker, *bodies)
            came: list[int] = []
            found: list[bytes] = []
            while len(found) < len(bodies):
                happened = await following.more(PATIENCE)
                came.append(len(happened))
                found += [one.body for one in happened]
    assert found == bodies
    assert max(came) <= 2


async def test_many_followers_hear_all_of_it_and_leave_nothing_behind(
    nats_url: str,
) -> None:
    async with (
        a_stream(nats_url) as broker,
        a_feed(nats_url) as feed,
        asyncio.timeout(PATIENCE),
    ):
        async with AsyncExitStack() as stack:
            followings = [
                await stack.enter_async_context(feed.follow(TENANT, ALL, after=None))
                for _ in range(60)
            ]
            await publish(broker, *numbered(300))
            all_heard = await asyncio.gather(*(heard(one, 300) for one in followings))
            assert len(await consumers(broker)) == 60
        assert all(found == numbered(300) for found in all_heard)
        await until_consumers(broker, 0)


async def test_who_asks_for_the_connection_at_once_shares_it_until_it_ends(
    tmp_path: Path,
) -> None:
    server = EmbeddedNats.on_free_port(tmp_path)
    running = await started(server)
    shared = SharedConnection(server.url, name="test")
    try:
        impatient = asyncio.create_task(shared.get())
        await asyncio.sleep(0)
        impatient.cancel()
        first, *others = await asyncio.gather(*(shared.get() for _ in range(20)))
        assert all(other is first for other in others)
        await running.stop()
        await first.closed
        with pytest.raises(BrokerUnavailable):
            await shared.get()
        running = await started(server)
        second, *others = await asyncio.gather(*(shared.get() for _ in range(20)))
        assert second is not first
        assert all(other is second for other in others)
    finally:
        await shared.close()
        await running.stop()


async def test_requests_that_run_out_are_made_anew(nats_url: str) -> None:
    async with (
        a_stream(nats_url) as broker,
        a_feed(nats_url, request_lives=0.1) as feed,
        feed.follow(TENANT, ALL, after=None) as following,
    ):
        for number in range(3):
            assert await following.more(0.25) == []
            await publish(broker, *numbered(1, first=number))
            assert await heard(following, 1) == numbered(1, first=number)


async def test_a_consumer_that_is_gone_ends_the_following(nats_url: str) -> None:
    async with a_stream(nats_url) as broker, a_feed(nats_url) as feed:
        with pytest.raises(FeedUnavailable):
            async with feed.follow(TENANT, ALL, after=None) as following:
                assert await following.more(0.0) == []
                [consumer] = await consumers(broker)
                name = consumer["name"]
                accept(await ask(broker, f"CONSUMER.DELETE.{SCHEDULING}.{name}", {}))
                await following.more(PATIENCE)


async def test_where_the_stream_is_not_made_yet_there_is_nothing_to_follow(
    nats_url: str,
) -> None:
    async with a_feed(nats_url) as feed:
        with pytest.raises(FeedUnavailable):
            async with feed.follow(TENANT, ALL, after=None):
                raise AssertionError("there is no stream")


async def test_no_server_is_told_as_feed_unavailable_and_tried_again_each_time() -> (
    None
):
    async with a_feed(f"nats://127.0.0.1:{free_port()}") as feed:
        for _ in range(2):
            with pytest.raises(FeedUnavailable):
                async with feed.follow(TENANT, ALL, after=Position(1, 1)):
                    raise AssertionError("there is no server")

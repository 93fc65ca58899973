"""Nothing lost, doubled or out of order, whatever is killed meanwhile."""

import asyncio
from pathlib import Path
from uuid import uuid4

from scheduling.adapters.embedded.nats import EmbeddedNats
from scheduling.adapters.embedded.program import Running, start
from tests.fakes.outbox import an_event
from tests.outbox_rows import complaints
from tests.relaying import (
    everything,
    relay_process,
    relaying,
    terminate_relays,
    traffic,
    until_arrived,
    until_shared,
    whole_stream,
)


def test_the_judge_sees_what_is_lost_doubled_or_out_of_order() -> None:
    aggregate = uuid4()
    one, two, three = (an_event(aggregate, version) for version in (1, 2, 3))
    committed = [one, two, three]
    ids = [event.event_id for event in committed]
    assert complaints(committed, ids) == []
    assert complaints(committed, ids[:2]) == [f"lost {ids[2]}"]
    assert complaints(committed, [*ids, ids[2]]) == [f"doubled {ids[2]}"]
    assert complaints(committed, [ids[1], ids[0], ids[2]]) == [
        f"{ids[0]} is version 1, too late"
    ]
    stranger = uuid4()
    assert complaints(committed, [*ids, stranger]) == [f"invented {stranger}"]


async def test_two_relays_share_the_partitions_and_the_order_holds(
    database_url: str, nats_url: str
) -> None:
    async with relaying(database_url, nats_url), relaying(database_url, nats_url):
        await until_shared(database_url, relays=2)
        committed = await traffic(database_url, events=1000)
        await everything(nats_url, committed)
    assert complaints(committed, await whole_stream(nats_url)) == []


async def test_relays_killed_again_and_again_lose_double_and_reorder_nothing(
    database_url: str, nats_url: str, tmp_path: Path
) -> None:
    log = tmp_path / "relays.log"
    relays = [await relay_process(database_url, nats_url, log) for _ in range(2)]
    writing = asyncio.create_task(traffic(database_url, events=2000, pause=0.005))
    try:
        for turn in range(4):
            await until_arrived(nats_url, 1 + 350 * turn)
            victim = turn % 2
            relays[victim].kill()
            await relays[victim].wait()
            relays[victim] = await relay_process(database_url, nats_url, log)
        committed = await writing
        await everything(nats_url, committed)
    finally:
        await asyncio.gather(*(relay.stop() for relay in relays))
    assert complaints(committed, await whole_stream(nats_url)) == []


async def test_lost_database_sessions_lose_double_and_reorder_nothing(
    database_url: str, nats_url: str
) -> None:
    async with relaying(database_url, nats_url), relaying(database_url, nats_url):
        writing = asyncio.create_task(traffic(database_url, events=2000, pause=0.005))
        ended = 0
        for turn in range(5):
            await until_arrived(nats_url, 1 + 300 * turn)
            ended += await terminate_relays(database_url)
        committed = await writing
        await everything(nats_url, committed)
    assert ended > 0
    assert complaints(committed, await whole_stream(nats_url)) == []


async def started(server: EmbeddedNats) -> Running:
    running = await start(server.program())
    await running.ready()
    return running


async def test_a_killed_and_restarted_broker_loses_doubles_and_reorders_nothing(
    database_url: str, tmp_path: Path
) -> None:
    server = EmbeddedNats.on_free_port(tmp_path)
    broker = await started(server)
    try:
        async with relaying(database_url, server.url):
            writing = asyncio.create_task(
                traffic(database_url, events=2000, pause=0.005)
            )
            for turn in range(3):
                await until_arrived(server.url, 1 + 400 * turn)
                broker.kill()
                await broker.wait()
                broker = await started(server)
            committed = await writing
            await everything(server.url, committed)
        assert complaints(committed, await whole_stream(server.url)) == []
    finally:
        await broker.stop()


async def test_events_committed_while_the_broker_is_away_are_drained_after(
    database_url: str, tmp_path: Path
) -> None:
    server = EmbeddedNats.on_free_port(tmp_path)
    async with relaying(database_url, server.url):
        committed = await traffic(database_url, events=400)
        broker = await started(server)
        try:
            await everything(server.url, committed)
            assert complaints(committed, await whole_stream(server.url)) == []
        finally:
            await broker.stop()

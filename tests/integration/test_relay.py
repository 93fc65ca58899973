"""The relay between real servers, where things go as they seldom do."""

import asyncio
import signal
from pathlib import Path

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from scheduling.adapters.embedded.folders import free_port
from scheduling.adapters.nats.connection import open_connection
from scheduling.adapters.nats.publisher import JetStreamPublisher
from scheduling.adapters.nats.streams import ensure_stream
from scheduling.adapters.postgres.outbox import PostgresOutbox, open_outbox
from scheduling.adapters.postgres.outbox_desk import open_desk
from scheduling.application.ports.messaging import OutboxLost
from scheduling.entrypoints.relay_figures import RelayFigures
from tests.fakes.outbox import an_event, in_partition
from tests.outbox_rows import commit, complaints, insert, writer
from tests.relaying import (
    everything,
    relay_process,
    relaying,
    terminate_relays,
    traffic,
    until,
    until_arrived,
    whole_stream,
)


async def test_an_event_arrives_with_its_exact_bytes_and_its_id(
    database_url: str, nats_url: str
) -> None:
    event = an_event(body=b'{"specversion":"1.0",  "id": "exact"}')
    async with relaying(database_url, nats_url):
        await commit(database_url, [event])
        await until_arrived(nats_url, 1)
    async with open_connection(nats_url, name="test") as broker:
        message = await broker.client.jetstream().get_msg("SCHEDULING", 1)
    assert message.data == event.body
    assert message.subject == event.subject
    assert message.headers is not None
    assert message.headers["Nats-Msg-Id"] == str(event.event_id)
    assert message.headers["Content-Type"] == "application/cloudevents+json"


async def test_events_that_the_stream_has_already_are_not_stored_again(
    database_url: str, nats_url: str
) -> None:
    aggregate = in_partition(9)
    events = [an_event(aggregate, version) for version in range(1, 6)]
    others = [an_event(in_partition(number)) for number in range(20)]
    async with open_connection(nats_url, name="test") as broker:
        await ensure_stream(broker, replicas=1)
        await JetStreamPublisher(broker).publish_together(events[:3])
    await commit(database_url, [*events, *others])
    async with relaying(database_url, nats_url):
        await everything(nats_url, [*events, *others])
    assert complaints([*events, *others], await whole_stream(nats_url)) == []
    async with open_desk(database_url) as desk:
        assert (await desk.status()).pending == 0


async def test_an_event_that_is_too_large_blocks_its_aggregate_only(
    database_url: str, nats_url: str
) -> None:
    sick, well = in_partition(5), in_partition(5)
    before = an_event(sick, 1)
    poison = an_event(sick, 2, body=b"x" * 1_048_576)
    after = an_event(sick, 3)
    others = [an_event(well, version) for version in range(1, 20)]
    await commit(database_url, [before, poison, after, *others])
    async with relaying(database_url, nats_url):
        await everything(nats_url, [before, *others])
        late = an_event(well, 20)
        await commit(database_url, [late])
        await everything(nats_url, [late])
    assert complaints([before, *others, late], await whole_stream(nats_url)) == []
    async with open_desk(database_url) as desk:
        status = await desk.status()
    (blocked,) = status.blocked
    assert blocked.event_id == poison.event_id
    assert "1048576 bytes" in blocked.reason
    assert blocked.waiting == 2


@pytest.mark.parametrize(
    "subject", ["scheduling", "scheduling.a b", "scheduling..x", "scheduling.*", "x.y"]
)
async def test_a_subject_that_cannot_be_published_blocks_and_breaks_nothing(
    subject: str, database_url: str, nats_url: str
) -> None:
    poison, other = an_event(subject=subject), an_event()
    await commit(database_url, [poison, other])
    async with relaying(database_url, nats_url):
        await everything(nats_url, [other])
    async with open_desk(database_url) as desk:
        (blocked,) = (await desk.status()).blocked
    assert blocked.event_id == poison.event_id


async def test_an_event_too_large_for_the_stream_is_found_among_the_others(
    database_url: str, nats_url: str
) -> None:
    async with open_connection(nats_url, name="test") as broker:
        await ensure_stream(broker, replicas=1)
        jetstream = broker.client.jetstream()
        found = (await jetstream.stream_info("SCHEDULING")).config
        await jetstream.update_stream(found.evolve(max_msg_size=2000))
    poison, others = an_event(body=b"x" * 4000), [an_event() for _ in range(20)]
    await commit(database_url, [poison, *others])
    async with relaying(database_url, nats_url):
        await everything(nats_url, others)
        async with open_desk(database_url) as desk:
            status = await until(desk, lambda status: bool(status.blocked))
    (blocked,) = status.blocked
    assert (blocked.event_id, blocked.reason) == (
        poison.event_id,
        "JetStream error 10054",
    )


async def test_replay_lets_a_blocked_aggregate_go_on(
    database_url: str, nats_url: str
) -> None:
    events = [an_event(in_partition(5), version) for version in (1, 2)]
    await commit(database_url, events)
    async with open_outbox(database_url) as outbox, outbox.claim(10) as found:
        await outbox.block(found[0], "by hand")
    async with relaying(database_url, nats_url), open_desk(database_url) as desk:
        other = an_event(in_partition(5))
        await commit(database_url, [other])
        await everything(nats_url, [other])
        await desk.unblock()
        await everything(nats_url, events)
    assert complaints([*events, other], await whole_stream(nats_url)) == []


async def test_what_is_published_again_reaches_the_stream_once_in_its_window(
    database_url: str, nats_url: str
) -> None:
    events = [an_event() for _ in range(10)]
    await commit(database_url, events)
    async with relaying(database_url, nats_url), open_desk(database_url) as desk:
        await everything(nats_url, events)
        await until(desk, lambda status: not status.pending)
        assert await desk.republish(first=None, last=None, since=None) == 10
        await until(desk, lambda status: not status.pending)
    assert complaints(events, await whole_stream(nats_url)) == []


async def take(outbox: PostgresOutbox) -> list[int]:
    async with outbox.claim(1000) as events:
        await outbox.mark_published(events)
    return [event.aggregate_version for event in events]


async def test_a_row_committed_late_is_found_below_those_published_before(
    database_url: str,
) -> None:
    late, others = in_partition(3), in_partition(3)
    async with open_outbox(database_url) as outbox, writer(database_url) as slow:
        transaction = slow.transaction()
        await transaction.start()
        await insert(slow, [an_event(late, 1)])
        for version in range(1, 6):
            await commit(database_url, [an_event(others, version)])
            assert await take(outbox) == [version]
            await outbox.share()  # floors rise as far as they may
        await transaction.commit()
        await commit(database_url, [an_event(late, 2)])
        assert await take(outbox) == [1, 2]


async def test_floors_rise_over_what_is_published_under_a_long_transaction(
    database_url: str,
) -> None:
    reader = await asyncpg.connect(database_url)
    async with (
        reader.transaction(isolation="repeatable_read"),
        open_outbox(database_url) as outbox,
    ):
        await reader.execute("SELECT count(*) FROM pg_class")
        for version in range(1, 4):
            await commit(database_url, [an_event(in_partition(3), version)])
            await take(outbox)
        for _ in range(2):
            await outbox.share()
        await take(outbox)
        assert outbox.floor(3) == 3 + 1
    await reader.close()


async def test_a_session_that_has_ended_gives_up_its_partitions_and_says_so(
    database_url: str,
) -> None:
    async with open_outbox(database_url) as first:
        assert len(first.partitions) == 64
        await terminate_relays(database_url)
        await asyncio.wait_for(first.lost, 10)
        with pytest.raises(OutboxLost):
            async with first.claim(10):
                pass
        async with open_outbox(database_url) as second:
            assert len(second.partitions) == 64


async def test_a_session_cut_in_the_middle_of_anything_is_told_as_lost(
    database_url: str,
) -> None:
    """Wherever the cut falls: between two statements it takes asyncpg by surprise."""
    for _ in range(10):
        async with open_outbox(database_url) as outbox:
            cutting = asyncio.create_task(terminate_relays(database_url))
            with pytest.raises(OutboxLost):
                while True:
                    async with outbox.claim(10):
                        pass
            await cutting


async def test_a_third_relay_gets_its_share(database_url: str) -> None:
    async with open_outbox(database_url) as one, open_outbox(database_url) as two:
        await one.share()
        await two.share()
        assert (len(one.partitions), len(two.partitions)) == (32, 32)
        async with open_outbox(database_url) as three:
            for relay in (one, two, three):
                await relay.share()
            held = [relay.partitions for relay in (one, two, three)]
            assert sorted(map(len, held)) == [20, 22, 22]
            assert len(frozenset.union(*held)) == 64
        await one.share()
        await two.share()
        assert len(one.partitions | two.partitions) == 64


async def test_asked_to_stop_the_process_marks_what_it_sent_and_ends_well(
    database_url: str, nats_url: str, tmp_path: Path
) -> None:
    relay = await relay_process(database_url, nats_url, tmp_path / "relay.log")
    writing = asyncio.create_task(traffic(database_url, events=1000))
    await until_arrived(nats_url, 1)
    relay.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(relay.wait(), 15) == 0
    committed = await writing

    stored = await whole_stream(nats_url)
    async with open_desk(database_url) as desk:
        status = await desk.status()
    assert status.holders == {}
    assert status.pending == len(committed) - len(stored)


async def test_the_process_serves_its_figures_where_it_is_told_to(
    database_url: str, nats_url: str, tmp_path: Path
) -> None:
    port = free_port()
    relay = await relay_process(
        database_url,
        nats_url,
        tmp_path / "relay.log",
        SCHEDULING_RELAY_METRICS_PORT=str(port),
    )
    await commit(database_url, [an_event()])
    await until_arrived(nats_url, 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
    told = (await reader.read()).decode()
    writer.close()
    await relay.stop()
    assert "scheduling_outbox_lag_seconds" in told
    assert "scheduling_relay_partitions 64.0" in told


async def test_a_stream_that_could_lose_events_ends_the_process_with_the_reason(
    database_url: str, nats_url: str, tmp_path: Path
) -> None:
    async with open_connection(nats_url, name="test") as broker:
        await broker.client.jetstream().add_stream(
            name="SCHEDULING", subjects=["scheduling.>"], storage="memory"
        )
    log = tmp_path / "relay.log"
    relay = await relay_process(database_url, nats_url, log)
    assert await asyncio.wait_for(relay.wait(), 15) == 1
    assert "storage is 'memory'" in log.read_text()


async def test_the_figures_tell_what_waits_and_what_went(
    database_url: str, nats_url: str
) -> None:
    registry = CollectorRegistry()
    figures = RelayFigures(registry)
    poison = an_event(subject="nowhere.to.go")
    await commit(database_url, [poison, an_event(), an_event()])
    async with open_outbox(database_url) as outbox:
        figures.waiting(*await outbox.count())
        assert registry.get_sample_value("scheduling_outbox_pending") == 3
    async with relaying(database_url, nats_url) as running:
        await until_arrived(nats_url, 2)
    assert running.registry.get_sample_value("scheduling_relay_published_total") == 2
    assert running.registry.get_sample_value("scheduling_relay_blocked_total") == 1

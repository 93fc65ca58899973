from uuid import uuid4

import pytest

from scheduling.application.commands.relay_outbox import RelayOutbox
from scheduling.application.ports.messaging import BrokerUnavailable, WaitingEvent
from tests.fakes.outbox import MemoryBroker, MemoryJournal, MemoryOutbox, an_event
from tests.outbox_rows import complaints


class Bench:
    def __init__(self) -> None:
        self.outbox = MemoryOutbox()
        self.broker = MemoryBroker()
        self.journal = MemoryJournal()
        self.relay = RelayOutbox(self.outbox, self.broker, self.journal, few=0)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def versions(count: int) -> list[WaitingEvent]:
    aggregate = uuid4()
    return [an_event(aggregate, version) for version in range(1, count + 1)]


async def test_what_waits_goes_out_in_one_batch_and_is_marked(bench: Bench) -> None:
    events = [*versions(3), *versions(2)]
    await bench.outbox.commit(*events)

    assert await bench.relay() == 5

    assert bench.broker.batches == [5]
    assert bench.outbox.waiting == []
    assert sorted(bench.journal.told_published) == sorted(e.event_id for e in events)


async def test_a_few_go_one_by_one_and_each_aggregate_in_its_order(
    bench: Bench,
) -> None:
    one, other = versions(3), versions(2)
    await bench.outbox.commit(*one, *other)
    relay = RelayOutbox(bench.outbox, bench.broker, bench.journal, few=5)

    assert await relay() == 5

    assert bench.broker.batches == []
    assert complaints([*one, *other], bench.broker.ids) == []
    assert bench.outbox.waiting == []


async def test_poison_among_a_few_blocks_its_aggregate_only(bench: Bench) -> None:
    sick, well = versions(3), versions(2)
    await bench.outbox.commit(*sick, *well)
    bench.broker.poison[sick[1].event_id] = "too large"
    relay = RelayOutbox(bench.outbox, bench.broker, bench.journal, few=5)

    await relay()

    assert bench.outbox.blocked == {sick[1].event_id: "too large"}
    assert bench.outbox.waiting == [sick[1].event_id, sick[2].event_id]


async def test_an_empty_outbox_is_told_as_zero_and_nothing_is_sent(
    bench: Bench,
) -> None:
    assert await bench.relay() == 0
    assert bench.broker.batches == []


async def test_a_second_pass_sends_nothing_again(bench: Bench) -> None:
    await bench.outbox.commit(*versions(2))
    await bench.relay()
    assert await bench.relay() == 0
    assert bench.broker.batches == [2]


async def test_a_claim_is_no_larger_than_asked_and_the_rest_follows(
    bench: Bench,
) -> None:
    events = versions(5)
    await bench.outbox.commit(*events)
    assert [await bench.relay(2) for _ in range(4)] == [2, 2, 1, 0]
    assert bench.broker.ids == [event.event_id for event in events]


async def test_what_the_broker_has_already_is_marked_and_the_rest_goes_in_order(
    bench: Bench,
) -> None:
    events = versions(4)
    await bench.outbox.commit(*events)
    bench.broker.stream.extend(events[:2])  # a relay died before it could mark

    await bench.relay()

    assert bench.broker.ids == [event.event_id for event in events]
    assert bench.outbox.waiting == []


async def test_one_event_that_stands_twice_in_a_batch_is_published_once(
    bench: Bench,
) -> None:
    first, second = versions(2)
    again = second._replace(event_id=first.event_id)
    await bench.outbox.commit(first, again)

    await bench.relay()

    assert bench.broker.ids == [first.event_id]
    assert bench.outbox.waiting == []


async def test_without_an_answer_nothing_is_marked_and_a_retry_doubles_nothing(
    bench: Bench,
) -> None:
    events = versions(3)
    await bench.outbox.commit(*events)
    bench.broker.away_after = 0
    with pytest.raises(BrokerUnavailable):
        await bench.relay()
    assert len(bench.outbox.waiting) == 3
    assert bench.journal.told_published == []

    bench.broker.away_after = None
    await bench.relay()

    assert bench.broker.ids == [event.event_id for event in events]
    assert bench.outbox.waiting == []


async def test_what_was_answered_before_the_broker_went_away_is_marked(
    bench: Bench,
) -> None:
    events = versions(4)
    await bench.outbox.commit(*events)
    bench.broker.stream.append(events[0])
    bench.broker.away_after = 2
    with pytest.raises(BrokerUnavailable):
        await bench.relay()
    assert bench.outbox.waiting == [event.event_id for event in events[2:]]


async def test_a_poison_event_blocks_its_aggregate_and_nobody_else(
    bench: Bench,
) -> None:
    sick, well = versions(3), versions(3)
    await bench.outbox.commit(*sick, *well)
    bench.broker.poison[sick[1].event_id] = "too large"

    await bench.relay()

    assert bench.outbox.blocked == {sick[1].event_id: "too large"}
    assert bench.journal.told_blocked == {sick[1].event_id: "too large"}
    assert bench.outbox.waiting == [sick[1].event_id, sick[2].event_id]
    assert set(bench.broker.ids) == {
        sick[0].event_id,
        *(event.event_id for event in well),
    }


async def test_the_rest_of_a_blocked_aggregate_stays_behind_in_later_passes(
    bench: Bench,
) -> None:
    sick = versions(2)
    await bench.outbox.commit(sick[0])
    bench.broker.poison[sick[0].event_id] = "too large"
    await bench.relay()
    await bench.outbox.commit(sick[1])

    assert await bench.relay() == 0
    assert bench.broker.ids == []


async def test_an_unblocked_aggregate_goes_on_in_order(bench: Bench) -> None:
    sick = versions(3)
    await bench.outbox.commit(*sick)
    bench.broker.poison[sick[0].event_id] = "too large"
    await bench.relay()

    bench.broker.poison.clear()
    assert await bench.outbox.unblock() == 1
    await bench.relay()

    assert bench.broker.ids == [event.event_id for event in sick]


async def test_poison_that_only_the_server_sees_is_found_one_by_one(
    bench: Bench,
) -> None:
    sick, well = versions(3), versions(2)
    await bench.outbox.commit(*sick, *well)
    bench.broker.refused_late.add(sick[1].event_id)

    await bench.relay()

    assert bench.outbox.blocked == {sick[1].event_id: "refused by the server"}
    assert set(bench.broker.ids) == {
        sick[0].event_id,
        *(event.event_id for event in well),
    }


async def test_poison_and_a_duplicate_in_one_batch_are_both_seen_to(
    bench: Bench,
) -> None:
    sick, known = versions(2), versions(2)
    await bench.outbox.commit(*sick, *known)
    bench.broker.stream.append(known[0])
    bench.broker.poison[sick[0].event_id] = "bad subject"

    await bench.relay()

    assert bench.broker.ids == [event.event_id for event in known]
    assert bench.outbox.waiting == [event.event_id for event in sick]

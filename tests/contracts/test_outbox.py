"""What the ports of the outbox promise, asked of memory and PostgreSQL alike."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from scheduling.adapters.postgres.outbox import open_outbox
from scheduling.adapters.postgres.outbox_desk import open_desk
from scheduling.application.ports.messaging import (
    EventNotFound,
    Outbox,
    OutboxDesk,
    WaitingEvent,
)
from tests.fakes.outbox import MemoryOutbox, an_event, in_partition
from tests.outbox_rows import commit


@dataclass
class Storage:
    outbox: Outbox
    desk: OutboxDesk
    commit: Callable[..., Awaitable[None]]
    hear: Callable[[], Awaitable[None]]
    """Wait until the outbox has heard what the desk has done."""


@pytest.fixture(params=["memory", "postgres"])
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    if request.param == "memory":
        memory = MemoryOutbox()

        async def at_once() -> None:
            return

        yield Storage(memory, memory, memory.commit, at_once)
        return
    url: str = request.getfixturevalue("database_url")

    async def commit_all(*events: WaitingEvent) -> None:
        await commit(url, events)

    async with AsyncExitStack() as stack:
        outbox = await stack.enter_async_context(open_outbox(url))
        desk = await stack.enter_async_context(open_desk(url))

        async def hear() -> None:
            outbox.start_over()  # what the relay does at the desk's NOTIFY

        yield Storage(outbox, desk, commit_all, hear)


def versions(
    count: int, *, of: UUID | None = None, first: int = 1
) -> list[WaitingEvent]:
    aggregate = of or uuid4()
    return [an_event(aggregate, first + number) for number in range(count)]


async def claimed(storage: Storage, limit: int = 1000) -> list[UUID]:
    async with storage.outbox.claim(limit) as events:
        return [event.event_id for event in events]


async def publish(storage: Storage, limit: int = 1000) -> list[UUID]:
    async with storage.outbox.claim(limit) as events:
        await storage.outbox.mark_published(events)
    return [event.event_id for event in events]


def ids(events: list[WaitingEvent]) -> list[UUID]:
    return [event.event_id for event in events]


async def test_a_claimed_event_is_the_one_that_was_committed(storage: Storage) -> None:
    event = an_event(body=b'{"exact": "bytes"}')
    await storage.commit(event)
    async with storage.outbox.claim(10) as events:
        assert [found._replace(id=0) for found in events] == [event]


async def test_the_oldest_of_a_partition_comes_first(storage: Storage) -> None:
    one, other = in_partition(7), in_partition(7)
    events = [an_event(one, 1), an_event(other, 1), an_event(one, 2)]
    for event in events:
        await storage.commit(event)
    assert await claimed(storage) == ids(events)


async def test_what_is_left_unmarked_waits_on(storage: Storage) -> None:
    events = versions(3)
    await storage.commit(*events)
    async with storage.outbox.claim(10) as found:
        await storage.outbox.mark_published(found[:1])
    assert await claimed(storage) == ids(events[1:])


async def test_an_exception_inside_a_claim_leaves_its_events_waiting(
    storage: Storage,
) -> None:
    events = versions(2)
    await storage.commit(*events)
    with pytest.raises(ZeroDivisionError):
        async with storage.outbox.claim(10):
            raise ZeroDivisionError
    assert await claimed(storage) == ids(events)


async def test_what_is_marked_is_never_claimed_again(storage: Storage) -> None:
    await storage.commit(*versions(3))
    assert len(await publish(storage)) == 3
    assert await claimed(storage) == []


async def test_a_limit_cuts_behind_the_oldest(storage: Storage) -> None:
    events = versions(5)
    await storage.commit(*events)
    found = [await publish(storage, 2) for _ in range(3)]
    assert found == [ids(events[:2]), ids(events[2:4]), ids(events[4:])]


async def test_a_long_backlog_of_one_aggregate_comes_out_in_order(
    storage: Storage,
) -> None:
    events = versions(600)
    await storage.commit(*events)
    found: list[UUID] = []
    while more := await publish(storage):
        found += more
    assert found == ids(events)


async def test_two_claims_at_a_time_share_no_partition(storage: Storage) -> None:
    first = an_event(in_partition(1))
    await storage.commit(first)
    async with storage.outbox.claim(10) as held:
        assert ids(list(held)) == [first.event_id]
        second, third = an_event(in_partition(1)), an_event(in_partition(2))
        await storage.commit(second, third)
        assert await claimed(storage) == [third.event_id]
        await storage.outbox.mark_published(held)
    assert set(await claimed(storage)) == {second.event_id, third.event_id}


async def test_a_blocked_event_holds_its_aggregate_and_nobody_else(
    storage: Storage,
) -> None:
    sick, neighbour = in_partition(3), in_partition(3)
    events = [*versions(3, of=sick), an_event(neighbour)]
    await storage.commit(*events)
    async with storage.outbox.claim(10) as found:
        await storage.outbox.block(found[0], "too large")
    assert await claimed(storage) == [events[-1].event_id]

    await storage.commit(an_event(sick, 4))
    assert await claimed(storage) == [events[-1].event_id]


async def test_blocked_ones_before_it_do_not_starve_a_neighbour(
    storage: Storage,
) -> None:
    sick, neighbour = in_partition(3), in_partition(3)
    await storage.commit(*versions(300, of=sick))
    async with storage.outbox.claim(1000) as found:
        await storage.outbox.block(found[0], "too large")
    event = an_event(neighbour)
    await storage.commit(event)
    assert await claimed(storage) == [event.event_id]


async def test_a_block_does_not_reach_another_tenants_thing_of_the_same_id(
    storage: Storage,
) -> None:
    shared = uuid4()
    sick, well = an_event(shared), an_event(shared, tenant_id=uuid4())
    await storage.commit(sick)
    async with storage.outbox.claim(10) as found:
        await storage.outbox.block(found[0], "too large")
    await storage.commit(well)
    assert await claimed(storage) == [well.event_id]


async def test_an_unblocked_aggregate_goes_on_with_what_was_blocked(
    storage: Storage,
) -> None:
    events = versions(3)
    await storage.commit(*events)
    async with storage.outbox.claim(10) as found:
        await storage.outbox.block(found[0], "too large")
    assert await claimed(storage) == []

    assert await storage.desk.unblock([uuid4()]) == 0
    assert await storage.desk.unblock([events[0].aggregate_id]) == 1
    await storage.hear()

    assert await claimed(storage) == ids(events)


async def test_the_status_tells_what_waits_and_who_is_blocked_and_why(
    storage: Storage,
) -> None:
    assert (await storage.desk.status()).pending == 0
    sick = versions(2, of=in_partition(3))
    await storage.commit(*sick)
    async with storage.outbox.claim(10) as found:
        await storage.outbox.block(found[0], "too large")
    await storage.commit(an_event(in_partition(5)))

    status = await storage.desk.status()

    assert status.pending == 3
    assert status.pending_by_partition == {3: 2, 5: 1}
    assert status.lag.total_seconds() >= 0
    (blocked,) = status.blocked
    assert blocked.event_id == sick[0].event_id
    assert blocked.aggregate_id == sick[0].aggregate_id
    assert (blocked.reason, blocked.waiting) == ("too large", 2)


async def test_a_range_is_published_again_from_event_to_event(
    storage: Storage,
) -> None:
    events = versions(5)
    await storage.commit(*events)
    await publish(storage)

    again = await storage.desk.republish(
        first=events[1].event_id, last=events[3].event_id, since=None
    )
    await storage.hear()

    assert again == 3
    assert await claimed(storage) == ids(events[1:4])


async def test_a_range_of_an_unknown_event_is_refused_and_changes_nothing(
    storage: Storage,
) -> None:
    events = versions(2)
    await storage.commit(*events)
    await publish(storage)
    with pytest.raises(EventNotFound):
        await storage.desk.republish(first=events[0].event_id, last=uuid4(), since=None)
    assert await claimed(storage) == []

"""What a feed of published events promises, in memory and on NATS."""

import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from scheduling.application.ports.event_feed import (
    EventFilter,
    Following,
    Happening,
    Position,
)
from scheduling.domain.identifiers import TenantId
from tests.contracts.feeds import MemoryWorld, World, nats_world

PATIENCE = 20.0
ALL = EventFilter()
OURS, THEIRS = TenantId(UUID(int=1)), TenantId(UUID(int=2))


@pytest.fixture(params=["memory", "nats"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
        return
    async with nats_world(request.getfixturevalue("nats_url")) as world:
        yield world


def body(**data: object) -> bytes:
    return json.dumps({"data": data}, default=str).encode()


async def heard(following: Following, count: int) -> list[Happening]:
    found: list[Happening] = []
    while len(found) < count:
        came = await following.more(PATIENCE)
        assert came, f"{len(found)} of {count}"
        found += came
    assert len(found) == count
    return found


async def publish(world: World, *numbers: int, to: UUID = OURS) -> None:
    for number in numbers:
        await world.publish(to, "slot.opened", body(number=number))


def numbers(happened: list[Happening]) -> list[int]:
    return [json.loads(one.body)["data"]["number"] for one in happened]


async def test_a_follower_hears_what_comes_from_now_on_in_order_and_byte_for_byte(
    world: World,
) -> None:
    await publish(world, 1)
    given = b'{ "data": {"a": "\xc3\xa4"} }'
    async with world.feed.follow(OURS, ALL, after=None) as following:
        assert following.is_whole
        await world.publish(OURS, "appointment.in-progress", given)
        await publish(world, 3)
        first, second = await heard(following, 2)
        assert (first.type, first.body) == ("appointment.in-progress", given)
        assert (second.type, second.body) == ("slot.opened", body(number=3))
        assert following.position == second.position
        assert await following.more(0.0) == []


async def test_from_a_position_on_comes_exactly_what_came_after_it(
    world: World,
) -> None:
    async with world.feed.follow(OURS, ALL, after=None) as following:
        begun = following.position
        await publish(world, *range(250))
        happened = await heard(following, 250)
    for known in (0, 1, 99, 100, 101, 249, 250):
        after = begun if known == 0 else happened[known - 1].position
        async with world.feed.follow(OURS, ALL, after=after) as following:
            assert following.is_whole
            assert await heard(following, 250 - known) == happened[known:]
            assert await following.more(0.0) == []


async def test_another_tenants_events_are_never_told(world: World) -> None:
    async with world.feed.follow(OURS, ALL, after=None) as following:
        await publish(world, 1, to=THEIRS)
        await publish(world, 2)
        await publish(world, 3, to=THEIRS)
        assert numbers(await heard(following, 1)) == [2]
        assert await following.more(0.0) == []


async def test_a_filter_takes_what_names_one_of_each_that_is_asked_for(
    world: World,
) -> None:
    here, there, ana, rui = (uuid4() for _ in range(4))
    told = [
        body(number=0, locationId=here, practitionerId=ana),
        body(number=1, locationId=here, practitionerId=rui),
        body(number=2, locationId=there, practitionerId=ana),
        body(number=3),
        body(number=4, locationId=None, practitionerId=ana),
        body(
            number=5,
            locationId=there,
            practitionerId=rui,
            old={"locationId": here, "practitionerId": ana},
        ),
        b"not JSON",
    ]
    asked = {
        EventFilter(frozenset({here})): [0, 1, 5],
        EventFilter(frozenset({here, there})): [0, 1, 2, 5],
        EventFilter(frozenset(), frozenset({ana})): [0, 2, 4, 5],
        EventFilter(frozenset({here}), frozenset({ana})): [0, 5],
        EventFilter(frozenset({here}), frozenset({rui})): [1],
        EventFilter(frozenset({uuid4()})): [],
    }
    async with world.feed.follow(OURS, ALL, after=None) as following:
        begun = following.position
        for one in told:
            await world.publish(OURS, "e", one)
        end = (await heard(following, len(told)))[-1].position
    for wanted, expected in asked.items():
        async with world.feed.follow(OURS, wanted, after=begun) as following:
            found: list[Happening] = []
            while following.position != end:
                found += await following.more(PATIENCE)
            assert numbers(found) == expected


async def test_a_follower_who_missed_only_others_events_is_at_the_end(
    world: World,
) -> None:
    async with world.feed.follow(OURS, ALL, after=None) as following:
        begun = following.position
    await publish(world, 1, 2, 3, to=THEIRS)
    async with world.feed.follow(OURS, ALL, after=begun) as following:
        assert following.is_whole
        assert following.position.sequence == begun.sequence + 3
        await publish(world, 4)
        assert numbers(await heard(following, 1)) == [4]


async def test_who_missed_more_than_is_kept_is_told_and_goes_on_from_the_end(
    world: World,
) -> None:
    async with world.feed.follow(OURS, ALL, after=None) as following:
        begun = following.position
        await publish(world, 1, 2)
        last = (await heard(following, 2))[-1].position
    await world.forget()
    async with world.feed.follow(OURS, ALL, after=begun) as following:
        assert not following.is_whole
        await publish(world, 3)
        assert numbers(await heard(following, 1)) == [3]
    async with world.feed.follow(OURS, ALL, after=last) as following:
        assert following.is_whole
        assert numbers(await heard(following, 1)) == [3]


async def test_a_position_of_a_feed_that_was_there_before_is_not_one_of_this(
    world: World,
) -> None:
    await publish(world, 1, 2)
    async with world.feed.follow(OURS, ALL, after=None) as following:
        before = following.position
    await world.begin_anew()
    await publish(world, 1, 2, 3)
    async with world.feed.follow(OURS, ALL, after=before) as following:
        assert not following.is_whole
        assert await following.more(0.0) == []


async def test_nobody_is_ahead_of_the_feed(world: World) -> None:
    await publish(world, 1)
    async with world.feed.follow(OURS, ALL, after=None) as following:
        end = following.position
    ahead = Position(end.feed, end.sequence + 1)
    async with world.feed.follow(OURS, ALL, after=ahead) as following:
        assert not following.is_whole
        assert following.position == end

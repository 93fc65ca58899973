"""Consumers and streams of the inbox: made at start, and mended where they drifted."""

from typing import Any

import orjson
import pytest

from scheduling.adapters.nats.connection import open_connection
from scheduling.adapters.nats.consumers import (
    FOREIGN_NEWS,
    ConsumerPlan,
    advisories,
    ensure_consumer,
    foreign_news,
    given_up,
    own_news,
)
from scheduling.adapters.nats.streams import ensure_stream
from scheduling.adapters.nats.subscription import open_subscription

NEWS = foreign_news(30, 20)
OWN = own_news(["schedule.changed", "practitioner-role.changed"], 30, 20)
ADVISED = advisories(30)

RIGHT = {
    "ack_policy": "explicit",
    "ack_wait": 30_000_000_000,
    "max_deliver": 20,
    "deliver_policy": "all",
    "replay_policy": "instant",
}


async def asked(nats_url: str, verb: str, body: object) -> dict[str, Any]:
    async with open_connection(nats_url, name="test") as broker:
        answer = await broker.request(f"$JS.API.{verb}", orjson.dumps(body))
    told: dict[str, Any] = orjson.loads(answer.data)
    assert "error" not in told, told
    return told


async def ensured(nats_url: str, plan: ConsumerPlan = NEWS) -> list[str]:
    async with open_connection(nats_url, name="test") as broker:
        await ensure_stream(broker, replicas=1)
        await ensure_stream(broker, FOREIGN_NEWS, replicas=1)
        await ensure_stream(broker, given_up([NEWS, OWN]), replicas=1)
        return await ensure_consumer(broker, plan)


async def info(nats_url: str, plan: ConsumerPlan = NEWS) -> dict[str, Any]:
    return await asked(nats_url, f"CONSUMER.INFO.{plan.stream}.{plan.name}", {})


async def make(nats_url: str, config: dict[str, Any]) -> None:
    """Make the consumer as somebody else would have it."""
    await ensured(nats_url)
    address = f"{NEWS.stream}.{NEWS.name}"
    await asked(nats_url, f"CONSUMER.DELETE.{address}", {})
    drifted = {"durable_name": NEWS.name, **RIGHT, **config}
    body = {"stream_name": NEWS.stream, "config": drifted}
    await asked(nats_url, f"CONSUMER.DURABLE.CREATE.{address}", body)


@pytest.mark.parametrize("plan", [NEWS, OWN, ADVISED], ids=lambda plan: plan.name)
async def test_what_is_missing_is_made_and_what_is_right_is_left_alone(
    plan: ConsumerPlan, nats_url: str
) -> None:
    assert await ensured(nats_url, plan) == []
    before = await info(nats_url, plan)
    assert await ensured(nats_url, plan) == []
    after = await info(nats_url, plan)
    assert (after["created"], after["config"]) == (before["created"], before["config"])
    deliveries = -1 if plan is ADVISED else 20
    found = {name: after["config"][name] for name in RIGHT}
    assert found == {**RIGHT, "max_deliver": deliveries}


async def test_of_our_own_events_those_come_that_we_follow(nats_url: str) -> None:
    await ensured(nats_url, OWN)
    found = (await info(nats_url, OWN))["config"]
    assert found["filter_subjects"] == [
        "scheduling.*.practitioner-role.changed",
        "scheduling.*.schedule.changed",
    ]


@pytest.mark.parametrize(
    "drift",
    [
        {"ack_wait": 1_000_000_000},
        {"max_deliver": 3},
        {"max_ack_pending": 1},
        {"filter_subject": "inbox.*.patient.created"},
        {"headers_only": True},
        {"inactive_threshold": 60_000_000_000},
        {"max_batch": 1},
        {"max_expires": 1_000_000_000},
        {"max_bytes": 10},
        {"backoff": [1_000_000_000, 2_000_000_000]},
    ],
    ids=lambda drift: next(iter(drift)),
)
async def test_what_can_be_changed_is_mended_in_place(
    drift: dict[str, Any], nats_url: str
) -> None:
    await make(nats_url, drift)
    before = await info(nats_url)
    assert set(drift) <= set(await ensured(nats_url))
    after = await info(nats_url)
    assert after["created"] == before["created"]
    assert {name: after["config"][name] for name in RIGHT} == RIGHT
    assert not set(drift) & after["config"].keys() - {*RIGHT, "max_ack_pending"}
    assert await ensured(nats_url) == []


@pytest.mark.parametrize(
    "drift",
    [
        {"ack_policy": "all"},
        {"ack_policy": "none"},
        {"replay_policy": "original"},
        {"deliver_subject": "somewhere"},
        {"mem_storage": True},
    ],
    ids=lambda drift: "-".join(map(str, *drift.items())),
)
async def test_what_cannot_be_changed_is_made_anew_where_it_stood(
    drift: dict[str, Any], nats_url: str
) -> None:
    await make(nats_url, drift)
    async with open_connection(nats_url, name="test") as broker:
        for number in range(3):
            await broker.request("inbox.a.b", str(number).encode())
    assert set(drift) <= set(await ensured(nats_url))
    found = await info(nats_url)
    assert found["config"]["ack_policy"] == "explicit"
    assert "deliver_subject" not in found["config"]
    assert await ensured(nats_url) == []


async def test_one_made_anew_goes_on_where_it_stood(nats_url: str) -> None:
    await make(nats_url, {"mem_storage": True})
    async with open_connection(nats_url, name="test") as broker:
        for number in range(3):
            await broker.request("inbox.a.b", str(number).encode())
        async with open_subscription(broker, NEWS) as subscription:
            await (await subscription.next()).done()
    await ensured(nats_url)
    async with (
        open_connection(nats_url, name="test") as broker,
        open_subscription(broker, NEWS) as subscription,
    ):
        assert (await subscription.next()).body == b"1"


async def test_what_nobody_read_goes_to_others_at_once(nats_url: str) -> None:
    await ensured(nats_url)
    async with open_connection(nats_url, name="test") as broker:
        for number in range(5):
            await broker.request("inbox.a.b", str(number).encode())
        async with open_subscription(broker, NEWS) as subscription:
            await (await subscription.next()).done()
        async with open_subscription(broker, NEWS) as subscription:
            found = [await subscription.next() for _ in range(4)]
    assert sorted(one.body for one in found) == [b"1", b"2", b"3", b"4"]


async def test_an_answer_that_comes_too_late_is_heard_all_the_same(
    nats_url: str,
) -> None:
    await ensured(nats_url)
    async with open_connection(nats_url, name="test") as broker:
        await broker.request("inbox.a.b", b"{}")
        async with open_subscription(broker, NEWS) as subscription:
            first = await subscription.next()
            await first.again(0)
            second = await subscription.next()
            await second.done()
            await first.done()
            await first.give_up()
            await first.still_at_it()
            assert (first.count, second.count) == (1, 2)

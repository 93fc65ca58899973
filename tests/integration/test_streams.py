import re
from typing import Any

import orjson
import pytest

from scheduling.adapters.embedded.folders import free_port
from scheduling.adapters.nats.connection import open_connection
from scheduling.adapters.nats.streams import UnsafeStream, ensure_stream
from scheduling.application.ports.messaging import BrokerUnavailable

RIGHT = {
    "name": "SCHEDULING",
    "subjects": ["scheduling.>"],
    "storage": "file",
    "retention": "limits",
    "discard": "new",
    "duplicate_window": 600_000_000_000,
    "num_replicas": 1,
    "allow_atomic": True,
    "allow_direct": True,
}


async def asked(nats_url: str, verb: str, body: dict[str, Any]) -> dict[str, Any]:
    async with open_connection(nats_url, name="test") as broker:
        answer = await broker.client.request(
            f"$JS.API.STREAM.{verb}.SCHEDULING", orjson.dumps(body), timeout=5
        )
    told: dict[str, Any] = orjson.loads(answer.data)
    assert "error" not in told, told
    return told


async def ensured(nats_url: str) -> list[str]:
    async with open_connection(nats_url, name="test") as broker:
        return await ensure_stream(broker, replicas=1)


async def configuration(nats_url: str) -> dict[str, Any]:
    found: dict[str, Any] = (await asked(nats_url, "INFO", {}))["config"]
    return found


async def test_a_missing_stream_is_made_as_events_need_it(nats_url: str) -> None:
    assert await ensured(nats_url) == []
    found = await configuration(nats_url)
    assert {name: found[name] for name in RIGHT} == RIGHT


async def test_a_stream_that_is_right_is_left_alone(nats_url: str) -> None:
    await ensured(nats_url)
    before = await configuration(nats_url)
    assert await ensured(nats_url) == []
    assert await configuration(nats_url) == before


@pytest.mark.parametrize(
    "drift",
    [
        {"allow_atomic": False},
        {"allow_direct": False},
        {"discard": "old"},
        {"duplicate_window": 60_000_000_000},
        {"subjects": ["scheduling.a.>", "other.>"]},
        {"discard_new_per_subject": True, "max_msgs_per_subject": 5},
    ],
    ids=lambda drift: next(iter(drift)),
)
async def test_drift_that_harms_no_event_is_mended(
    drift: dict[str, Any], nats_url: str
) -> None:
    await asked(nats_url, "CREATE", {**RIGHT, **drift})
    assert await ensured(nats_url) == [next(iter(drift))]
    found = await configuration(nats_url)
    subjects = found.pop("subjects")
    assert "scheduling.>" in subjects
    assert ("other.>" in subjects) == ("other.>" in drift.get("subjects", []))
    assert {n: found[n] for n in RIGHT if n != "subjects"} == {
        name: value for name, value in RIGHT.items() if name != "subjects"
    }
    assert not found.get("discard_new_per_subject")


async def test_mending_keeps_the_operators_limits_and_the_events(
    nats_url: str,
) -> None:
    await asked(
        nats_url,
        "CREATE",
        {**RIGHT, "allow_atomic": False, "max_age": 86_400_000_000_000}
        | {"max_bytes": 1_000_000_000, "description": "kept"},
    )
    async with open_connection(nats_url, name="test") as broker:
        await broker.client.jetstream().publish("scheduling.t.e", b"{}")
    assert await ensured(nats_url) == ["allow_atomic"]
    found = await configuration(nats_url)
    assert found["max_age"] == 86_400_000_000_000
    assert found["max_bytes"] == 1_000_000_000
    assert found["description"] == "kept"
    assert (await asked(nats_url, "INFO", {}))["state"]["messages"] == 1


@pytest.mark.parametrize(
    ("drift", "words"),
    [
        ({"storage": "memory"}, "storage is 'memory'"),
        ({"retention": "workqueue"}, "retention is 'workqueue'"),
        ({"no_ack": True, "allow_atomic": False}, "no_ack is True"),
    ],
    ids=["storage", "retention", "no_ack"],
)
async def test_a_stream_that_could_lose_events_is_refused_and_not_touched(
    drift: dict[str, Any], words: str, nats_url: str
) -> None:
    await asked(nats_url, "CREATE", {**RIGHT, **drift})
    before = await configuration(nats_url)
    with pytest.raises(UnsafeStream, match=re.escape(words)):
        await ensured(nats_url)
    assert await configuration(nats_url) == before


async def test_no_server_is_told_as_broker_unavailable() -> None:
    with pytest.raises(BrokerUnavailable):
        await ensured(f"nats://127.0.0.1:{free_port()}")


async def test_more_replicas_than_servers_is_told_in_the_servers_words(
    nats_url: str,
) -> None:
    async with open_connection(nats_url, name="test") as broker:
        with pytest.raises(BrokerUnavailable, match="replicas"):
            await ensure_stream(broker, replicas=3)

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.requests import ClientDisconnect

from scheduling.entrypoints.telemetry import Metrics, configure_logging
from tests.unit.http.door import ANY_UUID, Door


@pytest.fixture
def log() -> io.BytesIO:
    stream = io.BytesIO()
    configure_logging("info", stream)
    return stream


@pytest.fixture
def door(log: io.BytesIO) -> Door:  # noqa: ARG001  # nothing may be logged elsewhere
    return Door()


@pytest.fixture
async def client(door: Door) -> AsyncIterator[httpx2.AsyncClient]:
    async with door.client() as client:
        yield client


async def test_every_answer_has_a_request_id_of_its_own(
    client: httpx2.AsyncClient,
) -> None:
    paths = ["/livez", "/nowhere", "/crash", "/v1/things/no-uuid", "/me"]
    answers = [await client.get(path) for path in paths]
    assert [a.status_code for a in answers] == [200, 404, 500, 422, 401]
    assert len({a.headers["x-request-id"] for a in answers}) == len(paths)


async def test_a_sane_request_id_is_kept(client: httpx2.AsyncClient) -> None:
    given = {"X-Request-Id": "3f0c-retry.7"}
    answer = await client.get("/livez", headers=given)
    assert answer.headers["x-request-id"] == "3f0c-retry.7"


@pytest.mark.parametrize(
    "given",
    ["", "short", "x" * 65, "with blank 1", 'quote"123', "\xe9\xe9\xe9\xe9abcd"],
)
async def test_any_other_request_id_is_replaced(
    client: httpx2.AsyncClient, given: str
) -> None:
    answer = await client.get(
        "/livez", headers=[(b"X-Request-Id", given.encode("latin-1"))]
    )
    assert answer.headers["x-request-id"] != given


async def test_answers_are_not_sniffed_framed_or_cached(
    client: httpx2.AsyncClient,
) -> None:
    headers = (await client.get("/livez")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"


async def test_who_comes_when_the_house_is_full_is_asked_to_come_again() -> None:
    door = Door(max_in_flight=3)
    async with asyncio.timeout(10), door.client() as client:
        waiting = [asyncio.create_task(client.get("/slow")) for _ in range(3)]
        for _ in waiting:
            await door.held.acquire()

        turned_away = await asyncio.gather(*(client.get("/slow") for _ in range(20)))
        alive = await client.get("/livez")
        door.release.set()
        served = await asyncio.gather(*waiting)
        afterwards = await client.get("/slow")

    assert {a.status_code for a in turned_away} == {503}
    assert {a.headers["retry-after"] for a in turned_away} == {"1"}
    assert {a.json()["code"] for a in turned_away} == {"SERVICE_UNAVAILABLE"}
    assert alive.status_code == 200
    assert [a.status_code for a in served] == [200] * 3
    assert afterwards.status_code == 200


async def test_a_client_that_goes_away_gives_its_place_back() -> None:
    door = Door(max_in_flight=1)
    async with door.client() as client:
        gone = asyncio.create_task(client.get("/slow"))
        await door.held.acquire()
        gone.cancel()
        await asyncio.wait([gone])
        door.release.set()
        assert (await client.get("/slow")).status_code == 200


async def test_a_body_that_says_it_is_too_long_is_not_read(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.post("/v1/things", content=b"x" * 1001)
    assert answer.status_code == 413
    assert answer.json()["code"] == "PAYLOAD_TOO_LARGE"


async def test_a_body_that_does_not_say_so_is_cut_off(
    client: httpx2.AsyncClient,
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b"x" * 100

    answer = await client.post("/v1/things", content=endless())
    assert answer.status_code == 413
    assert answer.json()["code"] == "PAYLOAD_TOO_LARGE"


async def test_requests_are_counted_by_template(
    client: httpx2.AsyncClient, door: Door
) -> None:
    for path in ("/v1/things/no-uuid", f"/v1/things/{ANY_UUID}", "/x/1", "/x/2"):
        await client.get(path)
    await client.request("BREW", "/x/3")

    text = Metrics(door.registry).render()[0].decode()
    counted = re.findall(r"requests_total\{(.*)\} (.*)", text)
    assert set(counted) == {
        ('method="GET",route="/v1/things/{id}",status="200"', "1.0"),
        ('method="GET",route="/v1/things/{id}",status="422"', "1.0"),
        ('method="GET",route="unmatched",status="404"', "2.0"),
        ('method="OTHER",route="unmatched",status="404"', "1.0"),
    }
    assert "scheduling_http_requests_in_flight 0.0" in text


async def test_a_crash_is_told_by_type_and_place_but_not_by_message(
    client: httpx2.AsyncClient, door: Door, log: io.BytesIO
) -> None:
    door.crash = ValueError("Maria Silva, +55 27 99999-0000")
    door.crash.__cause__ = KeyError("maria@example.test")
    answer = await client.get("/crash")

    assert answer.status_code == 500
    assert answer.json()["code"] == "INTERNAL_ERROR"
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    crash = next(line for line in lines if line["event"] == "request.crashed")
    assert crash["request_id"] == answer.headers["x-request-id"]
    assert [e["type"] for e in crash["exception"]] == ["ValueError", "KeyError"]
    assert any("_crash" in place for place in crash["exception"][0]["at"])
    for told in (answer.text, log.getvalue().decode()):
        assert "Maria" not in told
        assert "maria" not in told


async def test_the_access_log_holds_no_path_query_token_or_body(
    client: httpx2.AsyncClient, log: io.BytesIO
) -> None:
    await client.post(
        f"/v1/things?name=MARKER-query&id={ANY_UUID}",
        json={"patientId": "MARKER-body", "MARKER-field": 1},
        headers={
            "Authorization": "Bearer MARKER-token",
            "Cookie": "MARKER-cookie",
            "traceparent": "MARKER-trace",
        },
    )
    await client.get("/v1/things/MARKER-path")
    text = log.getvalue().decode()
    assert text.count('"event":"request"') == 2
    assert "MARKER" not in text


async def test_a_client_that_goes_away_is_no_fault_of_ours(
    door: Door, client: httpx2.AsyncClient, log: io.BytesIO
) -> None:
    door.crash = ClientDisconnect()
    await client.get("/crash")
    figures = Metrics(door.registry).render()[0].decode()
    assert 'route="/crash",status="499"} 1.0' in figures
    assert b"request.crashed" not in log.getvalue()

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Annotated
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from scheduling.application.ports.identity import Caller, Scope
from scheduling.entrypoints.http.app import Wired, create_app
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.direct_route import (
    DirectRoute,
    keep_fixed_words,
    room,
)
from scheduling.entrypoints.http.middleware import FrontDoor
from scheduling.entrypoints.http.problems import answer_with_problems
from scheduling.entrypoints.http.refusals import RefusalAudit
from scheduling.entrypoints.http.request_metrics import RequestMetrics
from scheduling.entrypoints.http.shapes import Shape
from scheduling.entrypoints.telemetry import open_metrics
from tests.fakes.storage import MemoryStorage
from tests.unit.http.door import RECEPTION, TokensInHand

router = room("/things", "things")

Asking = Annotated[Caller, Depends(Requires(Scope.BOOK))]
JSON = {"Content-Type": "application/json"}
SIGNED_IN = {"Authorization": "Bearer reception"}


class Wish(Shape):
    how_many: int


@router.put("/{id}")
async def wish(id: UUID, wanted: Wish, request: Request, caller: Asking) -> Response:
    told = f"{id} {wanted.how_many} {caller.subject} {request.method}"
    return Response(told, media_type="text/plain")


@router.get("/asked")
async def asked(caller: Asking, how: str) -> str:
    return f"{how} {caller.subject}"


class Question(Shape):
    how_many: int = 1
    of_kind: tuple[str, ...] = ()


@router.get("/counted")
async def counted(wanted: Annotated[Question, Query()], caller: Asking) -> Response:
    told = f"{wanted.how_many} {wanted.of_kind} {caller.subject}"
    return Response(told, media_type="text/plain")


@router.post("/preview")
async def preview() -> Response:
    return Response("preview", media_type="text/plain")


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    app = FastAPI()
    app.router.routes.extend(router.routes)
    keep_fixed_words(app.router.routes)
    answer_with_problems(app)
    registry = open_metrics().registry
    metrics = RequestMetrics(registry)
    refusals = RefusalAudit(MemoryStorage().recorder, registry)
    door = FrontDoor(app, metrics=metrics, max_in_flight=10)
    authenticate = TokensInHand(reception=RECEPTION)

    async def with_state(scope: dict[str, object], *rest: object) -> None:
        scope["state"] = {"authenticate": authenticate, "refusals": refusals}
        await door(scope, *rest)  # type: ignore[arg-type]

    transport = httpx2.ASGITransport(app=with_state)  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
        yield client


async def test_a_handler_gets_its_id_body_request_and_caller(
    client: httpx2.AsyncClient,
) -> None:
    id = uuid4()
    answer = await client.put(
        f"/v1/things/{id}", json={"howMany": 3}, headers=SIGNED_IN
    )
    assert answer.text == f"{id} 3 reception PUT"


async def test_who_asks_is_settled_before_what_is_asked(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.put("/v1/things/no-id", content=b"{", headers=JSON)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, None),
        (b"", 422, "body"),
        (b"[]", 422, "body"),
        (b'{"howMany":"x"}', 422, "howMany"),
        (b'{"howMany":1,"more":2}', 422, "more"),
    ],
)
async def test_a_bad_body_is_told_by_its_field(
    client: httpx2.AsyncClient, body: bytes, status: int, field: str | None
) -> None:
    answer = await client.put(
        f"/v1/things/{uuid4()}", content=body, headers=SIGNED_IN | JSON
    )
    assert answer.status_code == status
    assert answer.json()["code"] == "VALIDATION_FAILED"
    if field is not None:
        assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_an_id_that_is_none_is_told_as_the_path_s(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.put(
        "/v1/things/no-id", json={"howMany": 1}, headers=SIGNED_IN
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "id"


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-8", 200),
        ("application/merge-patch+json", 200),
        ("text/plain", 400),
        ("application/jsonish", 400),
        ("", 400),
    ],
)
async def test_a_body_must_say_that_it_is_json(
    client: httpx2.AsyncClient, content_type: str, status: int
) -> None:
    answer = await client.put(
        f"/v1/things/{uuid4()}",
        content=b'{"howMany":1}',
        headers=SIGNED_IN | {"Content-Type": content_type},
    )
    assert answer.status_code == status


async def test_a_handler_with_query_parameters_goes_fastapi_s_own_way(
    client: httpx2.AsyncClient,
) -> None:
    assert all(isinstance(route, DirectRoute) for route in router.routes)
    answer = await client.get("/v1/things/asked?how=so", headers=SIGNED_IN)
    assert answer.json() == "so reception"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("", "1 () reception"),
        ("howMany=2", "2 () reception"),
        ("ofKind=a&howMany=3&ofKind=b", "3 ('a', 'b') reception"),
    ],
)
async def test_a_model_of_query_parameters_is_read_directly(
    client: httpx2.AsyncClient, asked: str, told: str
) -> None:
    answer = await client.get(f"/v1/things/counted?{asked}", headers=SIGNED_IN)
    assert answer.text == told


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("howMany=x", "howMany"),
        ("howMany=1&howMany=1", "howMany"),
        ("Maria%20Silva=1&Maria%20Silva=2", "?"),
        ("how_many=1", "how_many"),
        ("colour=red", "colour"),
    ],
)
async def test_parameters_that_make_no_sense_are_told_by_name(
    client: httpx2.AsyncClient, asked: str, field: str
) -> None:
    answer = await client.get(f"/v1/things/counted?{asked}", headers=SIGNED_IN)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


async def test_a_fixed_word_is_no_id(client: httpx2.AsyncClient) -> None:
    """Whatever is not done with the word is not done, not done to a thing so named."""
    assert (await client.post("/v1/things/preview")).text == "preview"
    refused = await client.put("/v1/things/preview", json={}, headers=SIGNED_IN)
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    longer = await client.put("/v1/things/preview2", json={}, headers=SIGNED_IN)
    assert longer.status_code == 422


def test_all_that_takes_a_token_is_read_directly() -> None:
    """So that nowhere a parameter that is given twice is one of the two."""

    def unwired() -> AbstractAsyncContextManager[Wired]:
        raise AssertionError("nothing is asked of it")

    routes = [
        route
        for route in create_app(unwired).router.routes
        if isinstance(route, APIRoute) and route.path.startswith("/v1/")
    ]
    direct = [r for r in routes if isinstance(r, DirectRoute) and r.is_direct]
    assert routes
    assert [route.name for route in routes if route not in direct] == []

"""Every operation there is, as its document shows it, asked for by who may not.

Whatever is added later is in the document, and so in here.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx2

from tests.acceptance.conftest import ALL, Token
from tests.acceptance.desk import Desk, Thing

Document = dict[str, Any]
Answer = tuple[int, str]

A_DAY = {"date": "2030-01-07"}
ONE_OF_SEVERAL: dict[str, Thing] = {
    "/v1/calendar": {"locationId": str(UUID(int=1))},
    "/v1/locations/{id}/slots": A_DAY,
    "/v1/practitioners/{id}/slots": A_DAY,
}
"""What is asked for where not one parameter but one of several is required."""


class Operation:
    """One operation, with the example of each thing that it takes."""

    def __init__(
        self, document: Document, method: str, path: str, told: Document
    ) -> None:
        parameters = told.get("parameters", [])
        self.method, self.name = method.upper(), f"{method.upper()} {path}"
        self.ids = [one["name"] for one in parameters if one["in"] == "path"]
        self.path = path
        self.query = ONE_OF_SEVERAL.get(path, {}) | {
            one["name"]: one["example"]
            for one in parameters
            if one["in"] == "query" and one.get("required")
        }
        self.body = _body(document, told)

    async def asked_by(self, desk: Desk) -> httpx2.Response:
        """Of things that nobody knows."""
        path = self.path
        for name in self.ids:
            path = path.replace(f"{{{name}}}", str(uuid4()))
        more: Thing = {"params": self.query} if self.query else {}
        if self.body is not None:
            more["json"] = self.body
        # Where a version is asked for, none is missing.
        headers = {"If-Match": '"1"'} if self.method == "DELETE" else {}
        return await desk.ask(self.method, path, headers=headers, **more)


def _body(document: Document, told: Document) -> Any:  # noqa: ANN401
    if "requestBody" not in told:
        return None
    schema = told["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].rpartition("/")[2]
    return document["components"]["schemas"][name]["examples"][0]


def operations(document: Document) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            if path.startswith("/v1/"):
                yield Operation(document, method, path, told)


async def all_of(http: httpx2.AsyncClient) -> list[Operation]:
    found = list(operations((await http.get("/openapi.json")).json()))
    assert len(found) > 50
    return found


def code(answer: httpx2.Response) -> Answer:
    return answer.status_code, answer.json().get("code", "")


async def test_every_door_asks_who_comes_before_anything_else(
    http: httpx2.AsyncClient, token: Token
) -> None:
    strangers = {
        "nobody": "nobody",
        "forged": token() + "x",
        "expired": token(lifetime=-3600),
    }
    for who, bearer in strangers.items():
        desk = Desk(http, bearer)
        told = {one.name: code(await one.asked_by(desk)) for one in await all_of(http)}
        assert set(told.values()) == {(401, "UNAUTHENTICATED")}, (who, told)


async def test_every_door_takes_a_scope(http: httpx2.AsyncClient, token: Token) -> None:
    powerless = Desk(http, token(scope=""))
    told = {one.name: code(await one.asked_by(powerless)) for one in await all_of(http)}
    assert set(told.values()) == {(403, "FORBIDDEN")}, told


async def test_no_change_is_made_by_who_may_only_read(
    http: httpx2.AsyncClient, token: Token
) -> None:
    reader = Desk(http, token(scope="scheduling:read"))
    told = {
        one.name: code(await one.asked_by(reader))
        for one in await all_of(http)
        if one.method != "GET" and not one.path.endswith(("/preview", "/search"))
    }
    assert set(told.values()) == {(403, "FORBIDDEN")}, told


FOR_STAFF = {
    "GET /v1/calendar",
    "GET /v1/statistics",
    "GET /v1/events/stream",
    "POST /v1/appointments/status",
    "POST /v1/patients/search",
    "POST /v1/schedules",
    "POST /v1/schedules/{id}/exceptions",
    "DELETE /v1/schedules/{id}/exceptions/{exceptionId}",
    "POST /v1/slots",
    "POST /v1/slots/{id}/block",
    "POST /v1/slots/{id}/unblock",
    "GET /v1/slots/{id}/waitlist-candidates",
    "POST /v1/waitlist/{id}/fulfil",
    "POST /v1/waitlist/{id}/offer",
    "PUT /v1/practitioners/{id}",
    "PUT /v1/locations/{id}",
    "PUT /v1/patients/{id}",
    "PUT /v1/practitioner-roles/{id}",
    "PATCH /v1/practitioner-roles/{id}",
    "DELETE /v1/practitioner-roles/{id}",
    "POST /v1/schedules/{id}/generate",
    "GET /v1/schedules/{id}/generation-runs",
    "PUT /v1/settings",
}


async def test_what_is_for_staff_is_refused_to_a_patient_with_all_scopes(
    desk: Desk, http: httpx2.AsyncClient, token: Token
) -> None:
    patient = await desk.a_patient()
    own = Desk(http, token(scope=ALL, patient_id=patient))
    told = {
        one.name: code(await one.asked_by(own))
        for one in await all_of(http)
        if one.name in FOR_STAFF
    }
    assert set(told) == FOR_STAFF
    assert set(told.values()) == {(403, "FORBIDDEN")}, told


async def test_what_nobody_knows_is_a_404_or_nothing(
    desk: Desk, http: httpx2.AsyncClient
) -> None:
    """Of ids in a path; and no example in the document is refused for its shape."""
    for one in await all_of(http):
        if one.name == "GET /v1/events/stream":
            continue
        answer = await one.asked_by(desk)
        if one.ids and one.method != "PUT":
            assert answer.status_code == 404, (one.name, answer.text)
            assert answer.json()["code"].endswith("_NOT_FOUND"), answer.text
        else:
            assert answer.status_code != 422, (one.name, answer.text)

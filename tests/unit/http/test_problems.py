import json
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx2
import pytest

from scheduling.domain import errors
from scheduling.entrypoints.http.problems import STATUSES, TYPE_BASE, status_of
from tests.unit.http.door import CONFLICT, TENANT, Door

RECEPTION = {"Authorization": "Bearer reception"}
CLERK = {"Authorization": "Bearer clerk"}
PATIENT = {"Authorization": "Bearer patient"}


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with Door().client() as client:
        yield client


def refusals(of: type[errors.DomainError]) -> set[type[errors.DomainError]]:
    return {of}.union(*(refusals(kind) for kind in of.__subclasses__()))


def test_every_refusal_has_a_status_and_a_code_of_its_own() -> None:
    said = refusals(errors.DomainError) - {errors.DomainError, errors.NotFound}
    for refusal in said - {errors.NotBookable}:
        assert 400 <= status_of(refusal) < 500
        assert refusal.code != errors.DomainError.code, refusal
    assert set(STATUSES) <= said | {errors.NotFound}


async def test_a_refusal_is_told_whole(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/things/refused/why", headers=RECEPTION)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": f"{TYPE_BASE}double-booking-detected",
        "title": "Double booking detected",
        "status": 409,
        "detail": f"why {TENANT}",
        "code": "DOUBLE_BOOKING_DETECTED",
        "conflictingAppointmentIds": [str(CONFLICT)],
    }


async def test_a_patient_does_not_learn_whose_appointment_is_in_the_way(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.get("/v1/things/refused/why", headers=PATIENT)
    assert answer.status_code == 409
    assert "conflictingAppointmentIds" not in answer.json()


async def test_what_is_wrong_is_told_by_field_but_not_repeated(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.post(
        "/v1/things",
        json={"patientId": "xMARKERx", "minutes": "MARKER", "Maria Silva": "MARKER"},
        headers=RECEPTION,
    )
    assert answer.status_code == 422
    assert answer.json()["code"] == "VALIDATION_FAILED"
    assert answer.json()["errors"] == [
        {"field": "patientId", "message": "Input should be a valid UUID"},
        {
            "field": "minutes",
            "message": "Input should be a valid integer",
        },
        {"field": "?", "message": "Extra inputs are not permitted"},
    ]
    assert "MARKER" not in answer.text


@pytest.mark.parametrize(
    ("body", "sort"),
    [
        (b"{", "application/json"),
        (b"\xff", "application/json"),
        (b"[" * 900, "application/json"),
        (b"patientId=1", "application/x-www-form-urlencoded"),
        (b"{}", "text/plain"),
    ],
)
async def test_what_is_not_json_is_a_400(
    client: httpx2.AsyncClient, body: bytes, sort: str
) -> None:
    answer = await client.post(
        "/v1/things", content=body, headers=RECEPTION | {"Content-Type": sort}
    )
    assert answer.status_code == 400
    assert answer.json()["code"] == "VALIDATION_FAILED"


@pytest.mark.parametrize("body", [None, "text", [], 7])
async def test_json_of_another_shape_is_a_422(
    client: httpx2.AsyncClient, body: object
) -> None:
    answer = await client.post(
        "/v1/things",
        content=json.dumps(body),
        headers=RECEPTION | {"Content-Type": "application/json"},
    )
    assert answer.status_code == 422


async def test_a_missing_body_is_named(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/v1/things", headers=RECEPTION)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body"


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        (None, "missing"),
        ("", "malformed"),
        ("Bearer", "malformed"),
        ("Bearer ", "malformed"),
        ("Basic reception", "malformed"),
        ("Bearer nobody", "not-trusted"),
    ],
)
async def test_who_is_unknown_is_told_what_it_takes(
    client: httpx2.AsyncClient, authorization: str | None, reason: str
) -> None:
    given = {} if authorization is None else {"Authorization": authorization}
    answer = await client.get("/me", headers=given)
    assert answer.status_code == 401
    assert answer.json()["code"] == "UNAUTHENTICATED"
    assert answer.json()["reason"] == reason
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="scheduling"')
    assert ("invalid_token" in challenge) is (reason != "missing")


async def test_two_tokens_at_once_are_none(client: httpx2.AsyncClient) -> None:
    twice = [("Authorization", "Bearer reception")] * 2
    assert (await client.get("/me", headers=twice)).status_code == 401


async def test_who_lacks_the_scope_is_told_which(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/admin", headers=CLERK)
    assert answer.status_code == 403
    assert answer.json()["code"] == "FORBIDDEN"
    assert answer.json()["scope"] == "scheduling:admin"
    challenge = answer.headers["www-authenticate"]
    assert challenge.endswith('error="insufficient_scope", scope="scheduling:admin"')


@pytest.mark.parametrize("path", ["/admin", "/staff"])
async def test_a_patient_is_not_sent_for_a_scope_that_would_not_help(
    client: httpx2.AsyncClient, path: str
) -> None:
    answer = await client.get(path, headers=PATIENT)
    assert answer.status_code == 403
    assert answer.json()["code"] == "FORBIDDEN"
    assert answer.json()["detail"] == "A patient's own token does not allow it."
    assert "scope" not in answer.json()
    assert answer.headers["www-authenticate"].endswith('error="insufficient_scope"')


async def test_a_detail_names_the_field_that_it_is_about(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.get("/v1/things/invalid/to", headers=RECEPTION)
    assert answer.json()["detail"] == "to: must be after from"
    assert answer.json()["errors"] == [{"field": "to", "message": "must be after from"}]


async def test_the_caller_carries_request_id_and_trace(
    client: httpx2.AsyncClient,
) -> None:
    trace = f"00-{uuid4().hex}-00f067aa0ba902b7-01"
    for given, kept in ((trace, trace), ("00-zz-1-01", None)):
        answer = await client.get("/me", headers=RECEPTION | {"traceparent": given})
        assert answer.json() == {"request_id": "True", "traceparent": kept}


async def test_a_database_that_is_away_is_worth_another_try(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.get("/away")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["code"] == "SERVICE_UNAVAILABLE"
    assert "secret" not in answer.text


async def test_a_wrong_verb_is_told_the_right_one(client: httpx2.AsyncClient) -> None:
    answer = await client.delete("/livez")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.json()["code"] == "METHOD_NOT_ALLOWED"

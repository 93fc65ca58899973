"""The API keeps to its own document: real answers against what is documented."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx2
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from scheduling.adapters.cloud_events.asyncapi import asyncapi_json
from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at
from tests.acceptance.waiting_room import a_day_with_the_waitlist

Document = dict[str, Any]


def documented(document: Document, answer: httpx2.Response) -> Document:
    """Return the documented response of an answer."""
    method, path = answer.request.method.lower(), answer.request.url.path
    # A fixed word comes before an id, as it does in routing.
    by_ids = sorted(document["paths"].items(), key=lambda one: one[0].count("{"))
    for template, operations in by_ids:
        parts, given = template.split("/"), path.split("/")
        fits = len(parts) == len(given) and all(
            part == told or part.startswith("{")
            for part, told in zip(parts, given, strict=True)
        )
        if fits and method in operations:
            response: Document = operations[method]["responses"][
                str(answer.status_code)
            ]
            return response
    raise LookupError(f"{method} {path}")


def strict(schema: Any) -> Any:  # noqa: ANN401
    """Every property of ours is required, and there is no other."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    tightened = {name: strict(value) for name, value in schema.items()}
    if "properties" in schema and schema.get("additionalProperties") is False:
        tightened["required"] = list(schema["properties"])
    return tightened


def complaints(document: Document, answer: httpx2.Response) -> Iterator[str]:
    response = documented(document, answer)
    for header in answer.headers:
        if header in {"etag", "location", "retry-after", "www-authenticate"} and (
            header not in {name.lower() for name in response["headers"]}
        ):
            yield f"{header} is not documented"
    sort = answer.headers.get("content-type", "").partition(";")[0]
    if answer.status_code == 304:
        return
    if sort not in response["content"]:
        yield f"{sort} is not documented"
        return
    schema = response["content"][sort]["schema"]
    views = strict(document["components"]) if answer.is_success else None
    whole = {**schema, "components": views or document["components"]}
    assert validator_for(whole, Draft202012Validator) is Draft202012Validator
    for error in Draft202012Validator(
        whole, format_checker=Draft202012Validator.FORMAT_CHECKER
    ).iter_errors(answer.json()):
        yield f"{list(error.absolute_path)}: {error.message}"
    if answer.is_error:
        examples = response["content"][sort]["examples"]
        if answer.json()["code"] not in examples:
            yield f"{answer.json()['code']} has no example"


async def test_what_the_api_answers_is_what_it_documents(
    desk: Desk, token: Token
) -> None:
    document: Document = (await desk.http.get("/openapi.json")).json()
    await _a_day_at_the_desk(desk)
    await a_day_with_the_waitlist(desk)
    powerless = Desk(desk.http, token(scope="scheduling:book"), desk.everything)
    await powerless.get("/v1/settings")
    found = {
        f"{a.request.method} {a.request.url.path} {a.status_code}: {complaint}"
        for a in desk.everything
        for complaint in complaints(document, a)
    }
    assert found == set()
    seen = {a.status_code for a in desk.everything}
    assert seen == {200, 201, 304, 400, 401, 403, 404, 409, 412, 422, 428}


async def test_the_contract_judge_sees_what_is_not_documented(desk: Desk) -> None:
    document: Document = (await desk.http.get("/openapi.json")).json()
    answer = await desk.get(f"/v1/patients/{await desk.a_patient()}")
    assert list(complaints(document, answer)) == []
    del document["components"]["schemas"]["PatientView"]["properties"]["fileNumber"]
    assert list(complaints(document, answer)) != []


async def _lists(desk: Desk, location: str, patient: str) -> None:
    day = {"from": at("00:00").date(), "to": at("00:00", days=1).date()}
    for path, asked in (
        ("/v1/calendar", {**day, "locationId": location}),
        ("/v1/calendar", day),
        ("/v1/appointments/today", {"status": "booked"}),
        ("/v1/appointments/today", {"status": "asleep"}),
        ("/v1/appointments/upcoming", {"summary": "true"}),
        ("/v1/appointments/upcoming", {"days": 7, **day}),
        (f"/v1/patients/{patient}/appointments", {}),
        (f"/v1/patients/{uuid4()}/appointments", {}),
        ("/v1/statistics", day),
        ("/v1/statistics", {}),
    ):
        await desk.get(path, params=asked)


async def _many_at_once(desk: Desk, schedule: Thing, patient: str) -> None:
    wish = {"patientId": patient, "appointmentType": "a", "occurrences": 2}
    slots = [
        await desk.a_slot(at("16:00", days=7 * n), schedule=schedule) for n in range(2)
    ]
    series = await desk.post(
        "/v1/appointments/series", {**wish, "slotId": slots[0]["id"]}
    )
    await desk.post("/v1/appointments/series", {**wish, "slotId": slots[1]["id"]})
    await desk.post("/v1/appointments/series", wish)
    await desk.get(f"/v1/appointments/series/{series.json()['seriesId']}")
    await desk.get(f"/v1/appointments/series/{uuid4()}")
    ids = [one["id"] for one in series.json()["items"]]
    items = [{"id": id, "status": "confirmed", "version": 1} for id in ids]
    items[1]["version"] = 7
    await desk.post("/v1/appointments/status", {"items": items})
    await desk.post("/v1/appointments/status", {"items": []})
    await desk.cancel({"id": ids[0], "version": 2}, series="all")


async def _a_day_at_the_desk(desk: Desk) -> None:
    """Every operation, with its successes and as many of its refusals as there are."""
    schedule = await desk.a_schedule()
    place = schedule["practitionerId"], schedule["locationId"]
    rule: Thing = {
        "daysOfWeek": ["mon"],
        "startTime": "09:00",
        "endTime": "17:00",
        "slotMinutes": 30,
    }
    away = {"start": "2030-01-01T00:00:00Z", "end": "2030-01-02T00:00:00Z"}
    role = await desk.a_role(
        *place, availability=[rule], notAvailable=[away], period={"start": "2020-01-01"}
    )
    await desk.a_role(*place)
    slot = await desk.a_slot(schedule=schedule, serviceTypes=["a"])
    patient = await desk.a_patient(
        email="a@example.org", phone="1234", fileNumber="7", preferences={"sms": True}
    )
    room = {"type": "room", "id": str(uuid4())}
    await desk.free(timezone="Asia/Kathmandu")
    appointment = await desk.booked(slot, patient, reason="r", resources=[room])
    await _lists(desk, place[1], patient)
    await _many_at_once(desk, schedule, patient)
    await desk.book(slot)
    await desk.book(slot, patient)
    await desk.book_from(at("23:00"), 10, schedule)
    await desk.cancel(appointment, version=7)
    await desk.cancel(appointment, version=None)
    await desk.cancel(appointment, if_match='"7"')
    await desk.cancel(appointment, key="k")
    await desk.cancel(appointment, key="k")
    await desk.cancel(appointment, key="k", comment="another")
    found = {
        "appointments": appointment["id"],
        "slots": slot["id"],
        "schedules": schedule["id"],
        "practitioners": place[0],
        "locations": place[1],
        "patients": patient,
        "practitioner-roles": role,
    }
    for kind, id in found.items():
        path = f"/v1/{kind}/{id}"
        await desk.get(path)
        await desk.get(path, headers={"If-None-Match": "*"})
        await desk.get(f"/v1/{kind}/{uuid4()}")
        await desk.get(f"/v1/{kind}/nonsense")
        await desk.get(path, headers={"Authorization": "Bearer x"})
        if kind not in {"appointments", "slots", "schedules"}:
            given = (await desk.get(path)).json()
            for name in ("id", "createdAt", "updatedAt", "version"):
                given.pop(name)
            again = await desk.put(path, given)
            assert again.status_code == 200, again.text
            await desk.put(path, given, If_Match='"7"')
            await desk.put(path, {"name": 7})
            await desk.ask(
                "PUT", path, content=b"{", headers={"Content-Type": "application/json"}
            )
    await desk.get("/v1/settings")
    await desk.put("/v1/settings", {"limits": {"perPractitionerDay": 2}})
    await desk.get("/v1/settings")
    wish: Thing = {"allowDoubleBooking": True, "overrideReason": "x"}
    await desk.booked(slot)
    await desk.booked(slot, **wish)
    await desk.get("/livez")
    await desk.get("/readyz")
    await desk.book(await desk.a_slot(at("12:00"), schedule=schedule))


async def test_the_document_of_events_is_served_as_it_was_judged(
    http: httpx2.AsyncClient,
) -> None:
    answer = await http.get("/asyncapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == asyncapi_json()

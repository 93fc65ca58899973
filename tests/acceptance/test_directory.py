"""The directory, schedules, slots, settings and search over HTTP."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.acceptance.desk import Desk, Thing, at, codes

PERSON: Thing = {"name": "Maria Silva"}


def field_of(answer: httpx2.Response) -> str:
    assert codes(answer) == [(422, "VALIDATION_FAILED")], answer.text
    [error] = answer.json()["errors"]
    field: str = error["field"]
    return field


async def test_a_put_makes_replaces_or_changes_nothing(desk: Desk) -> None:
    path = f"/v1/patients/{uuid4()}"
    made = await desk.put(path, PERSON)
    same = await desk.put(path, PERSON)
    other = await desk.put(path, PERSON | {"active": False})
    assert [a.status_code for a in (made, same, other)] == [201, 200, 200]
    assert [a.headers["etag"] for a in (made, same, other)] == ['"1"', '"1"', '"2"']
    assert made.headers["location"] == path
    assert same.json() == made.json()
    assert other.json()["updatedAt"] > made.json()["updatedAt"]
    assert (await desk.get(path)).json() == other.json()


async def test_a_put_may_say_which_version_it_replaces(desk: Desk) -> None:
    path = f"/v1/patients/{uuid4()}"
    too_early = [
        await desk.put(path, PERSON, If_Match="*"),
        await desk.put(path, PERSON, If_Match='"1"'),
    ]
    await desk.put(path, PERSON)
    stale = await desk.put(path, {"name": "Other"}, If_Match='"9"')
    assert codes(*too_early, stale) == [(412, "OPTIMISTIC_LOCK_CONFLICT")] * 3
    assert (await desk.get(path)).json()["name"] == "Maria Silva"
    for tag in ('"1"', "*"):
        answer = await desk.put(path, {"name": f"Other {tag}"}, If_Match=tag)
        assert answer.status_code == 200


async def test_of_parallel_puts_on_one_version_one_wins(desk: Desk) -> None:
    path = f"/v1/patients/{uuid4()}"
    await desk.put(path, PERSON)
    answers = await asyncio.gather(
        *(desk.put(path, {"name": f"Name {n}"}, If_Match='"1"') for n in range(12))
    )
    assert Counter(a.status_code for a in answers) == {200: 1, 412: 11}


async def test_what_is_known_already_is_not_sent_again(desk: Desk) -> None:
    path = f"/v1/patients/{await desk.a_patient()}"
    for known in ('"1"', 'W/"1"', '"7", "1"', "*"):
        answer = await desk.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == '"1"'
    fresh = await desk.get(path, headers={"If-None-Match": '"7"'})
    assert fresh.status_code == 200
    head = await desk.ask("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == fresh.headers["content-length"]


async def test_a_role_is_read_as_it_was_put(desk: Desk) -> None:
    place = await desk.a_practitioner(), await desk.a_location()
    role: dict[str, Any] = {
        "practitionerId": place[0],
        "locationId": place[1],
        "active": True,
        "specialties": ["cardiology"],
        "serviceTypes": ["consultation"],
        "timezone": "Asia/Kathmandu",
        "period": {"start": "2030-01-01", "end": None},
        "availability": [
            {
                "daysOfWeek": ["sat", "sun"],
                "startTime": "22:00",
                "endTime": end,
                "slotMinutes": 30,
                "capacity": 1,
                "serviceTypes": [],
                "validFrom": "2030-01-01",
                "validTo": None,
            }
            for end in ("06:00", "24:00")
        ],
        "notAvailable": [
            {
                "start": "2030-05-01T00:00:00Z",
                "end": "2030-05-02T00:00:00Z",
                "description": None,
            }
        ],
    }
    path = f"/v1/practitioner-roles/{uuid4()}"
    made = await desk.put(path, role)
    assert made.status_code == 201, made.text
    read = (await desk.get(path)).json()
    assert {name: read[name] for name in role} == role
    assert (await desk.put(path, role)).headers["etag"] == '"1"'
    moved = role | {"practitionerId": await desk.a_practitioner()}
    assert field_of(await desk.put(path, moved)) == "practitionerId"


async def test_codes_and_file_numbers_are_given_once(desk: Desk) -> None:
    await desk.a_location(code="CLINIC-01")
    await desk.a_patient(fileNumber="2030-1")
    place = {"name": "x", "code": "CLINIC-01", "timezone": "UTC"}
    taken = await desk.put(f"/v1/locations/{uuid4()}", place)
    number = await desk.put(
        f"/v1/patients/{uuid4()}", PERSON | {"fileNumber": "2030-1"}
    )
    slot = await desk.a_slot()
    again = {name: slot[name] for name in ("scheduleId", "start", "end")}
    assert field_of(taken) == "code"
    assert field_of(number) == "fileNumber"
    assert field_of(await desk.post("/v1/slots", again)) == "start"


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"end": "2030-01-07T09:00:00Z"}, "end"),
        ({"end": "2030-01-07T08:00:00Z"}, "end"),
        ({"end": "2030-01-07T09:59:60Z"}, "end"),
        ({"end": "10000-01-01T00:00:00Z"}, "end"),
        ({"end": "2031-01-07T09:00:00Z"}, "end"),
        ({"start": "2030-01-07T09:00:00"}, "start"),
        ({"start": "2030-01-07"}, "start"),
        ({"start": 1893488400}, "start"),
        ({"start": "0001-01-01T00:00:00+23:59"}, "start"),
        ({"start": None}, "start"),
        ({"capacity": 0}, "capacity"),
        ({"capacity": 2**31}, "capacity"),
        ({"capacity": 10**30}, "capacity"),
        ({"capacity": "1"}, "capacity"),
        ({"capacity": 1.5}, "capacity"),
        ({"capacity": True}, "capacity"),
        ({"serviceTypes": ["a", "a"]}, "serviceTypes"),
        ({"serviceTypes": [""]}, "serviceTypes.0"),
        ({"serviceTypes": "a"}, "serviceTypes"),
        ({"scheduleId": "x"}, "scheduleId"),
        ({"room": "x"}, "room"),
    ],
)
async def test_a_slot_that_makes_no_sense_is_refused_by_its_field(
    desk: Desk, told: Thing, field: str
) -> None:
    given = {
        "scheduleId": str(uuid4()),
        "start": "2030-01-07T09:00:00Z",
        "end": "2030-01-07T09:30:00Z",
    }
    assert field_of(await desk.post("/v1/slots", given | told)) == field


@pytest.mark.parametrize(
    ("kind", "told", "field"),
    [
        ("patients", {"name": "a\0b"}, "name"),
        ("patients", {"name": "a\nb"}, "name"),
        ("patients", {"name": "  "}, "name"),
        ("patients", {"name": "x" * 201}, "name"),
        ("patients", {"active": 1}, "active"),
        ("patients", {"email": "nobody"}, "email"),
        ("patients", {"phone": "call me"}, "phone"),
        ("patients", {"preferences": {"fax": True}}, "preferences.fax"),
        ("locations", {"timezone": "posixrules"}, "timezone"),
        ("locations", {"timezone": "../etc/passwd"}, "timezone"),
        ("locations", {"timezone": "utc+3"}, "timezone"),
        ("locations", {"code": "clinic"}, "code"),
        ("locations", {"code": "C" * 21}, "code"),
        ("locations", {"country": "Brazil"}, "country"),
        ("practitioner-roles", {"period": {"start": "2030-02-30"}}, "period.start"),
        (
            "practitioner-roles",
            {"period": {"start": "2030-01-02", "end": "2030-01-01"}},
            "period",
        ),
    ],
)
async def test_an_entry_that_makes_no_sense_is_refused_by_its_field(
    desk: Desk, kind: str, told: Thing, field: str
) -> None:
    sane: Thing = {
        "patients": {"name": "x"},
        "locations": {"name": "x", "code": "X", "timezone": "UTC"},
        "practitioner-roles": {
            "practitionerId": str(uuid4()),
            "locationId": str(uuid4()),
        },
    }[kind]
    answer = await desk.put(f"/v1/{kind}/{uuid4()}", sane | told)
    assert field_of(answer) == field


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"", 422),
        (b"[" * 100_000, 400),
        (b'{"name":"\\ud800"}', 400),
        (b'{"name":"x","\\ud800":1}', 400),
        (b'{"name":' + b"9" * 10_000 + b"}", 400),
        (b'{"name":NaN}', 422),
        (b"null", 422),
        (b"x" * 2_000_000, 413),
    ],
)
async def test_a_body_that_is_none_is_refused(
    desk: Desk, body: bytes, status: int
) -> None:
    answer = await desk.ask(
        "PUT",
        f"/v1/patients/{uuid4()}",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_settings_are_defaults_until_they_are_put(desk: Desk) -> None:
    defaults = await desk.get("/v1/settings")
    assert defaults.headers["etag"] == '"0"'
    assert defaults.json()["horizonDays"] == 90
    put = await desk.put("/v1/settings", {"bufferMinutes": 15}, If_Match='"0"')
    assert (put.status_code, put.json()["version"]) == (200, 1)
    stale = await desk.put("/v1/settings", {}, If_Match='"0"')
    assert codes(stale) == [(412, "OPTIMISTIC_LOCK_CONFLICT")]
    too_much = await desk.put("/v1/settings", {"horizonDays": 2**31})
    assert field_of(too_much) == "horizonDays"
    limits = await desk.put("/v1/settings", {"limits": {"perPractitionerDay": 0}})
    assert field_of(limits) == "limits.perPractitionerDay"


async def test_search_pages_through_everything_once(desk: Desk) -> None:
    schedules = [await desk.a_schedule() for _ in range(2)]
    slots = [
        await desk.a_slot(at("09:00") + timedelta(minutes=30 * n), schedule=schedule)
        for schedule in schedules
        for n in range(5)
    ]
    wanted = sorted((slot["start"], slot["id"]) for slot in slots)
    for limit in (1, 3, 4, 10, 200):
        found = await desk.free(limit=limit)
        assert [(one["start"], one["slotId"]) for one in found] == wanted
    of_one = await desk.free(practitionerId=schedules[0]["practitionerId"], limit=2)
    assert {one["scheduleId"] for one in of_one} == {schedules[0]["id"]}
    there = await desk.free(locationId=schedules[1]["locationId"])
    assert {one["scheduleId"] for one in there} == {schedules[1]["id"]}


async def test_search_knows_specialties_and_service_types(desk: Desk) -> None:
    heart = await desk.a_schedule(await desk.a_practitioner(specialties=["heart"]))
    echo = await desk.a_slot(schedule=heart, serviceTypes=["echo"])
    anything = await desk.a_slot(schedule=await desk.a_schedule())

    async def found(**asked: str) -> set[str]:
        return {one["slotId"] for one in await desk.free(**asked)}

    assert await found(specialty="heart") == {echo["id"]}
    assert await found(serviceType="echo") == {echo["id"], anything["id"]}
    assert await found(serviceType="x-ray") == {anything["id"]}


async def test_search_writes_instants_in_the_zone_that_was_asked_for(
    desk: Desk,
) -> None:
    await desk.a_slot()
    [plain] = await desk.free()
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"):
        [there] = await desk.free(timezone=zone)
        for name in ("start", "end"):
            one = datetime.fromisoformat(there[name])
            assert one == datetime.fromisoformat(plain[name])
            assert one.utcoffset() != timedelta()
        assert there["timezone"] == "UTC", "the clinic's zone is told as it is"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"to": at("00:00", days=63).isoformat()}, "to"),
        ({"to": at("00:00").isoformat()}, "to"),
        ({"from": "2030-01-01T00:00:60Z"}, "from"),
        ({"from": "10000-01-01T00:00:00Z"}, "from"),
        ({"limit": "201"}, "limit"),
        ({"limit": "0"}, "limit"),
        ({"limit": "9" * 30}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "é"}, "cursor"),
        ({"timezone": "posixrules"}, "timezone"),
        ({"specialty": "a\0b"}, "specialty"),
        ({"practitionerId": "x"}, "practitionerId"),
        ({"colour": "red"}, "colour"),
        ({"limit": ["1", "2"]}, "limit"),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused_by_its_parameter(
    desk: Desk, asked: Thing, field: str
) -> None:
    given = {"from": at("00:00").isoformat(), "to": at("00:00", days=2).isoformat()}
    answer = await desk.get("/v1/availability", params=given | asked)
    assert field_of(answer) == field


async def test_what_is_not_there_is_a_problem_too(desk: Desk) -> None:
    patient = await desk.a_patient()
    nowhere = await desk.get("/v1/nowhere")
    slash = await desk.get(f"/v1/patients/{patient}/")
    wrong_verb = await desk.ask("DELETE", f"/v1/patients/{patient}")
    assert codes(nowhere, slash, wrong_verb) == [
        (404, "NOT_FOUND"),
        (404, "NOT_FOUND"),
        (405, "METHOD_NOT_ALLOWED"),
    ]
    assert wrong_verb.headers["allow"] == "GET, HEAD, PUT"

"""Whole days of slots of who and where, and clinics with something on a day."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import Product
from tests.acceptance.visits import has_run_out, held, made

DAY = at("00:00").date().isoformat()
EAST, WEST = "Pacific/Kiritimati", "Pacific/Midway"
"""14 hours ahead and 11 behind: their days never begin together."""


async def of_practitioner(desk: Desk, id: str, **asked: Any) -> httpx2.Response:  # noqa: ANN401
    return await desk.get(f"/v1/practitioners/{id}/slots", params=asked)


async def of_location(desk: Desk, id: str, **asked: Any) -> httpx2.Response:  # noqa: ANN401
    return await desk.get(f"/v1/locations/{id}/slots", params=asked)


async def available(desk: Desk, **asked: Any) -> list[Thing]:  # noqa: ANN401
    answer = await desk.get("/v1/locations/available", params={"date": DAY, **asked})
    items: list[Thing] = made(answer)["items"]
    return items


def ids(answer: httpx2.Response) -> list[str]:
    return [one["id"] for one in made(answer)["items"]]


async def test_a_practitioners_day_shows_every_slot_and_which_can_be_had(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    schedule = await desk.a_schedule()
    clocks = ("09:00", "10:00", "11:00", "12:00", "13:00")
    slots = [await desk.a_slot(at(one), schedule=schedule) for one in clocks]
    slots.append(
        await desk.a_slot(
            at("14:00"), schedule=schedule, capacity=3, serviceTypes=["x-ray"]
        )
    )
    await desk.booked(slots[0])
    await held(desk, slots[1])
    await has_run_out(product, tenant, await held(desk, slots[2]))
    block = f"/v1/slots/{slots[3]['id']}/block"
    made(await desk.post(block, {"version": 1}))
    await desk.booked(slots[5])
    await desk.a_slot(at("09:00", days=1), schedule=schedule)

    who, where = schedule["practitionerId"], schedule["locationId"]
    answer = await of_practitioner(desk, who, date=DAY)
    found = made(answer)
    assert found["nextCursor"] is None
    assert [one["id"] for one in found["items"]] == [slot["id"] for slot in slots]
    assert [
        (one["status"], one["booked"], one["remaining"], one["offered"])
        for one in found["items"]
    ] == [
        ("busy", 1, 0, False),
        ("busy", 1, 0, False),
        ("free", 0, 1, True),
        ("busy-unavailable", 0, 0, False),
        ("free", 0, 1, True),
        ("free", 1, 2, True),
    ]
    last = found["items"][-1]
    assert last == slots[5] | {
        "booked": 1,
        "remaining": 2,
        "version": last["version"],
        "offered": True,
    }
    offered = {one["id"] for one in found["items"] if one["offered"]}
    day = {"from": at("00:00").isoformat(), "to": at("00:00", days=1).isoformat()}
    free = await desk.free(practitionerId=who, **day)
    assert offered == {one["slotId"] for one in free}

    again = await of_location(desk, where, date=DAY)
    assert made(again)["items"] == found["items"]
    known = {"If-None-Match": answer.headers["etag"]}
    path = f"/v1/practitioners/{who}/slots"
    same = await desk.get(path, params={"date": DAY}, headers=known)
    assert (same.status_code, same.content) == (304, b"")
    await desk.booked(slots[4])
    changed = await desk.get(path, params={"date": DAY}, headers=known)
    assert changed.status_code == 200


async def test_a_range_is_read_in_pages_with_what_began_before(desk: Desk) -> None:
    schedule = await desk.a_schedule()
    night = await desk.a_slot(at("22:00"), minutes=480, schedule=schedule)
    clocks = ("09:00", "10:00", "11:00")
    slots = [await desk.a_slot(at(one, days=1), schedule=schedule) for one in clocks]
    tomorrow, next_day = DAY, at("00:00", days=1).date().isoformat()
    last = at("00:00", days=2).date().isoformat()
    wanted = [night["id"], *(slot["id"] for slot in slots)]
    for list_of, id in (
        (of_practitioner, schedule["practitionerId"]),
        (of_location, schedule["locationId"]),
    ):
        assert ids(await list_of(desk, id, date=tomorrow)) == wanted[:1]
        assert ids(await list_of(desk, id, date=next_day)) == wanted, "it lasts"
        range_ = {"from": tomorrow, "to": last}
        assert ids(await list_of(desk, id, **range_)) == wanted, "once"
        exact = {
            "from": at("09:30", days=1).isoformat(),
            "to": at("10:30", days=1).isoformat(),
        }
        # Whatever lasts into the range: this one begins before it and ends with it.
        assert ids(await list_of(desk, id, **exact)) == [slots[1]["id"]]
        pages: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = made(await list_of(desk, id, **range_, limit=3, **cursor))
            pages += [one["id"] for one in page["items"]]
            if page["nextCursor"] is None:
                break
            cursor = {"cursor": page["nextCursor"]}
        assert pages == wanted


async def test_a_day_is_each_clinics_own_where_a_practitioner_works_in_two_zones(
    desk: Desk,
) -> None:
    practitioner = await desk.a_practitioner()
    slots = {}
    for zone in (EAST, WEST):
        place = await desk.a_location(timezone=zone)
        schedule = await desk.a_schedule(practitioner, place)
        for clock in ("09:30", "10:30", "11:30"):
            slots[zone, clock] = await desk.a_slot(
                at(clock), minutes=20, schedule=schedule
            )

    async def seen(**asked: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        found = ids(await of_practitioner(desk, practitioner, **asked))
        where = {slot["id"]: place for place, slot in slots.items()}
        return [where[id] for id in found]

    # At 10:00 UTC the next day begins in Kiritimati, at 11:00 the day on Midway.
    assert await seen(date=DAY) == [(EAST, "09:30"), (WEST, "11:30")]
    next_day = at("00:00", days=1).date().isoformat()
    assert await seen(date=next_day) == [(EAST, "10:30"), (EAST, "11:30")]
    in_one_zone = await seen(date=DAY, timezone="UTC")
    assert sorted(in_one_zone) == sorted(slots)
    assert len(await seen(date=DAY, timezone=WEST)) == 2


async def test_clinics_with_time_on_a_date_say_how_much_and_from_when(
    desk: Desk,
) -> None:
    heart = await desk.a_practitioner(specialties=["heart"])
    early = await desk.a_schedule(heart)
    late, full = await desk.a_schedule(), await desk.a_schedule()
    for clock in ("09:00", "09:30", "10:00"):
        await desk.a_slot(at(clock), schedule=early, serviceTypes=["echo"])
    await desk.a_slot(at("11:00"), schedule=late)
    await desk.a_slot(at("09:00", days=1), schedule=late)
    booked = await desk.booked(await desk.a_slot(at("08:00"), schedule=full))
    found = await available(desk)
    assert found == [
        {
            "locationId": schedule["locationId"],
            "name": "Clinic",
            "timezone": "UTC",
            "date": DAY,
            "offered": count,
            "firstStart": first.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for schedule, count, first in (
            (early, 3, at("09:00")),
            (late, 1, at("11:00")),
        )
    ]
    assert await available(desk, specialty="heart") == found[:1]
    assert await available(desk, serviceType="x-ray") == found[1:]
    next_day = at("00:00", days=1).date().isoformat()
    [elsewhere] = await available(desk, date=next_day)
    assert elsewhere["locationId"] == late["locationId"]
    assert (await desk.cancel(booked)).status_code == 200
    assert [one["locationId"] for one in await available(desk)] == [
        schedule["locationId"] for schedule in (full, early, late)
    ]
    first = await desk.get("/v1/locations/available", params={"date": DAY, "limit": 2})
    rest = await available(desk, cursor=made(first)["nextCursor"])
    assert [*made(first)["items"], *rest] == await available(desk)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "date"),
        ({"from": DAY}, "date"),
        ({"date": DAY, "from": DAY, "to": DAY}, "date"),
        ({"date": "2030-02-30"}, "date"),
        ({"date": "2030-01-01T00:00:00Z"}, "date"),
        ({"from": DAY, "to": DAY}, "to"),
        ({"from": "2030-01-01", "to": "2030-03-05"}, "to"),
        ({"from": "2030-01-01", "to": "2030-01-02T00:00:00Z"}, "to"),
        ({"from": "10000-01-01", "to": "10000-01-02"}, "from"),
        ({"date": DAY, "timezone": "posixrules"}, "timezone"),
        ({"date": DAY, "limit": "0"}, "limit"),
        ({"date": DAY, "cursor": "nonsense"}, "cursor"),
        ({"date": DAY, "colour": "red"}, "colour"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_its_parameter(
    desk: Desk, asked: dict[str, str], field: str
) -> None:
    schedule = await desk.a_schedule()
    for answer in (
        await of_practitioner(desk, schedule["practitionerId"], **asked),
        await of_location(desk, schedule["locationId"], **asked),
    ):
        assert codes(answer) == [(422, "VALIDATION_FAILED")], answer.text
        assert answer.json()["errors"][0]["field"] == field


async def test_lists_are_of_ones_own_tenant_and_tell_nothing_of_patients(
    desk: Desk, token: Token
) -> None:
    slot = await desk.a_slot()
    patient = await desk.a_patient(name="Maria Marker")
    booked = await desk.booked(slot, patient, reason="Marker")
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    booker = Desk(desk.http, token(scope="scheduling:book"))
    who, where = slot["practitionerId"], slot["locationId"]
    for list_of, id, code in (
        (of_practitioner, who, "PRACTITIONER_NOT_FOUND"),
        (of_location, where, "LOCATION_NOT_FOUND"),
    ):
        unknown = str(uuid4())
        foreign = await list_of(stranger, id, date=DAY)
        missing = await list_of(stranger, unknown, date=DAY)
        assert codes(foreign, missing) == [(404, code)] * 2
        assert foreign.text == missing.text.replace(unknown, id)
        assert codes(await list_of(booker, id, date=DAY)) == [(403, "FORBIDDEN")]
        own = Desk(desk.http, token(patient_id=UUID(patient)))
        for reader in (desk, own):
            text = (await list_of(reader, id, date=DAY)).text
            for data in (patient, booked["id"], "Marker"):
                assert data not in text
    assert await available(stranger) == []
    wrong = await desk.get("/v1/locations/available")
    assert codes(wrong) == [(422, "VALIDATION_FAILED")]


async def test_what_is_listed_is_told_in_the_zone_that_is_asked_for(desk: Desk) -> None:
    slot = await desk.a_slot(at("23:30"))
    [plain] = made(await of_location(desk, slot["locationId"], date=DAY))["items"]
    zone = "Asia/Kathmandu"
    next_day = at("00:00", days=1).date().isoformat()
    answer = await of_location(desk, slot["locationId"], date=next_day, timezone=zone)
    [there] = made(answer)["items"]
    start = datetime.fromisoformat(there["start"])
    assert start == datetime.fromisoformat(plain["start"])
    assert there["start"].endswith("T05:15:00+05:45")
    assert there["timezone"] == "UTC", "the clinic's zone is told as it is"

"""Whole days of slots, of a practitioner and of a clinic; clinics with time left."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.acceptance.desk import TOMORROW, Desk, Thing, at, codes
from tests.acceptance.visits import made

THE_DAY = TOMORROW.date().isoformat()
DAY_AFTER = (TOMORROW + timedelta(days=1)).date().isoformat()


async def pages(desk: Desk, path: str, **asked: object) -> list[Thing]:
    items: list[Thing] = []
    while True:
        page = made(await desk.get(path, params=asked))
        items += page["items"]
        if page["nextCursor"] is None:
            return items
        asked["cursor"] = page["nextCursor"]


async def test_a_day_shows_what_is_free_full_and_blocked_and_what_can_be_had(
    desk: Desk,
) -> None:
    schedule = await desk.a_schedule()
    who, where = schedule["practitionerId"], schedule["locationId"]
    free = await desk.a_slot(at("09:00"), schedule=schedule)
    full = await desk.a_slot(at("10:00"), schedule=schedule)
    group = await desk.a_slot(at("11:00"), schedule=schedule, capacity=3)
    blocked = await desk.a_slot(at("12:00"), schedule=schedule)
    await desk.booked(full)
    await desk.booked(group)
    made(
        await desk.post(
            f"/v1/slots/{blocked['id']}/block", {"version": blocked["version"]}
        )
    )
    ways = (
        (f"/v1/practitioners/{who}/slots", {"date": THE_DAY}),
        (f"/v1/practitioners/{who}/slots", {"from": THE_DAY, "to": DAY_AFTER}),
        (f"/v1/locations/{where}/slots", {"date": THE_DAY, "timezone": "UTC"}),
        (
            f"/v1/locations/{where}/slots",
            {"from": at("09:00").isoformat(), "to": at("12:30").isoformat()},
        ),
        (f"/v1/locations/{where}/slots", {"date": THE_DAY, "limit": 1}),
    )
    for path, asked in ways:
        found = await pages(desk, path, **asked)
        assert [
            (one["id"], one["status"], one["remaining"], one["offered"])
            for one in found
        ] == [
            (free["id"], "free", 1, True),
            (full["id"], "busy", 0, False),
            (group["id"], "free", 2, True),
            (blocked["id"], "busy-unavailable", 0, False),
        ], (path, asked)
        # As `GET /slots/{id}` tells it, but for what concerns a single one.
        assert found[0].items() <= {**free, "offered": True}.items()


async def test_a_clinics_day_ends_at_its_own_midnight(desk: Desk) -> None:
    """14 hours ahead it is tomorrow at ten in the morning of UTC."""
    far = await desk.a_location(timezone="Pacific/Kiritimati")
    schedule = await desk.a_schedule(location=far)
    late = await desk.a_slot(at("09:30"), schedule=schedule)
    early = await desk.a_slot(at("10:00"), schedule=schedule)
    path = f"/v1/locations/{far}/slots"
    who = f"/v1/practitioners/{schedule['practitionerId']}/slots"
    for day, slot in ((THE_DAY, late), (DAY_AFTER, early)):
        for way in (path, who):
            assert [one["id"] for one in await pages(desk, way, date=day)] == [
                slot["id"]
            ]
    both = await pages(desk, path, date=THE_DAY, timezone="UTC")
    assert [one["id"] for one in both] == [late["id"], early["id"]]


async def test_a_night_is_seen_on_both_of_its_days(desk: Desk) -> None:
    night = await desk.a_slot(at("23:45"), minutes=30)
    path = f"/v1/locations/{night['locationId']}/slots"
    for day in (THE_DAY, DAY_AFTER):
        assert [one["id"] for one in await pages(desk, path, date=day)] == [night["id"]]


async def test_clinics_with_time_to_spare_are_told_with_how_much_and_from_when(
    desk: Desk,
) -> None:
    cardiologist = await desk.a_practitioner(specialties=["cardiology"])
    one = await desk.a_schedule(cardiologist)
    two = await desk.a_schedule()
    full = await desk.a_schedule()
    taken = await desk.a_slot(at("08:00"), schedule=one)
    for clock in ("09:00", "10:00"):
        await desk.a_slot(at(clock), schedule=one, serviceTypes=["echo"])
    await desk.a_slot(at("08:30"), schedule=two)
    await desk.booked(taken)
    await desk.booked(await desk.a_slot(at("07:00"), schedule=full))
    path = "/v1/locations/available"

    async def told(**asked: object) -> list[tuple[str, int]]:
        found = await pages(desk, path, date=THE_DAY, **asked)
        assert {one["date"] for one in found} <= {THE_DAY}
        assert {one["name"] for one in found} <= {"Clinic"}
        return [(one["locationId"], one["offered"]) for one in found]

    first, second = (two["locationId"], 1), (one["locationId"], 2)
    assert await told() == await told(limit=1) == [first, second]
    assert await told(specialty="cardiology") == [second]
    assert await told(serviceType="x-ray") == [first]
    assert await pages(desk, path, date=DAY_AFTER) == []


async def test_who_has_the_answer_already_is_not_sent_it_again(desk: Desk) -> None:
    slot = await desk.a_slot()
    for path in (
        f"/v1/practitioners/{slot['practitionerId']}/slots",
        f"/v1/locations/{slot['locationId']}/slots",
        "/v1/locations/available",
    ):
        first = await desk.get(path, params={"date": THE_DAY})
        known = {"If-None-Match": first.headers["etag"]}
        again = await desk.get(path, params={"date": THE_DAY}, headers=known)
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "date"),
        ({"date": THE_DAY, "from": THE_DAY}, "date"),
        ({"from": THE_DAY}, "date"),
        ({"date": "2030-02-30"}, "date"),
        ({"date": "10000-01-01"}, "date"),
        ({"from": THE_DAY, "to": THE_DAY}, "to"),
        ({"from": DAY_AFTER, "to": THE_DAY}, "to"),
        ({"from": THE_DAY, "to": at("09:00").isoformat()}, "to"),
        ({"from": "2030-01-01", "to": "2030-03-05"}, "to"),
        ({"date": THE_DAY, "timezone": "posixrules"}, "timezone"),
        ({"date": THE_DAY, "cursor": "x"}, "cursor"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_its_parameter(
    desk: Desk, asked: Thing, field: str
) -> None:
    slot = await desk.a_slot()
    answer = await desk.get(f"/v1/locations/{slot['locationId']}/slots", params=asked)
    assert codes(answer) == [(422, "VALIDATION_FAILED")]
    assert answer.json()["errors"][0]["field"] == field, answer.text


async def test_who_is_not_there_has_no_slots(desk: Desk) -> None:
    day = {"date": THE_DAY}
    assert codes(
        await desk.get(f"/v1/practitioners/{uuid4()}/slots", params=day),
        await desk.get(f"/v1/locations/{uuid4()}/slots", params=day),
        await desk.get(
            f"/v1/locations/{uuid4()}/slots", params={**day, "timezone": "UTC"}
        ),
    ) == [
        (404, "PRACTITIONER_NOT_FOUND"),
        (404, "LOCATION_NOT_FOUND"),
        (404, "LOCATION_NOT_FOUND"),
    ]

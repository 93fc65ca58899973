"""The earliest that can be had, of whomever and wherever, in one question."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import Product
from tests.acceptance.visits import has_run_out, held, made

PATH = "/v1/availability/next"


async def ask(desk: Desk, **asked: Any) -> httpx2.Response:  # noqa: ANN401
    return await desk.get(PATH, params=asked)


async def found(desk: Desk, **asked: Any) -> list[str]:  # noqa: ANN401
    return [one["slotId"] for one in made(await ask(desk, **asked))["items"]]


async def test_it_is_the_first_that_a_search_would_show(desk: Desk) -> None:
    assert await found(desk) == []
    heart = await desk.a_practitioner(specialties=["heart"])
    place = await desk.a_location()
    one, two = await desk.a_schedule(heart, place), await desk.a_schedule()
    late = await desk.a_slot(at("11:00"), schedule=one, serviceTypes=["echo"])
    early = await desk.a_slot(at("09:00"), schedule=two)
    middle = await desk.a_slot(at("10:00"), schedule=one, capacity=2)
    assert await found(desk) == [early["id"]]
    everything = made(await ask(desk, limit=3))["items"]
    assert everything == await desk.free()
    assert [thing["slotId"] for thing in everything] == [
        slot["id"] for slot in (early, middle, late)
    ]
    assert everything[1]["remaining"] == 2

    assert await found(desk, practitionerId=heart) == [middle["id"]]
    both = [one["practitionerId"], two["practitionerId"]]
    assert await found(desk, practitionerId=both, limit=2) == [
        early["id"],
        middle["id"],
    ]
    places = [one["locationId"], two["locationId"]]
    assert await found(desk, locationId=places) == [early["id"]]
    assert await found(desk, locationId=places, practitionerId=heart) == [middle["id"]]
    assert await found(desk, specialty="heart", serviceType="x-ray") == [middle["id"]]
    assert await found(desk, locationId=str(uuid4())) == []
    assert await found(desk, **{"from": at("10:30").isoformat()}) == [late["id"]]

    await desk.booked(early)
    assert await found(desk) == [middle["id"]]


async def test_what_booking_would_refuse_is_not_next(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    await desk.settings(bufferMinutes=15, minimumNoticeMinutes=0, horizonDays=20)
    schedule = await desk.a_schedule()
    clocks = ("09:00", "09:30", "10:00", "11:00", "12:00")
    slots = [await desk.a_slot(at(one), schedule=schedule) for one in clocks]
    await desk.booked(slots[0])
    patient = await desk.a_patient()
    hold = await held(desk, slots[3])
    assert await found(desk, limit=5) == [slots[2]["id"], slots[4]["id"]]
    await desk.booked(await desk.a_slot(at("10:15")), patient)
    assert await found(desk, patientId=patient) == [slots[4]["id"]]
    await has_run_out(product, tenant, hold)
    assert await found(desk, patientId=patient) == [slots[3]["id"]]

    far = await desk.a_slot(at("09:00", days=19), schedule=schedule)
    beyond = await desk.a_slot(at("09:00", days=21), schedule=schedule)
    assert await found(desk, **{"from": at("00:00", days=2).isoformat()}) == [far["id"]]
    assert (await desk.book(far)).status_code == 201
    assert await found(desk, **{"from": at("00:00", days=2).isoformat()}) == []
    assert codes(await desk.book(beyond)) == [(409, "OUTSIDE_BOOKING_WINDOW")]


async def test_it_is_told_in_the_zone_and_on_the_day_that_is_asked_for(
    desk: Desk,
) -> None:
    place = await desk.a_location(timezone="Pacific/Midway")
    await desk.a_slot(at("09:00"), schedule=await desk.a_schedule(location=place))
    days = {}
    for zone in ("Pacific/Kiritimati", "Pacific/Midway", None):
        asked = {} if zone is None else {"timezone": zone}
        [one] = made(await ask(desk, **asked))["items"]
        assert datetime.fromisoformat(one["start"]) == at("09:00")
        assert one["timezone"] == "Pacific/Midway"
        days[zone] = one["date"]
    today, tomorrow = [at("00:00", days=n).date().isoformat() for n in (-1, 0)]
    assert days == {
        "Pacific/Kiritimati": tomorrow,
        "Pacific/Midway": today,
        None: today,
    }


async def test_who_has_the_answer_already_is_not_sent_it_again(desk: Desk) -> None:
    """Of a search, too; and no sooner has something changed than it is."""
    slot = await desk.a_slot()
    day = {"from": at("00:00").isoformat(), "to": at("00:00", days=1).isoformat()}
    for path, asked in ((PATH, {}), ("/v1/availability", day)):
        first = await desk.get(path, params=asked)
        known = {"If-None-Match": first.headers["etag"]}
        same = await desk.get(path, params=asked, headers=known)
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == first.headers["etag"]
        visit = await desk.booked(slot)
        changed = await desk.get(path, params=asked, headers=known)
        assert made(changed)["items"] == []
        assert (await desk.cancel(visit)).status_code == 200
        back = await desk.get(path, params=asked, headers=known)
        assert back.status_code == 304, "it is as it was"


async def test_what_makes_no_sense_or_is_not_theirs_is_refused(
    desk: Desk, token: Token
) -> None:
    slot = await desk.a_slot()
    patient, other = await desk.a_patient(), await desk.a_patient()
    own = Desk(desk.http, token(patient_id=UUID(patient)))
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    wrong: list[tuple[Thing, str]] = [
        ({"limit": 21}, "limit"),
        ({"limit": 0}, "limit"),
        ({"from": "2030-01-01"}, "from"),
        ({"from": "2030-01-01T00:00:60Z"}, "from"),
        ({"timezone": "localtime"}, "timezone"),
        ({"locationId": "here"}, "locationId.0"),
        ({"practitionerId": [str(uuid4()) for _ in range(201)]}, "practitionerId"),
        ({"to": at("00:00").isoformat()}, "to"),
    ]
    for asked, field in wrong:
        answer = await ask(desk, **asked)
        assert codes(answer) == [(422, "VALIDATION_FAILED")], asked
        assert answer.json()["errors"][0]["field"] == field, answer.text
    assert codes(
        await ask(own, patientId=other),
        await ask(desk, patientId=str(uuid4())),
        await ask(Desk(desk.http, token(scope="scheduling:book"))),
    ) == [*[(404, "PATIENT_NOT_FOUND")] * 2, (403, "FORBIDDEN")]
    assert await found(stranger) == []
    assert await found(own) == [slot["id"]]
    await desk.booked(await desk.a_slot(at("09:15")), patient)
    assert slot["id"] not in await found(own, limit=5), "they are elsewhere then"

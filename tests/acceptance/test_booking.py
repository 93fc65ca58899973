"""Booking over HTTP: who gets the time, and what the others are told."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx2

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import Product

TAKEN = (409, "DOUBLE_BOOKING_DETECTED")
FULL = (409, "SLOT_NOT_AVAILABLE")


def outcome(answers: Sequence[httpx2.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


async def test_a_booking_is_answered_whole_and_can_be_read_again(desk: Desk) -> None:
    slot = await desk.a_slot()
    patient = await desk.a_patient()
    answer = await desk.book(
        slot, patient, reason="a reason", notes="some notes", appointmentType="visit"
    )
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/appointments/{made['id']}"
    assert answer.headers["etag"] == '"1"'
    assert made | {"createdAt": 0, "updatedAt": 0, "participants": 0} == {
        "id": made["id"],
        "patientId": patient,
        "practitionerId": slot["practitionerId"],
        "locationId": slot["locationId"],
        "slotIds": [slot["id"]],
        "start": slot["start"],
        "end": slot["end"],
        "timezone": "UTC",
        "durationMinutes": 30,
        "appointmentType": "visit",
        "status": "booked",
        "reason": "a reason",
        "notes": "some notes",
        "participants": 0,
        "overbooked": False,
        "holdExpiresAt": None,
        "seriesId": None,
        "seriesIndex": None,
        "subFileId": None,
        "createdAt": 0,
        "updatedAt": 0,
        "version": 1,
    }
    read = await desk.get(answer.headers["location"])
    assert read.content == answer.content
    assert read.headers["etag"] == '"1"'
    left = (await desk.get(f"/v1/slots/{slot['id']}")).json()
    assert (left["booked"], left["remaining"], left["status"]) == (1, 0, "busy")


async def test_of_fifty_who_want_one_slot_one_gets_it(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot = await desk.a_slot()
    patients = [await desk.a_patient() for _ in range(50)]
    answers = await asyncio.gather(*(desk.book(slot, who) for who in patients))
    assert outcome(answers) == {201: 1, 409: 49}
    refusals = [answer for answer in answers if answer.status_code == 409]
    assert set(codes(*refusals)) <= {FULL, TAKEN}
    assert await product.count(tenant, "appointments") == 1
    events = await product.events(tenant)
    told = Counter(
        event.subject.removeprefix(f"scheduling.{tenant}.") for event in events
    )
    assert told["appointment.created"] == 1


async def test_of_overlapping_unequal_periods_one_is_booked(desk: Desk) -> None:
    """Schedules of one practitioner at two places, with slots that overlap."""
    practitioner = await desk.a_practitioner()
    periods = [("09:00", 60), ("09:30", 60), ("09:15", 15), ("08:45", 120)]
    slots = [
        await desk.a_slot(
            at(start), minutes=minutes, schedule=await desk.a_schedule(practitioner)
        )
        for start, minutes in periods
    ]
    for _ in range(3):
        wishes = [(s, await desk.a_patient()) for s in slots for _ in range(3)]
        answers = await asyncio.gather(*(desk.book(s, who) for s, who in wishes))
        booked = [a.json() for a in answers if a.status_code == 201]
        assert outcome(answers)[409] == len(answers) - len(booked)
        for one in booked:
            for other in booked:
                apart = one["end"] <= other["start"] or other["end"] <= one["start"]
                assert one is other or apart
        assert booked
        for one in booked:
            assert (await desk.cancel(one)).status_code == 200


async def test_a_slot_inside_a_booked_one_is_refused_and_staff_learn_by_what(
    desk: Desk,
) -> None:
    practitioner = await desk.a_practitioner()
    outer = await desk.a_slot(
        at("09:00"), minutes=60, schedule=await desk.a_schedule(practitioner)
    )
    inner = await desk.a_slot(
        at("09:15"), minutes=15, schedule=await desk.a_schedule(practitioner)
    )
    standing = await desk.booked(outer)
    answer = await desk.book(inner)
    assert codes(answer) == [TAKEN]
    assert answer.json()["conflictingAppointmentIds"] == [standing["id"]]


async def test_a_patient_cannot_be_at_two_practitioners_at_once(desk: Desk) -> None:
    patient = await desk.a_patient()
    slots = [await desk.a_slot(at(start)) for start in ("09:00", "09:15", "09:29")]
    answers = await asyncio.gather(*(desk.book(slot, patient) for slot in slots))
    assert outcome(answers) == {201: 1, 409: 2}
    neighbour = await desk.a_slot(at("10:00"))
    assert (await desk.book(neighbour, patient)).status_code == 201


async def test_a_group_slot_takes_as_many_as_it_has_seats(desk: Desk) -> None:
    slot = await desk.a_slot(capacity=10)
    patients = [await desk.a_patient() for _ in range(12)]
    answers = await asyncio.gather(*(desk.book(slot, who) for who in patients))
    assert outcome(answers) == {201: 10, 409: 2}
    assert set(codes(*(a for a in answers if a.status_code == 409))) == {FULL}
    assert await desk.free() == []

    leaving = next(a.json() for a in answers if a.status_code == 201)
    assert (await desk.cancel(leaving)).status_code == 200
    [free] = await desk.free()
    assert (free["slotId"], free["remaining"]) == (slot["id"], 1)
    waiting = patients[[a.status_code for a in answers].index(409)]
    assert (await desk.book(slot, waiting)).status_code == 201


async def test_the_same_patient_twice_in_a_group_slot_is_refused(desk: Desk) -> None:
    slot = await desk.a_slot(capacity=10)
    patient = await desk.a_patient()
    answers = await asyncio.gather(*(desk.book(slot, patient) for _ in range(6)))
    assert outcome(answers) == {201: 1, 409: 5}
    assert codes(await desk.book(slot, patient)) == [TAKEN]


async def test_a_start_and_a_length_book_consecutive_slots(desk: Desk) -> None:
    schedule = await desk.a_schedule()
    slots = [
        await desk.a_slot(at(start), schedule=schedule)
        for start in ("09:00", "09:30", "10:00", "11:00")
    ]
    answer = await desk.book_from(at("09:00"), 75, schedule)
    assert answer.status_code == 201, answer.text
    assert answer.json()["slotIds"] == [slot["id"] for slot in slots[:3]]
    assert answer.json()["durationMinutes"] == 75
    assert [free["slotId"] for free in await desk.free()] == [slots[3]["id"]]
    gap = await desk.book_from(at("11:00"), 45, schedule)
    between = await desk.book_from(at("11:10"), 10, schedule)
    assert codes(gap, between) == [(409, "OUTSIDE_SCHEDULE")] * 2


async def test_a_room_is_in_one_use_at_a_time(desk: Desk) -> None:
    room = {"type": "room", "id": str(uuid4())}
    device = {"type": "device", "id": str(uuid4())}
    slots = [await desk.a_slot() for _ in range(3)]
    answers = await asyncio.gather(
        desk.book(slots[0], resources=[room, device]),
        desk.book(slots[1], resources=[device, room]),
    )
    assert outcome(answers) == {201: 1, 409: 1}
    third = await desk.book(slots[2], resources=[{"type": "device", "id": room["id"]}])
    assert third.status_code == 201, "a device is no room, whatever its id"


async def test_an_override_takes_the_right_to_it_and_a_reason(
    desk: Desk, token: Token
) -> None:
    slot = await desk.a_slot()
    await desk.booked(slot)
    wish: Thing = {"allowDoubleBooking": True, "overrideReason": "an emergency"}

    clerk = Desk(desk.http, token(scope="scheduling:book scheduling:manage"))
    denied = await clerk.book(slot, **wish)
    unreasoned = await desk.book(slot, allowDoubleBooking=True)
    blank = await desk.book(slot, allowDoubleBooking=True, overrideReason=" ")
    assert codes(denied, unreasoned, blank) == [
        (403, "DOUBLE_BOOKING_OVERRIDE_DENIED"),
        (422, "VALIDATION_FAILED"),
        (422, "VALIDATION_FAILED"),
    ]
    assert unreasoned.json()["errors"][0]["field"] == "overrideReason"

    overbooked = await desk.book(slot, **wish)
    assert overbooked.status_code == 201
    assert overbooked.json()["overbooked"] is True
    free = await desk.a_slot()
    assert (await desk.book(free, **wish)).json()["overbooked"] is False


async def test_a_buffer_of_15_makes_0945_the_next_start_after_0930(desk: Desk) -> None:
    await desk.settings(bufferMinutes=15)
    practitioner = await desk.a_practitioner()
    slots = {
        start: await desk.a_slot(
            at(start), schedule=await desk.a_schedule(practitioner)
        )
        for start in ("09:00", "09:44", "09:45", "08:15", "08:16")
    }
    await desk.booked(slots["09:00"])
    free = {one["slotId"] for one in await desk.free()}
    assert free == {slots["09:45"]["id"], slots["08:15"]["id"]}
    refused = await desk.book(slots["09:44"])
    before = await desk.book(slots["08:16"])
    assert codes(refused, before) == [(409, "BUFFER_TIME_CONFLICT")] * 2
    assert (await desk.book(slots["09:45"])).status_code == 201
    assert (await desk.book(slots["08:15"])).status_code == 201


async def test_past_notice_and_horizon_bound_what_is_bookable(desk: Desk) -> None:
    await desk.settings(minimumNoticeMinutes=60, horizonDays=3)
    now = datetime.now(UTC)
    schedule = await desk.a_schedule()
    ahead = {
        "past": -timedelta(minutes=5),
        "too soon": timedelta(minutes=58),
        "in time": timedelta(minutes=62),
        "too far": timedelta(days=4, minutes=1),
    }
    slots = {
        name: await desk.a_slot(now + after, minutes=1, schedule=schedule)
        for name, after in ahead.items()
    }
    found = await desk.free(
        **{
            "from": (now - timedelta(days=1)).isoformat(),
            "to": (now + timedelta(days=9)).isoformat(),
        }
    )
    assert [one["slotId"] for one in found] == [slots["in time"]["id"]]
    for name in ("past", "too soon", "too far"):
        assert codes(await desk.book(slots[name])) == [(409, "OUTSIDE_BOOKING_WINDOW")]
    assert (await desk.book(slots["in time"])).status_code == 201


async def test_a_limit_holds_for_parallel_bookings_too(desk: Desk) -> None:
    await desk.settings(limits={"perPractitionerDay": 3})
    schedule = await desk.a_schedule()
    slots = [
        await desk.a_slot(at("09:00") + timedelta(minutes=30 * n), schedule=schedule)
        for n in range(6)
    ]
    answers = await asyncio.gather(*(desk.book(slot) for slot in slots))
    assert outcome(answers) == {201: 3, 409: 3}
    refused = [a for a in answers if a.status_code == 409]
    assert set(codes(*refused)) == {(409, "BOOKING_LIMIT_REACHED")}
    assert await desk.free() == []


async def test_who_does_not_work_there_cannot_be_booked_there(desk: Desk) -> None:
    schedule = await desk.a_schedule()
    slot = await desk.a_slot(schedule=schedule)
    place = schedule["practitionerId"], schedule["locationId"]
    await desk.a_role(*place, period={"end": "2020-01-01"})
    assert codes(await desk.book(slot)) == [(409, "PRACTITIONER_NOT_ASSIGNED")]
    assert await desk.free() == []

    await desk.a_role(*place, period={"start": "2020-01-01"})
    assert len(await desk.free()) == 1
    await desk.put(
        f"/v1/practitioners/{place[0]}", {"name": "Dr. Ana Souza", "active": False}
    )
    assert codes(await desk.book(slot)) == [(409, "PRACTITIONER_NOT_AVAILABLE")]
    assert await desk.free() == []


async def test_what_is_not_there_is_named(desk: Desk) -> None:
    schedule = await desk.a_schedule()
    slot = await desk.a_slot(schedule=schedule)
    nobody = str(uuid4())
    answers = [
        await desk.book(slot, nobody),
        await desk.book({"id": nobody}),
        await desk.book_from(at("09:00"), 30, schedule | {"practitionerId": nobody}),
        await desk.book_from(at("09:00"), 30, schedule | {"locationId": nobody}),
    ]
    assert codes(*answers) == [
        (404, "PATIENT_NOT_FOUND"),
        (404, "SLOT_NOT_FOUND"),
        (404, "PRACTITIONER_NOT_FOUND"),
        (404, "LOCATION_NOT_FOUND"),
    ]
    inactive = await desk.a_patient(active=False)
    assert codes(await desk.book(slot, inactive)) == [(404, "PATIENT_NOT_FOUND")]

"""Rescheduling: the old time until the new one is had, and then no more."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta, timezone
from uuid import UUID, uuid4

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import Product, what_is_wrong
from tests.acceptance.visits import (
    BUSY,
    FREE,
    NOTHING,
    as_it_is,
    made,
    news,
    reschedule,
    same,
    slot_now,
    step,
)

FULL = (409, "NEW_SLOT_NOT_AVAILABLE")
CHANGED = (409, "OPTIMISTIC_LOCK_CONFLICT")


async def a_morning(
    desk: Desk, count: int = 4, *, minutes: int = 30, capacity: int = 1
) -> list[Thing]:
    schedule = await desk.a_schedule()
    return [
        await desk.a_slot(
            at("09:00") + timedelta(minutes=minutes * number),
            minutes=minutes,
            schedule=schedule,
            capacity=capacity,
        )
        for number in range(count)
    ]


async def test_a_moved_visit_is_the_same_one_at_another_time(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    old, new, *_ = await a_morning(desk)
    visit = await desk.booked(old, notes="left-handed")
    answer = await reschedule(desk, visit, new, reason="a private reason")
    moved = made(answer)
    assert answer.headers["etag"] == '"2"'
    assert moved == visit | {
        "slotIds": [new["id"]],
        "start": new["start"],
        "end": new["end"],
        "version": 2,
        "updatedAt": moved["updatedAt"],
    }
    assert await as_it_is(desk, visit) == moved
    assert (await slot_now(desk, old), await slot_now(desk, new)) == (FREE, BUSY)
    assert (await desk.book(old)).status_code == 201
    assert codes(await desk.book(new)) == [(409, "SLOT_NOT_AVAILABLE")]

    told = await news(product, tenant)
    assert told.types_of(visit) == ["appointment.created", "appointment.updated"]
    updated = told.the("appointment.updated", visit)
    assert updated == {
        "appointmentId": visit["id"],
        "patientId": visit["patientId"],
        "practitionerId": visit["practitionerId"],
        "locationId": visit["locationId"],
        "slotIds": [new["id"]],
        "start": new["start"],
        "end": new["end"],
        "timezone": "UTC",
        "appointmentType": "consultation",
        "status": "booked",
        "overbooked": False,
        "changed": ["slotIds", "start", "end"],
        "old": {
            "practitionerId": visit["practitionerId"],
            "locationId": visit["locationId"],
            "slotIds": [old["id"]],
            "start": old["start"],
            "end": old["end"],
            "appointmentType": "consultation",
            "status": "booked",
        },
    }
    assert told.types_of(old) == ["slot.opened"] * 2
    assert "private" not in str(told.events)
    assert "private" not in str([dict(row) for row in await product.audit(tenant)])
    assert (
        what_is_wrong(await product.committed(tenant), await product.in_stream(tenant))
        == []
    )


async def test_a_stale_version_moves_nothing(desk: Desk) -> None:
    old, new, *_ = await a_morning(desk)
    visit = await desk.booked(old)
    answers = [
        await reschedule(desk, visit, new, version=7),
        await reschedule(desk, visit, new, if_match='"7"'),
        await reschedule(desk, visit, new, if_match='W/"1"'),
        await reschedule(desk, visit, new, if_match='"7"', version=1),
        await reschedule(desk, visit, new, version=NOTHING),
        await reschedule(desk, visit, new, if_match="*"),
        await reschedule(desk, visit | {"id": str(uuid4())}, new),
    ]
    assert codes(*answers) == [
        CHANGED,
        *[(412, "OPTIMISTIC_LOCK_CONFLICT")] * 3,
        *[(428, "PRECONDITION_REQUIRED")] * 2,
        (404, "APPOINTMENT_NOT_FOUND"),
    ]
    assert await as_it_is(desk, visit) == visit
    assert (await reschedule(desk, visit, new, if_match='"1"')).status_code == 200


async def test_a_move_to_the_identical_time_is_no_move(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot, *_ = await a_morning(desk, 1)
    visit = await desk.booked(slot)
    elsewhere = at("09:00").astimezone(timezone(timedelta(hours=5, minutes=45)))
    for when in (
        {"slotId": slot["id"]},
        {"start": slot["start"]},
        {"start": elsewhere.isoformat(), "durationMinutes": 30},
        {"start": slot["start"], "practitionerId": slot["practitionerId"]},
    ):
        answer = await reschedule(desk, visit, **when)
        assert made(answer) == visit
        assert answer.headers["etag"] == '"1"'
    told = await news(product, tenant)
    assert told.types_of(visit) == ["appointment.created"]
    assert told.types_of(slot) == ["slot.opened"]


async def test_fifteen_minutes_into_its_own_old_time_it_can_be_moved(
    desk: Desk,
) -> None:
    quarters = await a_morning(desk, 4, minutes=15)
    visit = made(await desk.book_from(at("09:00"), 30, quarters[0]), 201)
    moved = made(await reschedule(desk, visit, start=at("09:15").isoformat()))
    assert moved["slotIds"] == [slot["id"] for slot in quarters[1:3]]
    assert moved["durationMinutes"] == 30
    assert [await slot_now(desk, slot) for slot in quarters] == [FREE, BUSY, BUSY, FREE]


async def test_a_start_in_another_offset_and_an_odd_length_are_the_same_instants(
    desk: Desk,
) -> None:
    slots = await a_morning(desk)
    visit = await desk.booked(slots[0])
    start = at("09:30").astimezone(timezone(timedelta(hours=-3))).isoformat()
    moved = made(await reschedule(desk, visit, start=start, durationMinutes=40))
    assert moved["start"] == slots[1]["start"]
    assert datetime.fromisoformat(moved["end"]) == at("10:10")
    assert moved["slotIds"] == [slot["id"] for slot in slots[1:3]]
    between = await reschedule(desk, moved, start=at("09:40").isoformat())
    assert codes(between) == [(409, "OUTSIDE_SCHEDULE")]


async def test_it_can_go_to_another_practitioner_at_another_place(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    visit = await desk.booked(await desk.a_slot())
    there = await desk.a_slot(at("11:00"), minutes=60)
    place = {name: there[name] for name in ("practitionerId", "locationId")}
    start = there["start"]
    moved = made(await reschedule(desk, visit, start=start, **place))
    assert {name: moved[name] for name in place} == place
    assert (moved["slotIds"], moved["durationMinutes"]) == ([there["id"]], 30)
    updated = (await news(product, tenant)).the("appointment.updated", visit)
    assert updated["changed"] == [*place, "slotIds", "start", "end"]
    assert updated["old"]["practitionerId"] == visit["practitionerId"]
    assert updated["practitionerId"] == place["practitionerId"]

    by_slot = await desk.a_slot(at("15:00"))
    again = made(await reschedule(desk, moved, by_slot))
    assert again["practitionerId"] == by_slot["practitionerId"]
    assert again["locationId"] == by_slot["locationId"]


async def test_a_move_that_fails_leaves_the_old_whole(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slots = await a_morning(desk)
    patient = await desk.a_patient()
    visit = await desk.booked(slots[0], patient)
    await desk.booked(slots[1])
    elsewhere = await desk.booked(await desk.a_slot(at("10:00")), patient)
    place = {name: visit[name] for name in ("practitionerId", "locationId")}
    unknown, start = str(uuid4()), slots[2]["start"]
    far = await desk.a_slot(at("09:00", days=200))
    refused = [
        await reschedule(desk, visit, slots[1]),
        await reschedule(desk, visit, slots[2]),
        await reschedule(desk, visit, far),
        await reschedule(desk, visit, start=at("23:00").isoformat()),
        await reschedule(desk, visit, {"id": unknown}),
        await reschedule(desk, visit, start=start, practitionerId=unknown),
        await reschedule(desk, visit, start=start, locationId=unknown),
        await reschedule(
            desk, visit, start=start, **place | {"locationId": far["locationId"]}
        ),
        await reschedule(desk, visit),
        await reschedule(desk, visit, slots[2], durationMinutes=30),
        await reschedule(desk, visit, start=start, durationMinutes=0),
    ]
    assert codes(*refused) == [
        FULL,
        (409, "DOUBLE_BOOKING_DETECTED"),
        (409, "OUTSIDE_BOOKING_WINDOW"),
        (409, "OUTSIDE_SCHEDULE"),
        (404, "SLOT_NOT_FOUND"),
        (404, "PRACTITIONER_NOT_FOUND"),
        (404, "LOCATION_NOT_FOUND"),
        (409, "PRACTITIONER_NOT_ASSIGNED"),
        *[(422, "VALIDATION_FAILED")] * 3,
    ]
    assert refused[1].json()["conflictingAppointmentIds"] == [elsewhere["id"]]
    assert await as_it_is(desk, visit) == visit
    assert [await slot_now(desk, slot) for slot in slots] == [BUSY, BUSY, FREE, FREE]
    assert (await news(product, tenant)).types_of(visit) == ["appointment.created"]


async def test_of_fifty_who_want_to_move_to_one_slot_one_does(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    wanted, *_ = await a_morning(desk, 1)
    schedule = await desk.a_schedule()
    slots = [
        await desk.a_slot(
            at("10:00") + timedelta(minutes=5 * number), minutes=5, schedule=schedule
        )
        for number in range(50)
    ]
    visits = [await desk.booked(slot) for slot in slots]
    answers = await asyncio.gather(*(reschedule(desk, v, wanted) for v in visits))
    assert Counter(a.status_code for a in answers) == {200: 1, 409: 49}
    refused = [answer for answer in answers if answer.status_code == 409]
    assert set(codes(*refused)) == {FULL}
    assert await slot_now(desk, wanted) == BUSY
    for visit, slot, answer in zip(visits, slots, answers, strict=True):
        won = answer.status_code == 200
        assert await as_it_is(desk, visit) == (made(answer) if won else visit)
        assert await slot_now(desk, slot) == (FREE if won else BUSY)
    told = await news(product, tenant)
    assert told.types().count("appointment.updated") == 1


async def test_of_two_who_move_one_visit_one_is_told_that_it_changed(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slots = await a_morning(desk)
    for _ in range(5):
        visit = await desk.booked(slots[0])
        answers = await asyncio.gather(
            *(reschedule(desk, visit, slot) for slot in slots[1:3])
        )
        [lost] = [answer for answer in answers if answer.status_code != 200]
        assert codes(lost) == [CHANGED]
        [moved] = [made(answer) for answer in answers if answer.status_code == 200]
        assert await as_it_is(desk, visit) == moved
        told = (await news(product, tenant)).types_of(visit)
        assert told == ["appointment.created", "appointment.updated"]
        assert (await desk.cancel(moved)).status_code == 200
        assert [await slot_now(desk, slot) for slot in slots] == [FREE] * 4


async def test_of_a_cancel_and_a_move_at_once_one_is_done(desk: Desk) -> None:
    slots = await a_morning(desk)
    for _ in range(5):
        visit = await desk.booked(slots[0])
        answers = await asyncio.gather(
            desk.cancel(visit), reschedule(desk, visit, slots[1])
        )
        assert Counter(a.status_code for a in answers) == {200: 1, 409: 1}
        now = await as_it_is(desk, visit)
        assert now in [made(a) for a in answers if a.status_code == 200]
        if now["status"] == "booked":
            assert await slot_now(desk, slots[1]) == BUSY
            assert (await desk.cancel(now)).status_code == 200
        assert [await slot_now(desk, slot) for slot in slots[:2]] == [FREE, FREE]


async def test_what_has_begun_or_is_over_is_not_moved(desk: Desk) -> None:
    slots = await a_morning(desk, 8)
    ways = (
        ["cancelled"],
        ["no-show"],
        ["entered-in-error"],
        ["arrived"],
        ["arrived", "in-progress"],
        ["arrived", "completed"],
    )
    for way, slot in zip(ways, slots, strict=False):
        visit = await desk.booked(slot)
        for status in way:
            visit = made(await step(desk, visit, status))
        answer = await reschedule(desk, visit, slots[-1])
        assert codes(answer) == [(409, "INVALID_STATUS_TRANSITION")], way
        assert await as_it_is(desk, visit) == visit


async def test_a_group_keeps_its_others_when_one_moves(desk: Desk) -> None:
    first, second = await a_morning(desk, 2, capacity=3)
    patients = [await desk.a_patient() for _ in range(3)]
    visits = [await desk.booked(first, patient) for patient in patients]
    assert made(await reschedule(desk, visits[0], first)) == visits[0]
    moved = made(await reschedule(desk, visits[0], second))
    assert await slot_now(desk, first) == (2, 1, "free")
    assert await slot_now(desk, second) == (1, 2, "free")
    assert [await as_it_is(desk, visit) for visit in visits[1:]] == visits[1:]
    twice = await desk.booked(first, patients[0])
    assert codes(await reschedule(desk, twice, second)) == [
        (409, "DOUBLE_BOOKING_DETECTED")
    ]
    assert made(await reschedule(desk, moved, start=second["start"])) == moved


async def test_a_move_is_done_once_under_its_key(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slots = await a_morning(desk)
    visit = await desk.booked(slots[0])
    first = await reschedule(desk, visit, slots[1], key="k")
    moved = made(first)
    same(first, await reschedule(desk, visit, slots[1], key="k"))
    other = await reschedule(desk, visit, slots[2], key="k")
    assert codes(other) == [(422, "IDEMPOTENCY_KEY_REUSED")]
    assert (await desk.cancel(moved)).status_code == 200
    same(first, await reschedule(desk, visit, slots[1], key="k"))
    told = (await news(product, tenant)).types_of(visit)
    assert told.count("appointment.updated") == 1


async def test_parallel_duplicates_move_once(desk: Desk) -> None:
    slots = await a_morning(desk)
    visit = await desk.booked(slots[0])
    answers = await asyncio.gather(
        *(reschedule(desk, visit, slots[1], key="k") for _ in range(12))
    )
    done = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert set(codes(*refused)) <= {(409, "REQUEST_IN_PROGRESS")}
    assert len({answer.content for answer in done}) == 1
    assert (await as_it_is(desk, visit))["version"] == 2


async def test_a_patient_moves_their_own_visit_and_no_other(
    desk: Desk, token: Token
) -> None:
    slots = await a_morning(desk)
    patient = await desk.a_patient()
    own, other = await desk.booked(slots[0], patient), await desk.booked(slots[1])
    me = Desk(desk.http, token(subject="patient", patient_id=UUID(patient)))
    moved = made(await reschedule(me, own, slots[2]))
    assert moved["slotIds"] == [slots[2]["id"]]
    assert (
        codes(
            await reschedule(me, other, slots[3]),
            await reschedule(me, other | {"id": str(uuid4())}, slots[3]),
        )
        == [(404, "APPOINTMENT_NOT_FOUND")] * 2
    )
    in_the_way = await reschedule(me, moved, slots[1])
    assert codes(in_the_way) == [FULL]
    assert "conflictingAppointmentIds" not in in_the_way.json()

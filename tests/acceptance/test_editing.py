"""Editing: what a visit is about, how long it takes, and who it is with."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import Product
from tests.acceptance.visits import (
    BUSY,
    FREE,
    NOTHING,
    as_it_is,
    edit,
    held,
    made,
    news,
    reschedule,
    same,
    slot_now,
    step,
)

TWICE = (409, "DOUBLE_BOOKING_DETECTED")
INVALID = (422, "VALIDATION_FAILED")


async def half_hours(desk: Desk, count: int = 3) -> list[Thing]:
    schedule = await desk.a_schedule()
    return [
        await desk.a_slot(at("09:00") + timedelta(minutes=30 * n), schedule=schedule)
        for n in range(count)
    ]


async def test_words_are_replaced_and_told_as_changed_only(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot, *_ = await half_hours(desk)
    visit = await desk.booked(slot, reason="knee", notes="left-handed")
    answer = await edit(
        desk, visit, appointmentType="follow-up", notes="right-handed", reason=None
    )
    edited = made(answer)
    assert edited == visit | {
        "appointmentType": "follow-up",
        "notes": "right-handed",
        "reason": None,
        "version": 2,
        "updatedAt": edited["updatedAt"],
    }
    assert answer.headers["etag"] == '"2"'
    assert await as_it_is(desk, visit) == edited
    told = await news(product, tenant)
    assert told.types_of(visit) == ["appointment.created", "appointment.updated"]
    updated = told.the("appointment.updated", visit)
    assert updated["changed"] == ["appointmentType", "reason", "notes"]
    assert updated["old"]["appointmentType"] == "consultation"
    assert updated["appointmentType"] == "follow-up"
    for word in ("knee", "handed"):
        assert word not in str(told.events)
        assert word not in str([dict(row) for row in await product.audit(tenant)])


async def test_an_edit_that_changes_nothing_is_none(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    visit = await desk.booked(notes="left-handed")
    nothing_new: list[Thing] = [
        {"notes": "left-handed"},
        {"durationMinutes": 30},
        {"practitionerId": visit["practitionerId"]},
        {"resources": [], "appointmentType": "consultation", "reason": None},
    ]
    for told in nothing_new:
        answer = await edit(desk, visit, **told)
        assert made(answer) == visit
        assert answer.headers["etag"] == '"1"'
    told_of = (await news(product, tenant)).types_of(visit)
    assert told_of == ["appointment.created"]


async def test_a_visit_gets_longer_and_shorter_by_whole_slots(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slots = await half_hours(desk)
    visit = await desk.booked(slots[0])
    longer = made(await edit(desk, visit, durationMinutes=75))
    assert longer["slotIds"] == [slot["id"] for slot in slots]
    assert datetime.fromisoformat(longer["end"]) == at("10:15")
    assert [await slot_now(desk, slot) for slot in slots] == [BUSY] * 3
    shorter = made(await edit(desk, longer, durationMinutes=45))
    assert shorter["slotIds"] == [slot["id"] for slot in slots[:2]]
    assert [await slot_now(desk, slot) for slot in slots] == [BUSY, BUSY, FREE]

    told = await news(product, tenant)
    changed = [event["data"].get("changed") for event in told.of(visit)]
    assert changed == [None, ["slotIds", "end"], ["slotIds", "end"]]
    last = told.of(visit)[-1]["data"]
    assert last["old"]["end"] == longer["end"]
    assert last["end"] == shorter["end"]
    assert told.types_of(slots[2]) == ["slot.opened"] * 2
    assert told.types_of(slots[1]) == ["slot.opened"]


async def test_what_is_taken_is_not_taken_by_an_edit(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slots = await half_hours(desk)
    patient = await desk.a_patient()
    visit = await desk.booked(slots[0], patient)
    await desk.booked(slots[1])
    away = await desk.a_practitioner()
    refused = [
        await edit(desk, visit, durationMinutes=60),
        await edit(desk, visit, durationMinutes=24 * 60),
        await edit(desk, visit, practitionerId=str(uuid4())),
        await edit(desk, visit, practitionerId=away),
    ]
    assert codes(*refused) == [
        (409, "SLOT_NOT_AVAILABLE"),
        (409, "OUTSIDE_SCHEDULE"),
        (404, "PRACTITIONER_NOT_FOUND"),
        (409, "PRACTITIONER_NOT_ASSIGNED"),
    ]
    assert await as_it_is(desk, visit) == visit
    assert [await slot_now(desk, slot) for slot in slots] == [BUSY, BUSY, FREE]
    assert (await news(product, tenant)).types_of(visit) == ["appointment.created"]


async def test_somebody_else_takes_the_visit_over_at_the_same_time(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    place = await desk.a_location()
    mine, theirs = [
        await desk.a_slot(schedule=await desk.a_schedule(location=place))
        for _ in range(2)
    ]
    visit = await desk.booked(mine)
    other = theirs["practitionerId"]
    edited = made(await edit(desk, visit, practitionerId=other))
    assert (edited["practitionerId"], edited["start"]) == (other, visit["start"])
    assert edited["slotIds"] == [theirs["id"]]
    assert (await slot_now(desk, mine), await slot_now(desk, theirs)) == (FREE, BUSY)
    updated = (await news(product, tenant)).the("appointment.updated", visit)
    assert updated["changed"] == ["practitionerId", "slotIds"]
    assert updated["old"]["practitionerId"] == visit["practitionerId"]


async def test_a_room_is_added_moved_to_and_given_back(desk: Desk) -> None:
    rooms = [{"type": "room", "id": str(uuid4())} for _ in range(2)]
    first, second = [await desk.booked(await desk.a_slot()) for _ in range(2)]
    here = made(await edit(desk, first, resources=[rooms[0]]))
    assert {one["type"]: one["id"] for one in here["participants"]}["room"] == (
        rooms[0]["id"]
    )
    taken = await edit(desk, second, resources=rooms)
    assert codes(taken) == [TWICE]
    assert taken.json()["conflictingAppointmentIds"] == [first["id"]]
    there = made(await edit(desk, second, resources=[rooms[1]]))
    assert codes(await edit(desk, there, resources=rooms)) == [TWICE]
    made(await edit(desk, here, resources=[]))
    assert made(await edit(desk, there, resources=rooms))["version"] == 3


async def test_a_seat_in_a_crowded_slot_is_kept(desk: Desk) -> None:
    slot = await desk.a_slot()
    visit = await desk.booked(slot)
    because: Thing = {"allowDoubleBooking": True, "overrideReason": "an emergency"}
    other = await desk.booked(slot, **because)
    room = [{"type": "room", "id": str(uuid4())}]
    assert made(await edit(desk, visit, resources=room))["overbooked"] is False
    shorter = made(await edit(desk, other, durationMinutes=20))
    assert (shorter["durationMinutes"], shorter["overbooked"]) == (20, True)
    assert await slot_now(desk, slot) == (2, 0, "busy")


async def test_a_stale_version_edits_nothing(desk: Desk) -> None:
    visit = await desk.booked()
    for told in ({"notes": "x"}, {"durationMinutes": 20}):
        answers = [
            await edit(desk, visit, version=7, **told),
            await edit(desk, visit, if_match='"7"', **told),
            await edit(desk, visit, if_match='"7"', version=1, **told),
            await edit(desk, visit, version=NOTHING, **told),
            await edit(desk, visit, if_match="*", **told),
            await edit(desk, visit | {"id": str(uuid4())}, **told),
        ]
        assert codes(*answers) == [
            (409, "OPTIMISTIC_LOCK_CONFLICT"),
            *[(412, "OPTIMISTIC_LOCK_CONFLICT")] * 2,
            *[(428, "PRECONDITION_REQUIRED")] * 2,
            (404, "APPOINTMENT_NOT_FOUND"),
        ]
    assert await as_it_is(desk, visit) == visit
    assert (await edit(desk, visit, if_match='"1"', notes="x")).status_code == 200


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"version": 1},
        {"appointmentType": None},
        {"durationMinutes": None},
        {"practitionerId": None},
        {"resources": None},
        {"appointmentType": "", "notes": "x"},
        {"durationMinutes": 0},
        {"durationMinutes": 1441},
        {"durationMinutes": "30"},
        {"start": "2030-01-01T09:00:00Z"},
        {"status": "confirmed"},
        {"notes": "x" * 4001},
        {"version": 0, "notes": "x"},
    ],
    ids=str,
)
async def test_what_makes_no_sense_is_refused(desk: Desk, told: Thing) -> None:
    visit = await desk.booked()
    assert codes(await edit(desk, visit, **told)) == [INVALID]
    assert await as_it_is(desk, visit) == visit


async def test_what_is_over_is_mended_in_words_only_and_what_is_off_not_at_all(
    desk: Desk,
) -> None:
    visit = await desk.booked()
    for status in ("arrived", "completed"):
        visit = made(await step(desk, visit, status))
    refused = (409, "INVALID_STATUS_TRANSITION")
    longer = await edit(desk, visit, durationMinutes=60)
    room = {"type": "room", "id": str(uuid4())}
    with_a_room = await edit(desk, visit, resources=[room])
    assert codes(longer, with_a_room) == [refused] * 2
    assert made(await edit(desk, visit, notes="seen by two"))["notes"] == "seen by two"
    for way in ("cancelled", "no-show", "entered-in-error"):
        gone = made(await step(desk, await desk.booked(), way))
        assert codes(await edit(desk, gone, notes="x")) == [refused], way
        assert await as_it_is(desk, gone) == gone


async def test_a_visit_that_has_begun_gets_longer(desk: Desk) -> None:
    slots = await half_hours(desk)
    visit = await desk.booked(slots[0])
    for status in ("arrived", "in-progress"):
        visit = made(await step(desk, visit, status))
    longer = made(await edit(desk, visit, durationMinutes=60))
    assert (longer["status"], longer["durationMinutes"]) == ("in-progress", 60)


async def test_a_hold_stays_one_when_it_is_edited(desk: Desk) -> None:
    one = await held(desk, await desk.a_slot())
    edited = made(await edit(desk, one, appointmentType="visit", durationMinutes=20))
    assert (edited["status"], edited["durationMinutes"]) == ("pending", 20)
    assert edited["holdExpiresAt"] == one["holdExpiresAt"]


async def test_of_two_who_edit_at_once_one_is_told_that_it_changed(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slots = await half_hours(desk)
    visit = await desk.booked(slots[0])
    answers = await asyncio.gather(
        edit(desk, visit, notes="one"),
        edit(desk, visit, durationMinutes=60),
        edit(desk, visit, notes="two"),
        reschedule(desk, visit, slots[2]),
    )
    assert Counter(a.status_code for a in answers) == {200: 1, 409: 3}
    refused = [answer for answer in answers if answer.status_code == 409]
    assert set(codes(*refused)) == {(409, "OPTIMISTIC_LOCK_CONFLICT")}
    [done] = [answer for answer in answers if answer.status_code == 200]
    assert await as_it_is(desk, visit) == made(done)
    assert len((await news(product, tenant)).types_of(visit)) == 2


async def test_of_ten_who_want_one_room_by_an_edit_one_gets_it(desk: Desk) -> None:
    room = [{"type": "room", "id": str(uuid4())}]
    visits = [await desk.booked() for _ in range(10)]
    answers = await asyncio.gather(*(edit(desk, v, resources=room) for v in visits))
    assert Counter(a.status_code for a in answers) == {200: 1, 409: 9}
    assert set(codes(*(a for a in answers if a.status_code == 409))) == {TWICE}


async def test_an_edit_is_done_once_under_its_key(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    visit = await desk.booked()
    first = await edit(desk, visit, notes="once", key="k")
    made(first)
    same(first, await edit(desk, visit, notes="once", key="k"))
    other = await edit(desk, visit, notes="twice", key="k")
    assert codes(other) == [(422, "IDEMPOTENCY_KEY_REUSED")]
    shorter = await edit(desk, made(first), durationMinutes=20, key="l")
    same(shorter, await edit(desk, made(first), durationMinutes=20, key="l"))
    told = (await news(product, tenant)).types_of(visit)
    assert told.count("appointment.updated") == 2


async def test_a_patient_says_why_they_come_and_nothing_else(
    desk: Desk, token: Token
) -> None:
    patient = await desk.a_patient()
    visit = await desk.booked(await desk.a_slot(), patient)
    other = await desk.booked(await desk.a_slot(at("11:00")))
    me = Desk(desk.http, token(subject="patient", patient_id=UUID(patient)))
    not_theirs: list[Thing] = [
        {"notes": "x"},
        {"appointmentType": "x"},
        {"durationMinutes": 20},
        {"practitionerId": visit["practitionerId"]},
        {"resources": []},
        {"reason": "x", "notes": "x"},
    ]
    for told in not_theirs:
        assert codes(await edit(me, visit, **told)) == [(403, "FORBIDDEN")]
    assert (
        codes(
            await edit(me, other, reason="x"),
            await edit(me, other | {"id": str(uuid4())}, reason="x"),
        )
        == [(404, "APPOINTMENT_NOT_FOUND")] * 2
    )
    assert made(await edit(me, visit, reason="my knee"))["reason"] == "my knee"

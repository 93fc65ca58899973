"""Holds over HTTP: a seat for a while, for one who may book it and nobody else."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import Product, what_is_wrong
from tests.acceptance.visits import (
    BUSY,
    FREE,
    as_it_is,
    edit,
    has_run_out,
    held,
    hold,
    made,
    news,
    release,
    reschedule,
    same,
    slot_now,
    step,
)

TAKEN = (409, "SLOT_NOT_AVAILABLE")
RUN_OUT = (409, "HOLD_EXPIRED")
TWICE = (409, "DOUBLE_BOOKING_DETECTED")


async def test_a_hold_keeps_a_seat_for_as_long_as_the_organisation_says(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    await desk.settings(holdMinutes=7)
    slot, patient = await desk.a_slot(), await desk.a_patient()
    before = datetime.now(UTC)
    answer = await hold(desk, slot, patient, appointmentType="follow-up")
    one = made(answer, 201)
    assert answer.headers["location"] == f"/v1/appointments/{one['id']}"
    assert answer.headers["etag"] == '"1"'
    assert (one["status"], one["appointmentType"]) == ("pending", "follow-up")
    assert one["slotIds"] == [slot["id"]]
    until = datetime.fromisoformat(one["holdExpiresAt"])
    assert timedelta() <= until - timedelta(minutes=7) - before < timedelta(minutes=1)
    assert await as_it_is(desk, one) == one
    assert await slot_now(desk, slot) == BUSY
    assert await desk.free() == []
    assert codes(await desk.book(slot), await desk.book(slot, patient)) == [TAKEN] * 2

    told = await news(product, tenant)
    assert told.types_of(one) == ["appointment.created"]
    created = told.the("appointment.created", one)
    assert (created["status"], created["slotIds"]) == ("pending", [slot["id"]])


async def test_booking_uses_up_the_own_hold(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot, patient = await desk.a_slot(), await desk.a_patient()
    one = await held(desk, slot, patient)
    given = {"holdId": one["id"], "appointmentType": "visit", "notes": "a private note"}
    answer = await desk.book(slot, patient, **given)
    booked = made(answer, 201)
    assert answer.headers["location"] == f"/v1/appointments/{one['id']}"
    assert booked == one | {
        "status": "booked",
        "appointmentType": "visit",
        "notes": "a private note",
        "holdExpiresAt": None,
        "version": 2,
        "updatedAt": booked["updatedAt"],
    }
    assert await slot_now(desk, slot) == BUSY
    again = await desk.book(slot, patient, **given)
    assert codes(again) == [(409, "INVALID_STATUS_TRANSITION")]

    told = await news(product, tenant)
    assert told.types_of(one) == ["appointment.created", "appointment.updated"]
    updated = told.the("appointment.updated", one)
    assert (updated["status"], updated["old"]["status"]) == ("booked", "pending")
    assert updated["old"]["appointmentType"] == "unspecified"
    assert updated["appointmentType"] == "visit"
    assert updated["changed"] == ["appointmentType", "status", "notes"]
    assert "private" not in str(told.events)


async def test_a_hold_is_booked_by_start_too(desk: Desk) -> None:
    schedule = await desk.a_schedule()
    slot, patient = await desk.a_slot(schedule=schedule), await desk.a_patient()
    one = await held(desk, slot, patient)
    answer = await desk.book_from(at("09:00"), 30, schedule, patient, holdId=one["id"])
    assert made(answer, 201)["id"] == one["id"]


async def test_anothers_hold_is_not_booked(desk: Desk, token: Token) -> None:
    slot, patient = await desk.a_slot(), await desk.a_patient()
    other_slot = await desk.a_slot(at("12:00"))
    one = await held(desk, slot, patient)
    clerk = Desk(
        desk.http, token(subject="clerk", scope="scheduling:read scheduling:book")
    )
    someone = await desk.a_patient()
    stranger = Desk(desk.http, token(subject="other", patient_id=UUID(someone)))
    refused = [
        await clerk.book(slot, patient, holdId=one["id"]),
        await desk.book(slot, someone, holdId=one["id"]),
        await desk.book(other_slot, patient, holdId=one["id"]),
        await stranger.book(slot, someone, holdId=one["id"]),
        await desk.book(slot, patient, holdId=str(uuid4())),
        await release(clerk, one),
        await release(stranger, one),
    ]
    assert codes(*refused) == [
        *[TAKEN] * 3,
        *[(404, "APPOINTMENT_NOT_FOUND")] * 2,
        (403, "FORBIDDEN"),
        (404, "APPOINTMENT_NOT_FOUND"),
    ]
    assert await as_it_is(desk, one) == one
    manager = Desk(desk.http, token(subject="manager"))
    assert made(await manager.book(slot, patient, holdId=one["id"]), 201)


async def test_a_hold_needs_no_override(desk: Desk) -> None:
    slot, patient = await desk.a_slot(), await desk.a_patient()
    one = await held(desk, slot, patient)
    told: Thing = {"allowDoubleBooking": True, "overrideReason": "because"}
    answer = await desk.book(slot, patient, holdId=one["id"], **told)
    assert codes(answer) == [(422, "VALIDATION_FAILED")]


async def test_a_hold_that_has_run_out_is_in_nobodys_way(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot, patient = await desk.a_slot(), await desk.a_patient()
    one = await held(desk, slot, patient)
    assert await desk.free() == []
    await has_run_out(product, tenant, one)
    [free] = await desk.free()
    assert (free["slotId"], free["remaining"]) == (slot["id"], 1)

    late = [
        await desk.book(slot, patient, holdId=one["id"]),
        await step(desk, one, "booked"),
        await step(desk, one, "pending"),
        await release(desk, one),
    ]
    assert codes(*late) == [RUN_OUT] * 4
    elsewhere = await desk.a_slot(at("15:00"))
    assert (
        codes(
            await reschedule(desk, one, elsewhere),
            await edit(desk, one, durationMinutes=20),
        )
        == [(409, "INVALID_STATUS_TRANSITION")] * 2
    )

    booked = await desk.booked(slot)
    assert await slot_now(desk, slot) == BUSY
    gone = await as_it_is(desk, one)
    assert (gone["status"], gone["version"]) == ("cancelled", 2)
    after = await desk.book(slot, patient, holdId=one["id"])
    assert codes(after, await release(desk, one)) == [RUN_OUT] * 2

    told = await news(product, tenant)
    assert told.types_of(one) == ["appointment.created", "hold.expired"]
    expired = told.the("hold.expired", one)
    assert datetime.fromisoformat(expired["expiredAt"]) < datetime.now(UTC)
    assert (expired["slotIds"], expired["start"]) == ([slot["id"]], slot["start"])
    assert told.types_of(booked) == ["appointment.created"]
    stream = await product.in_stream(tenant)
    assert what_is_wrong(await product.committed(tenant), stream) == []


async def test_a_slot_is_shown_free_as_soon_as_its_hold_has_run_out(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    """Nobody swept the hold: the slot has no new version that would tell of it."""
    slot = await desk.a_slot()
    one = await held(desk, slot, await desk.a_patient())
    path = f"/v1/slots/{slot['id']}"
    assert await slot_now(desk, slot) == BUSY
    known = {"If-None-Match": (await desk.get(path)).headers["etag"]}
    assert (await desk.get(path, headers=known)).status_code == 304
    await has_run_out(product, tenant, one)
    assert (await desk.get(path, headers=known)).json()["status"] == "free"
    assert await slot_now(desk, slot) == FREE


async def test_what_a_hold_kept_can_be_held_and_moved_to_when_it_has_run_out(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot, other = await desk.a_slot(), await desk.a_slot(at("12:00"))
    one, two = await held(desk, slot), await held(desk, other)
    await has_run_out(product, tenant, one, two)
    again = await held(desk, slot)
    visit = await desk.booked(await desk.a_slot(at("15:00")))
    moved = made(await reschedule(desk, visit, other))
    assert moved["slotIds"] == [other["id"]]
    assert [await slot_now(desk, each) for each in (slot, other)] == [BUSY, BUSY]
    told = await news(product, tenant)
    assert told.types_of(one)[-1] == told.types_of(two)[-1] == "hold.expired"
    assert told.types().count("hold.expired") == 2
    assert made(await release(desk, again))["status"] == "cancelled"


async def test_of_twenty_who_want_what_a_hold_kept_one_gets_it(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot = await desk.a_slot()
    one = await held(desk, slot)
    await has_run_out(product, tenant, one)
    patients = [await desk.a_patient() for _ in range(20)]
    answers = await asyncio.gather(*(desk.book(slot, who) for who in patients))
    assert Counter(a.status_code for a in answers) == {201: 1, 409: 19}
    assert await slot_now(desk, slot) == BUSY
    told = await news(product, tenant)
    assert told.types_of(one).count("hold.expired") == 1


async def test_holds_of_a_group_are_seats_of_it(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot = await desk.a_slot(capacity=5)
    answers = await asyncio.gather(
        *[hold(desk, slot, await desk.a_patient()) for _ in range(8)]
    )
    assert Counter(a.status_code for a in answers) == {201: 5, 409: 3}
    assert set(codes(*(a for a in answers if a.status_code == 409))) == {TAKEN}
    holds = [answer.json() for answer in answers if answer.status_code == 201]
    await has_run_out(product, tenant, *holds[:3])
    [free] = await desk.free()
    assert free["remaining"] == 3
    patients = [await desk.a_patient() for _ in range(5)]
    booked = await asyncio.gather(*(desk.book(slot, who) for who in patients))
    assert Counter(a.status_code for a in booked) == {201: 3, 409: 2}
    assert await slot_now(desk, slot) == (5, 0, "busy")
    told = (await news(product, tenant)).types()
    assert told.count("hold.expired") == 3


async def test_a_patient_has_three_live_holds_at_the_most(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    patient = await desk.a_patient()
    slots = [await desk.a_slot(at(f"{hour}:00")) for hour in range(10, 18)]
    answers = await asyncio.gather(*(hold(desk, slot, patient) for slot in slots))
    assert Counter(a.status_code for a in answers) == {201: 3, 409: 5}
    refused = [answer for answer in answers if answer.status_code == 409]
    assert set(codes(*refused)) == {(409, "BOOKING_LIMIT_REACHED")}
    holds = [answer.json() for answer in answers if answer.status_code == 201]
    left = [
        slot
        for slot, answer in zip(slots, answers, strict=True)
        if answer.status_code == 409
    ]
    assert made(await release(desk, holds[0]))
    assert made(await hold(desk, left[0], patient), 201)
    await has_run_out(product, tenant, holds[1])
    assert made(await hold(desk, left[1], patient), 201)
    assert made(await desk.book(left[2], patient), 201)
    assert codes(await hold(desk, left[3], patient)) == [(409, "BOOKING_LIMIT_REACHED")]


async def test_a_patient_is_not_held_in_two_places_at_once(desk: Desk) -> None:
    patient = await desk.a_patient()
    await held(desk, await desk.a_slot(), patient)
    elsewhere = await desk.a_slot(at("09:15"))
    assert (
        codes(await hold(desk, elsewhere, patient), await desk.book(elsewhere, patient))
        == [TWICE] * 2
    )


async def test_a_hold_that_moves_frees_the_old_time_and_keeps_its_end(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    schedule, patient = await desk.a_schedule(), await desk.a_patient()
    old, new = [
        await desk.a_slot(at(start), schedule=schedule) for start in ("09:00", "11:00")
    ]
    one = await held(desk, old, patient)
    moved = made(await reschedule(desk, one, new))
    assert (moved["status"], moved["version"]) == ("pending", 2)
    assert moved["holdExpiresAt"] == one["holdExpiresAt"]
    assert (await slot_now(desk, old), await slot_now(desk, new)) == (FREE, BUSY)
    assert codes(await desk.book(old, patient, holdId=one["id"])) == [TAKEN]
    booked = made(await desk.book(new, patient, holdId=one["id"]), 201)
    assert (booked["status"], booked["version"]) == ("booked", 3)
    assert (await news(product, tenant)).types_of(old) == ["slot.opened"] * 2


async def test_a_hold_that_was_shortened_is_booked_as_short(desk: Desk) -> None:
    slot, patient = await desk.a_slot(), await desk.a_patient()
    one = await held(desk, slot, patient)
    short = made(await edit(desk, one, durationMinutes=10))
    booked = made(await desk.book(slot, patient, holdId=one["id"]), 201)
    assert (booked["end"], booked["durationMinutes"]) == (short["end"], 10)
    between = await desk.a_slot(at("09:15"), minutes=10)
    assert made(await desk.book(between, patient), 201), "it is over by then"


async def test_a_released_hold_is_free_at_once(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot = await desk.a_slot()
    one = await held(desk, slot)
    stale = await release(desk, one, if_match='"7"')
    assert codes(stale) == [(412, "OPTIMISTIC_LOCK_CONFLICT")]
    answer = await release(desk, one, if_match='"1"')
    assert (made(answer)["status"], answer.headers["etag"]) == ("cancelled", '"2"')
    ended = datetime.fromisoformat(made(answer)["holdExpiresAt"])
    assert ended < datetime.now(UTC), "it is over with, not used up"
    assert await slot_now(desk, slot) == FREE
    assert codes(await release(desk, one)) == [(409, "INVALID_STATUS_TRANSITION")]
    await held(desk, slot)

    told = await news(product, tenant)
    assert told.types_of(one) == ["appointment.created", "appointment.cancelled"]
    cancelled = told.the("appointment.cancelled", one)
    assert (cancelled["oldStatus"], cancelled["initiatedBy"]) == ("pending", "staff")
    assert told.types_of(slot) == ["slot.opened"] * 2


async def test_what_is_no_hold_is_not_released(desk: Desk) -> None:
    booked = await desk.booked()
    assert codes(await release(desk, booked), await release(desk, {"id": uuid4()})) == [
        (409, "INVALID_STATUS_TRANSITION"),
        (404, "APPOINTMENT_NOT_FOUND"),
    ]
    assert await as_it_is(desk, booked) == booked


async def test_holds_are_placed_booked_and_released_once_under_a_key(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot, patient = await desk.a_slot(), await desk.a_patient()
    first = await hold(desk, slot, patient, key="hold")
    one = made(first, 201)
    same(first, await hold(desk, slot, patient, key="hold"))
    gone = await release(desk, one, key="release")
    made(gone)
    same(gone, await release(desk, one, key="release"))
    same(first, await hold(desk, slot, patient, key="hold"))

    two = await held(desk, slot, patient)
    booked = await desk.book(slot, patient, key="book", holdId=two["id"])
    made(booked, 201)
    same(booked, await desk.book(slot, patient, key="book", holdId=two["id"]))
    other = await release(desk, two, key="release")
    assert codes(other) == [(422, "IDEMPOTENCY_KEY_REUSED")]
    told = await news(product, tenant)
    assert told.types_of(one) == ["appointment.created", "appointment.cancelled"]
    assert told.types_of(two) == ["appointment.created", "appointment.updated"]


async def test_a_hold_is_booked_once_however_many_try(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot, patient = await desk.a_slot(), await desk.a_patient()
    one = await held(desk, slot, patient)
    answers = await asyncio.gather(
        *(desk.book(slot, patient, holdId=one["id"]) for _ in range(8)),
        release(desk, one),
    )
    won = [answer for answer in answers if answer.status_code in {200, 201}]
    assert len(won) == 1
    lost = [answer for answer in answers if answer not in won]
    assert {answer.status_code for answer in lost} == {409}
    now = await as_it_is(desk, one)
    assert now == won[0].json()
    assert await slot_now(desk, slot) == (BUSY if now["status"] == "booked" else FREE)
    assert len((await news(product, tenant)).types_of(one)) == 2


async def test_what_is_not_there_is_not_held(desk: Desk) -> None:
    slot, patient = await desk.a_slot(), await desk.a_patient()
    past = await desk.a_slot(at("09:00", days=-3))
    answers = [
        await hold(desk, {"id": uuid4()}, patient),
        await hold(desk, slot, str(uuid4())),
        await hold(desk, past, patient),
        await hold(desk, slot, patient, appointmentType=""),
        await hold(desk, slot, patient, holdMinutes=99),
    ]
    assert codes(*answers) == [
        (404, "SLOT_NOT_FOUND"),
        (404, "PATIENT_NOT_FOUND"),
        (409, "OUTSIDE_BOOKING_WINDOW"),
        *[(422, "VALIDATION_FAILED")] * 2,
    ]

"""Slots of several seats: each seat is its patient's own, and none is lost or lent."""

import asyncio
from collections import Counter
from uuid import UUID

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import Product
from tests.acceptance.visits import as_it_is, behind_the_back, made, news, slot_now

FULL = (409, "SLOT_NOT_AVAILABLE")


async def test_ten_at_once_have_ten_seats_and_the_eleventh_has_none(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot = await desk.a_slot(capacity=10)
    patients = [await desk.a_patient() for _ in range(11)]
    answers = await asyncio.gather(*(desk.book(slot, who) for who in patients[:10]))
    assert Counter(one.status_code for one in answers) == {201: 10}
    assert await slot_now(desk, slot) == (10, 0, "busy")
    assert codes(await desk.book(slot, patients[10])) == [FULL]

    visits = [one.json() for one in answers]
    assert (await desk.cancel(visits[3])).status_code == 200
    assert await slot_now(desk, slot) == (9, 1, "free")
    others = visits[:3] + visits[4:]
    assert [await as_it_is(desk, one) for one in others] == others
    assert codes(await desk.book(slot, patients[0])) == [
        (409, "DOUBLE_BOOKING_DETECTED")
    ]
    assert (await desk.book(slot, patients[10])).status_code == 201
    assert codes(await desk.book(slot, patients[3])) == [FULL]
    told = (await news(product, tenant)).types_of(slot)
    assert told == ["slot.opened"] * 2, "when it was made, and when it was full no more"


async def lowered(product: Product, tenant: UUID, slot: Thing, capacity: int) -> None:
    """As the generation of slots does when hours are cut: nothing else may."""
    await behind_the_back(
        product,
        tenant,
        "UPDATE slots SET capacity = $2, status = CASE WHEN booked >= $2 THEN 'busy' "
        "ELSE 'free' END, version = version + 1 WHERE id = $1",
        UUID(slot["id"]),
        capacity,
    )


async def test_fewer_seats_than_are_booked_cancel_nobody_and_leave_none(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot = await desk.a_slot(capacity=10)
    visits = [await desk.booked(slot) for _ in range(8)]
    await lowered(product, tenant, slot, 5)
    assert [await as_it_is(desk, one) for one in visits] == visits

    async def left() -> int:
        """As every list shows it, which must agree."""
        day = at("00:00").date().isoformat()
        next_day = at("00:00", days=1).date().isoformat()
        span = {"from": at("00:00").isoformat(), "to": at("00:00", days=1).isoformat()}
        where = {"locationId": slot["locationId"]}
        schedule = f"/v1/schedules/{slot['scheduleId']}/slots"
        of_day = f"/v1/locations/{slot['locationId']}/slots"
        dates = {"from": day, "to": next_day}
        [shown] = made(await desk.get("/v1/calendar", params={**where, **dates}))[
            "days"
        ]
        [in_calendar] = shown["slots"]
        [in_schedule] = made(await desk.get(schedule, params=span))["items"]
        [in_day] = made(await desk.get(of_day, params={"date": day}))["items"]
        counts = {one["remaining"] for one in (in_calendar, in_schedule, in_day)}
        counts.add((await slot_now(desk, slot))[1])
        assert len(counts) == 1
        [count] = counts
        free = await desk.free()
        assert [one["remaining"] for one in free] == ([count] if count else [])
        number: int = count
        return number

    assert await left() == 0
    assert codes(await desk.book(slot)) == [FULL]
    for number, visit in enumerate(visits[:3], start=1):
        assert (await desk.cancel(visit)).status_code == 200
        assert await slot_now(desk, slot) == (8 - number, 0, "busy")
        assert await left() == 0
        assert codes(await desk.book(slot)) == [FULL]
    assert (await news(product, tenant)).types_of(slot) == ["slot.opened"]
    assert (await desk.cancel(visits[3])).status_code == 200
    assert await slot_now(desk, slot) == (4, 1, "free")
    assert await left() == 1
    assert (await desk.book(slot)).status_code == 201
    assert await left() == 0
    assert (await news(product, tenant)).types_of(slot) == ["slot.opened"] * 2


async def test_the_seat_of_another_in_the_same_slot_cannot_be_read(
    desk: Desk, token: Token
) -> None:
    slot = await desk.a_slot(capacity=3)
    mine, theirs = await desk.a_patient(), await desk.a_patient(name="Other Marker")
    own = Desk(desk.http, token(patient_id=UUID(mine), subject="mine"))
    visit = await desk.booked(slot, mine)
    other = await desk.booked(slot, theirs, reason="Marker", notes="Marker")
    path = f"/v1/appointments/{other['id']}"
    refused = [
        await own.get(path),
        await own.get(f"{path}/history"),
        await own.get(f"/v1/patients/{theirs}/appointments"),
    ]
    assert codes(*refused) == [
        *[(404, "APPOINTMENT_NOT_FOUND")] * 2,
        (404, "PATIENT_NOT_FOUND"),
    ]
    day = at("00:00").date().isoformat()
    seen = [
        await own.get(f"/v1/slots/{slot['id']}"),
        await own.get(f"/v1/locations/{slot['locationId']}/slots?date={day}"),
        await own.get("/v1/appointments/upcoming"),
        await own.get(f"/v1/patients/{mine}/appointments"),
        await own.get(f"/v1/appointments/{visit['id']}"),
    ]
    for answer in seen:
        assert answer.status_code == 200, answer.text
        for data in (theirs, other["id"], "Marker"):
            assert data not in answer.text
    assert seen[0].json()["booked"] == 2
    assert [one["id"] for one in seen[2].json()["items"]] == [visit["id"]]

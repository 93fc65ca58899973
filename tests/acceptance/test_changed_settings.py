"""What is booked stays booked, whatever an organisation decides afterwards."""

from datetime import timedelta
from uuid import UUID

from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import Product
from tests.acceptance.visits import (
    as_it_is,
    check_in,
    edit,
    held,
    made,
    news,
    release,
    step,
)

TOO_CLOSE = (409, "BUFFER_TIME_CONFLICT")
TOO_MANY = (409, "BOOKING_LIMIT_REACHED")


async def neighbours(desk: Desk, count: int) -> tuple[Thing, list[Thing]]:
    """Half hours from nine without a gap between them, all of them booked."""
    schedule = await desk.a_schedule()
    slots = [
        await desk.a_slot(at("09:00") + timedelta(minutes=30 * n), schedule=schedule)
        for n in range(count)
    ]
    return schedule, [await desk.booked(slot) for slot in slots]


async def free(desk: Desk) -> set[str]:
    return {one["slotId"] for one in await desk.free()}


async def test_a_longer_buffer_is_in_conflict_with_nothing_booked(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    schedule, visits = await neighbours(desk, 4)
    before, after = [
        await desk.a_slot(at(start), schedule=schedule) for start in ("08:30", "11:00")
    ]
    told = (await news(product, tenant)).types()
    await desk.settings(bufferMinutes=15)
    assert [await as_it_is(desk, one) for one in visits] == visits
    assert (await news(product, tenant)).types() == told
    assert await free(desk) == {after["id"]}, "its gap is what was promised then"

    confirmed = made(await step(desk, visits[0], "confirmed"))
    arrived = made(await check_in(desk, confirmed))
    assert made(await step(desk, arrived, "in-progress"))["status"] == "in-progress"
    assert made(await edit(desk, visits[1], notes="x", appointmentType="y"))

    # Who comes anew keeps it, before and behind.
    assert (await desk.cancel(visits[2])).status_code == 200
    again = await desk.book({"id": visits[2]["slotIds"][0]})
    assert codes(again, await desk.book(before)) == [TOO_CLOSE] * 2
    assert (await desk.book(after)).status_code == 201


async def test_a_shorter_buffer_takes_none_from_what_is_booked(desk: Desk) -> None:
    await desk.settings(bufferMinutes=15)
    schedule = await desk.a_schedule()
    nine, next_, later = [
        await desk.a_slot(at(start), schedule=schedule)
        for start in ("09:00", "09:30", "10:00")
    ]
    visit = await desk.booked(nine)
    await desk.settings(bufferMinutes=0)
    assert await free(desk) == {later["id"]}
    assert codes(await desk.book(next_)) == [TOO_CLOSE]
    assert (await desk.cancel(visit)).status_code == 200
    await desk.booked(nine)
    assert await free(desk) == {next_["id"], later["id"]}
    assert (await desk.book(next_)).status_code == 201


async def test_a_lower_limit_takes_nothing_from_who_is_booked(desk: Desk) -> None:
    schedule, visits = await neighbours(desk, 3)
    more = await desk.a_slot(at("15:00"), schedule=schedule)
    await desk.settings(limits={"perPractitionerDay": 2})
    assert [await as_it_is(desk, one) for one in visits] == visits
    assert codes(await desk.book(more)) == [TOO_MANY]
    confirmed = made(await step(desk, visits[0], "confirmed"))
    assert made(await check_in(desk, confirmed))["status"] == "arrived"
    assert (await desk.cancel(visits[1])).status_code == 200
    assert codes(await desk.book(more)) == [TOO_MANY], "two are still there"
    assert (await desk.cancel(visits[2])).status_code == 200
    assert (await desk.book(more)).status_code == 201


async def test_a_hold_keeps_its_end_when_holds_get_shorter(desk: Desk) -> None:
    await desk.settings(holdMinutes=20)
    slot, patient = await desk.a_slot(), await desk.a_patient()
    one = await held(desk, slot, patient)
    await desk.settings(holdMinutes=1)
    assert await as_it_is(desk, one) == one
    other = await held(desk, await desk.a_slot(at("12:00")))
    assert other["holdExpiresAt"] < one["holdExpiresAt"]
    assert made(await release(desk, other))
    assert made(await desk.book(slot, patient, holdId=one["id"]), 201)

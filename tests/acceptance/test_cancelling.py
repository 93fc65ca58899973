"""Cancelling: the time is free at once, and only for who knows what they change."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

from tests.acceptance.desk import Desk, codes
from tests.acceptance.product import Product
from tests.acceptance.visits import as_it_is


async def test_a_cancelled_slot_is_free_at_once_and_opened_once(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot = await desk.a_slot()
    appointment = await desk.booked(slot)
    assert await desk.free() == []
    answer = await desk.cancel(appointment, reasonCode="weather", initiatedBy="staff")
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"2"'
    assert answer.json()["status"] == "cancelled"
    assert answer.json()["version"] == 2
    assert [one["slotId"] for one in await desk.free()] == [slot["id"]]
    assert (await desk.book(slot)).status_code == 201

    told = [e.subject.rpartition(f"{tenant}.")[2] for e in await product.events(tenant)]
    assert Counter(told) == {
        "schedule.published": 1,
        "slot.opened": 2,  # once when it was made, once when it was free again
        "appointment.created": 2,
        "appointment.cancelled": 1,
    }


async def test_a_stale_version_changes_nothing(desk: Desk) -> None:
    appointment = await desk.booked()
    answers = [
        await desk.cancel(appointment, version=7),
        await desk.cancel(appointment, if_match='"7"'),
        await desk.cancel(appointment, if_match='W/"1"'),
        await desk.cancel(appointment, if_match="1"),
        await desk.cancel(appointment, if_match='"7"', version=1),
        await desk.cancel(appointment, version=None),
        await desk.cancel(appointment, if_match="*"),
    ]
    assert codes(*answers) == [
        (409, "OPTIMISTIC_LOCK_CONFLICT"),
        (412, "OPTIMISTIC_LOCK_CONFLICT"),
        (412, "OPTIMISTIC_LOCK_CONFLICT"),
        (412, "OPTIMISTIC_LOCK_CONFLICT"),
        (412, "OPTIMISTIC_LOCK_CONFLICT"),
        (428, "PRECONDITION_REQUIRED"),
        (428, "PRECONDITION_REQUIRED"),
    ]
    assert await as_it_is(desk, appointment) == appointment
    assert (await desk.cancel(appointment, if_match='"1"')).status_code == 200


async def test_what_is_cancelled_stays_cancelled(desk: Desk) -> None:
    appointment = await desk.booked()
    cancelled = (await desk.cancel(appointment)).json()
    again = await desk.cancel(cancelled)
    missing = await desk.cancel(appointment | {"id": str(uuid4())})
    assert codes(again, missing) == [
        (409, "INVALID_STATUS_TRANSITION"),
        (404, "APPOINTMENT_NOT_FOUND"),
    ]


async def test_of_many_who_cancel_at_once_one_does(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    appointment = await desk.booked()
    answers = await asyncio.gather(*(desk.cancel(appointment) for _ in range(12)))
    assert Counter(a.status_code for a in answers) == {200: 1, 409: 11}
    told = [e.subject.rpartition(f"{tenant}.")[2] for e in await product.events(tenant)]
    assert told.count("appointment.cancelled") == 1
    assert told.count("slot.opened") == 2


async def test_a_cancelled_buffer_is_gone(desk: Desk) -> None:
    await desk.settings(bufferMinutes=15)
    practitioner = await desk.a_practitioner()
    schedule = await desk.a_schedule(practitioner)
    first = await desk.booked(await desk.a_slot(schedule=schedule))
    assert await desk.free() == []
    await desk.cancel(first)
    assert len(await desk.free()) == 1

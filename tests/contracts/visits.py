"""Short ways to book and cancel on the bare ports."""

from typing import Any

import orjson

from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.booking import (
    Booking,
    BookingFacts,
    decide_booking,
)
from scheduling.domain.booking_request import (
    BookingRequest,
)
from tests.builders import (
    EIGHT,
    Clinic,
    at,
)
from tests.contracts.storages import Storage


async def known(
    storage: Storage, clinic: Clinic, request: BookingRequest
) -> BookingFacts:
    async with storage.begin(clinic.caller) as work:
        return await work.appointments.facts_for(request, now=EIGHT)


async def add(storage: Storage, clinic: Clinic, booking: Booking) -> None:
    async with storage.begin(clinic.caller) as work:
        work.appointments.add(booking)


async def book(
    storage: Storage, clinic: Clinic, request: BookingRequest
) -> Appointment:
    async with storage.begin(clinic.caller) as work:
        facts = await work.appointments.facts_for(request, now=EIGHT)
        booking = decide_booking(request, facts, now=EIGHT)
        work.appointments.add(booking)
    return booking.appointment


async def cancel(storage: Storage, clinic: Clinic, id: Any) -> Appointment:  # noqa: ANN401
    async with storage.begin(clinic.caller) as work:
        appointment, slots = await work.appointments.with_slots(id)
        cancelled = appointment.cancel(
            reason_code=CancelReason.PATIENT,
            initiated_by=Initiator.STAFF,
            comment=None,
            now=at("08:30"),
        )
        work.appointments.release(cancelled, appointment.freed(slots, at("08:30")))
    return cancelled


async def slot_of(storage: Storage, clinic: Clinic, number: int = 0) -> Any:  # noqa: ANN401
    async with storage.begin(clinic.caller) as work:
        return await work.slots.get(clinic.slots[number].id)


async def types(storage: Storage, clinic: Clinic) -> list[str]:
    """What was told since the clinic was opened."""
    told = await storage.outbox(clinic.caller)
    return [orjson.loads(e.body)["type"] for e in told[1 + len(clinic.slots) :]]

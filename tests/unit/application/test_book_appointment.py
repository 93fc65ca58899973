from dataclasses import replace

import orjson
import pytest

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.ports.identity import Caller
from scheduling.domain.booking_request import (
    Override,
)
from scheduling.domain.errors import (
    DomainError,
    DoubleBookingOverrideDenied,
    PatientNotFound,
    SlotNotAvailable,
    SlotNotFound,
)
from scheduling.domain.status import Status
from tests.builders import EIGHT, a_caller, a_request, between, open_clinic, slots_from
from tests.fakes.storage import MemoryStorage


@pytest.fixture
def book(storage: MemoryStorage) -> BookAppointment:
    return BookAppointment(storage.begin, lambda: EIGHT)


async def told(storage: MemoryStorage, caller: Caller) -> list[str]:
    return [orjson.loads(event.body)["type"] for event in await storage.outbox(caller)]


async def test_a_free_slot_is_booked_and_announced(
    storage: MemoryStorage, book: BookAppointment
) -> None:
    clinic = await open_clinic(storage.begin)
    booked = await book(clinic.caller, clinic.request())
    assert booked.status is Status.BOOKED
    async with storage.begin(clinic.caller) as work:
        assert await work.appointments.get(booked.id) == replace(booked, events=())
        assert (await work.slots.get(clinic.slots[0].id)).remaining == 0
    assert (await told(storage, clinic.caller))[-1] == "appointment.created"


async def test_the_second_patient_is_refused_and_nothing_is_announced(
    storage: MemoryStorage, book: BookAppointment
) -> None:
    clinic = await open_clinic(storage.begin)
    await book(clinic.caller, clinic.request(0))
    before = await told(storage, clinic.caller)
    with pytest.raises(SlotNotAvailable):
        await book(clinic.caller, clinic.request(1))
    assert await told(storage, clinic.caller) == before


async def test_a_longer_visit_by_start_takes_consecutive_slots(
    storage: MemoryStorage, book: BookAppointment
) -> None:
    clinic = await open_clinic(storage.begin, *slots_from("09:00", count=3))
    booked = await book(clinic.caller, clinic.by_start(between("09:00", "10:30")))
    assert booked.slot_ids == tuple(slot.id for slot in clinic.slots)


async def test_a_patients_own_token_books_for_that_patient_only(
    storage: MemoryStorage, book: BookAppointment
) -> None:
    clinic = await open_clinic(storage.begin)
    with pytest.raises(PatientNotFound) as theirs:
        await book(clinic.own_token(0), clinic.request(1))
    with pytest.raises(PatientNotFound) as nobodys:
        await book(clinic.caller, clinic.request(patient_id=a_request().patient_id))
    assert type(theirs.value) is type(nobodys.value)
    await book(clinic.own_token(0), clinic.request(0))


async def test_another_tenants_patient_and_slot_are_not_there(
    storage: MemoryStorage, book: BookAppointment
) -> None:
    clinic, foreign = await open_clinic(storage.begin), await open_clinic(storage.begin)
    with pytest.raises(PatientNotFound):
        await book(foreign.caller, clinic.request())
    with pytest.raises(SlotNotFound):
        await book(foreign.caller, foreign.request(when=clinic.request().when))
    with pytest.raises(PatientNotFound):
        await book(a_caller(), clinic.request())


@pytest.mark.parametrize(
    ("override", "refusal"),
    [
        (Override(reason="he cannot wait", allowed=False), DoubleBookingOverrideDenied),
        (Override(reason="he cannot wait", allowed=True), None),
        (None, SlotNotAvailable),
    ],
)
async def test_a_taken_slot_is_overbooked_by_who_may(
    storage: MemoryStorage,
    book: BookAppointment,
    override: Override | None,
    refusal: type[DomainError] | None,
) -> None:
    clinic = await open_clinic(storage.begin)
    await book(clinic.caller, clinic.request(0))
    request = clinic.request(1, override=override)
    if refusal is None:
        assert (await book(clinic.caller, request)).overbooked
        return
    with pytest.raises(refusal):
        await book(clinic.caller, request)

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.ports.audit import Entity, Outcome
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.application.queries.get_appointment_by_id import GetAppointmentById
from scheduling.application.queries.get_appointment_history import (
    GetAppointmentHistory,
)
from scheduling.application.queries.get_patient import GetPatient
from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import AppointmentNotFound
from tests.builders import EIGHT, Clinic, at, open_clinic
from tests.fakes.storage import MemoryStorage


async def a_booking(storage: MemoryStorage) -> tuple[Clinic, Appointment]:
    clinic = await open_clinic(storage.begin)
    book = BookAppointment(storage.begin, lambda: EIGHT)
    return clinic, await book(clinic.caller, clinic.request())


async def reads(storage: MemoryStorage, caller: Caller) -> list[tuple[str, str]]:
    """Return who read what."""
    rows = await storage.audit(caller)
    return [(row.actor, row.action) for row in rows if row.action.endswith(".read")]


async def test_a_history_is_read_page_by_page_and_says_that_it_was_read(
    storage: MemoryStorage,
) -> None:
    clinic, booked = await a_booking(storage)
    storage.recorder.now = lambda: at("08:30")
    get = GetAppointmentHistory(storage.begin, storage.recorder)
    first = await get(clinic.caller, booked.id, limit=1)
    assert [record.action for record in first.records] == ["appointment.booked"]
    assert not first.more
    again = await get(clinic.caller, booked.id, limit=1)
    assert again.more
    last = again.records[-1]
    rest = await get(clinic.caller, booked.id, after=(last.at, last.id), limit=10)
    assert {record.action for record in rest.records} == {"appointment.history.read"}
    assert len(await reads(storage, clinic.caller)) == 3


async def test_another_patients_token_is_told_that_there_is_none_and_reads_nothing(
    storage: MemoryStorage,
) -> None:
    clinic, booked = await a_booking(storage)
    get = GetAppointmentHistory(storage.begin, storage.recorder)
    with pytest.raises(AppointmentNotFound):
        await get(clinic.own_token(1), booked.id, limit=10)
    assert await reads(storage, clinic.caller) == []
    assert len((await get(clinic.own_token(0), booked.id, limit=10)).records) == 1


async def test_a_patients_own_history_leaves_out_who_looked_and_who_was_denied(
    storage: MemoryStorage,
) -> None:
    clinic, booked = await a_booking(storage)
    entity = Entity("appointment", booked.id)
    record = storage.recorder.record
    await record(clinic.caller, "appointment.read", entity)
    await record(
        clinic.own_token(1), "appointment.read", entity, outcome=Outcome.DENIED
    )
    get = GetAppointmentHistory(storage.begin, storage.recorder)
    own = await get(clinic.own_token(0), booked.id, limit=10)
    assert [record.action for record in own.records] == ["appointment.booked"]
    all_of_it = await get(clinic.caller, booked.id, limit=10)
    assert len(all_of_it.records) == 4


Read = Callable[[MemoryStorage, Clinic, Appointment], Awaitable[Any]]

READS: dict[str, Read] = {
    "appointment": lambda storage, clinic, booked: GetAppointmentById(
        storage.begin, storage.recorder
    )(clinic.caller, booked.id),
    "history": lambda storage, clinic, booked: GetAppointmentHistory(
        storage.begin, storage.recorder
    )(clinic.caller, booked.id, limit=10),
    "patient": lambda storage, clinic, _booked: GetPatient(
        storage.begin, storage.recorder
    )(clinic.caller, clinic.patients[0].id),
}


@pytest.mark.parametrize("what", READS)
async def test_a_read_that_cannot_be_recorded_is_not_answered(
    storage: MemoryStorage, what: str
) -> None:
    clinic, booked = await a_booking(storage)
    await READS[what](storage, clinic, booked)
    assert len(await reads(storage, clinic.caller)) == 1
    storage.recorder.away = True
    with pytest.raises(DatabaseUnavailable):
        await READS[what](storage, clinic, booked)

"""What each use case really sends to PostgreSQL, counted on its one connection."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from scheduling.application.commands.answer_once import AnswerOnce
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.ports.repositories import (
    IdempotencyKey,
    StoredAnswer,
)
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.queries.get_appointment_by_id import GetAppointmentById
from scheduling.domain.appointment import CancelReason, Initiator
from scheduling.domain.booking_request import (
    BookingRequest,
)
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import NotBookable
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.version import ExpectedVersion
from tests.builders import (
    EIGHT,
    Clinic,
    a_room,
    between,
    open_clinic,
    slots_from,
)
from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.integration.ear import BEGIN, COMMIT, READ, TENANT, WRITE, Ear


async def rehearse(storage: PostgresStorage) -> None:
    """Let asyncpg ask about the types once: it does so when it first meets them."""
    clinic = await open_clinic(storage.begin)
    booked = await BookAppointment(storage.begin, lambda: EIGHT)(
        clinic.caller, clinic.request()
    )
    async with storage.begin(clinic.caller) as work:
        await work.appointments.with_slots(booked.id)
        await work.answers.recall(IdempotencyKey("rehearsal", ""))


@pytest.fixture
async def ear(database_url: str) -> AsyncIterator[Ear]:
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(
            postgres_storage(database_url, size=1)
        )
        await rehearse(storage)
        ear = Ear(storage)
        async with storage.pool.acquire() as connection:
            connection.add_query_logger(ear.hear)
        yield ear


def booking(ear: Ear, clinic: Clinic, request: BookingRequest) -> Awaitable[Any]:
    return BookAppointment(ear.storage.begin, lambda: EIGHT)(clinic.caller, request)


async def test_a_booking_is_one_reading_and_one_writing(ear: Ear) -> None:
    clinic = await open_clinic(
        ear.storage.begin,
        *slots_from("09:00", count=5),
        patients=3,
        settings=Settings(buffer_minutes=0),
        preferences=ContactPreferences(sms=True),
    )
    expected = [READ, WRITE]
    requests = {
        "by slot": clinic.request(0, 0),
        "by start": clinic.by_start(between("09:30", "10:00"), patient=1),
        "by start over three slots with rooms": clinic.by_start(
            between("10:00", "11:30"), patient=2, resources=(a_room(), a_room())
        ),
    }
    for name, request in requests.items():
        assert await ear.during(booking(ear, clinic, request)) == expected, name


async def test_row_security_costs_a_statement_where_the_tenant_changes(
    ear: Ear,
) -> None:
    one = await open_clinic(ear.storage.begin, *slots_from("09:00", count=2))
    other = await open_clinic(ear.storage.begin, *slots_from("09:00", count=2))
    await booking(ear, one, one.request(0))
    assert await ear.during(booking(ear, one, one.request(0, 1))) == [READ, WRITE]
    heard = await ear.during(booking(ear, other, other.request(0)))
    assert heard == [TENANT, READ, WRITE]


async def test_a_refused_booking_writes_nothing(ear: Ear) -> None:
    clinic = await open_clinic(ear.storage.begin)
    await booking(ear, clinic, clinic.request(0))

    async def refused() -> None:
        with pytest.raises(NotBookable):
            await booking(ear, clinic, clinic.request(1))

    assert await ear.during(refused()) == [READ]


async def test_limits_cost_a_lock_and_a_second_look_however_many_there_are(
    ear: Ear,
) -> None:
    clinic = await open_clinic(
        ear.storage.begin,
        *slots_from("09:00", count=10),
        patients=10,
        settings=Settings(limits=Limits(per_practitioner_day=20)),
    )
    for number in range(10):
        heard = await ear.during(booking(ear, clinic, clinic.request(number, number)))
        assert heard == [READ, BEGIN, READ, READ, READ, WRITE, COMMIT]


async def test_a_cancel_reads_the_visit_and_who_waits_and_writes_once(ear: Ear) -> None:
    clinic = await open_clinic(ear.storage.begin, *slots_from("09:00", count=3))
    booked = await booking(ear, clinic, clinic.by_start(between("09:00", "10:30")))
    cancel = CancelAppointment(ear.storage.begin, lambda: EIGHT)
    heard = await ear.during(
        cancel(
            clinic.caller,
            booked.id,
            expected=ExpectedVersion(1),
            reason_code=CancelReason.PATIENT,
            initiated_by=Initiator.STAFF,
            comment=None,
        )
    )
    assert heard == [BEGIN, READ, READ, WRITE, COMMIT]
    get = GetAppointmentById(ear.storage.begin, ear.storage.recorder)
    assert await ear.during(get(clinic.caller, booked.id)) == [READ, WRITE]


async def test_an_idempotency_key_costs_one_reading(ear: Ear) -> None:
    clinic = await open_clinic(ear.storage.begin)
    once = AnswerOnce(ear.storage.begin)
    key = IdempotencyKey("key-1", "print-1")

    async def answered(begin: BeginWork) -> StoredAnswer:
        book = BookAppointment(begin, lambda: EIGHT)
        booked = await book(clinic.caller, clinic.request())
        return StoredAnswer(201, {}, str(booked.id).encode())

    first = await ear.during(once(clinic.caller, key, answered))
    assert first == [BEGIN, READ, READ, WRITE, COMMIT]
    again = await ear.during(once(clinic.caller, key, answered))
    assert again == [BEGIN, READ, COMMIT]

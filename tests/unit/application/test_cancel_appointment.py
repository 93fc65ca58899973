import orjson
import pytest

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.ports.identity import Caller
from scheduling.application.queries.get_appointment_by_id import GetAppointmentById
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.errors import (
    AppointmentNotFound,
    InvalidStatusTransition,
    OptimisticLockConflict,
    PreconditionFailed,
    PreconditionRequired,
)
from scheduling.domain.status import Status
from scheduling.domain.version import ExpectedVersion
from tests.builders import EIGHT, Clinic, a_caller, an_id, at, open_clinic
from tests.fakes.storage import MemoryStorage

FIRST = ExpectedVersion(1)


@pytest.fixture
async def clinic(storage: MemoryStorage) -> Clinic:
    return await open_clinic(storage.begin)


@pytest.fixture
async def booked(storage: MemoryStorage, clinic: Clinic) -> Appointment:
    book = BookAppointment(storage.begin, lambda: EIGHT)
    return await book(clinic.caller, clinic.request())


async def cancel(
    storage: MemoryStorage,
    caller: Caller,
    appointment: Appointment,
    expected: ExpectedVersion | None = FIRST,
) -> Appointment:
    return await CancelAppointment(storage.begin, lambda: at("08:30"))(
        caller,
        appointment.id,
        expected=expected,
        reason_code=CancelReason.PATIENT,
        initiated_by=Initiator.PATIENT,
        comment="is travelling",
    )


async def test_a_cancelled_visits_time_can_be_had_at_once(
    storage: MemoryStorage, clinic: Clinic, booked: Appointment
) -> None:
    gone = await cancel(storage, clinic.caller, booked)
    assert (gone.status, gone.version) == (Status.CANCELLED, 2)
    again = BookAppointment(storage.begin, lambda: at("08:31"))
    assert (await again(clinic.caller, clinic.request(1))).slot_ids == booked.slot_ids


async def test_a_cancel_is_told_once_with_the_slot_it_opened(
    storage: MemoryStorage, clinic: Clinic, booked: Appointment
) -> None:
    await cancel(storage, clinic.caller, booked)
    with pytest.raises(OptimisticLockConflict):
        await cancel(storage, clinic.caller, booked)
    with pytest.raises(InvalidStatusTransition):
        await cancel(storage, clinic.caller, booked, ExpectedVersion(2))
    told = [orjson.loads(e.body) for e in await storage.outbox(clinic.caller)]
    assert [event["type"] for event in told[2:]] == [
        "appointment.created",
        "appointment.cancelled",
        "slot.opened",
    ]
    assert told[3]["data"]["reasonCode"] == "patient"
    assert "travelling" not in str(told)


async def test_a_change_says_which_version_it_was_decided_on(
    storage: MemoryStorage, clinic: Clinic, booked: Appointment
) -> None:
    for expected, refusal in (
        (None, PreconditionRequired),
        (ExpectedVersion(7), OptimisticLockConflict),
        (ExpectedVersion(7, in_header=True), PreconditionFailed),
    ):
        with pytest.raises(refusal):
            await cancel(storage, clinic.caller, booked, expected)
    await cancel(storage, clinic.caller, booked, ExpectedVersion(1, in_header=True))


async def test_a_patient_cancels_and_sees_the_own_appointments_only(
    storage: MemoryStorage, clinic: Clinic, booked: Appointment
) -> None:
    get = GetAppointmentById(storage.begin, storage.recorder)
    for stranger in (clinic.own_token(1), a_caller()):
        said = set()
        for id in (booked.id, an_id()):
            with pytest.raises(AppointmentNotFound) as refused:
                await get(stranger, id)
            said.add(str(refused.value).replace(str(id), "…"))
        assert len(said) == 1
        with pytest.raises(AppointmentNotFound):
            await cancel(storage, stranger, booked)
        # Nor is one told that a version is missing or stale.
        with pytest.raises(AppointmentNotFound):
            await cancel(storage, stranger, booked, None)
    assert (await get(clinic.own_token(0), booked.id)).id == booked.id
    await cancel(storage, clinic.own_token(0), booked)

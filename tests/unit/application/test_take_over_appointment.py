from datetime import timedelta

import orjson
import pytest

from scheduling.application.commands.take_over_appointment import TakeOverAppointment
from scheduling.application.ports.identity import Forbidden, Scope
from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import SlotNotAvailable
from scheduling.domain.status import Status
from tests.builders import (
    EVERYTHING,
    Clinic,
    a_caller,
    an_id,
    at,
    open_clinic,
)
from tests.fakes.storage import MemoryStorage

LONG_AFTER = at("09:00", day=-3000)


@pytest.fixture
async def clinic(storage: MemoryStorage) -> Clinic:
    return await open_clinic(storage.begin, patients=3)


async def take_over(
    storage: MemoryStorage, clinic: Clinic, status: Status, patient: int = 0
) -> Appointment:
    appointment, new = await TakeOverAppointment(storage.begin)(
        clinic.caller,
        clinic.request(patient, id=an_id()),
        booked_at=LONG_AFTER,
        status=status,
    )
    assert new
    return appointment


async def test_a_visit_is_kept_with_the_status_it_had(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    visit = await take_over(storage, clinic, Status.NO_SHOW)
    async with storage.begin(clinic.caller) as work:
        found = await work.appointments.get(visit.id)
    assert (found.status, found.version) == (Status.NO_SHOW, 2)
    assert found.created_at == LONG_AFTER
    types = [orjson.loads(e.body)["type"] for e in await storage.outbox(clinic.caller)]
    assert types[2:] == ["appointment.created", "appointment.no-show"]


async def test_the_same_visit_again_changes_nothing(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    take = TakeOverAppointment(storage.begin)
    request = clinic.request(id=an_id())
    first, new = await take(
        clinic.caller, request, booked_at=LONG_AFTER, status=Status.COMPLETED
    )
    events = await storage.outbox(clinic.caller)
    again, new_again = await take(
        clinic.caller, request, booked_at=LONG_AFTER, status=Status.COMPLETED
    )
    assert (new, new_again, again.id) == (True, False, first.id)
    assert await storage.outbox(clinic.caller) == events


async def test_only_what_took_place_takes_its_seat(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    await take_over(storage, clinic, Status.CANCELLED, 0)
    await take_over(storage, clinic, Status.COMPLETED, 1)
    with pytest.raises(SlotNotAvailable):
        await take_over(storage, clinic, Status.COMPLETED, 2)


async def test_nobody_is_reminded_of_what_is_over(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin)
    await take_over(storage, clinic, Status.BOOKED)
    assert await storage.reminders(clinic.caller) == []


async def test_taking_over_needs_a_scope_of_its_own(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    clerk = a_caller(clinic.caller.tenant_id, scopes=EVERYTHING - {Scope.IMPORT})
    with pytest.raises(Forbidden) as refused:
        await TakeOverAppointment(storage.begin)(
            clerk,
            clinic.request(),
            booked_at=LONG_AFTER - timedelta(days=1),
            status=Status.BOOKED,
        )
    assert refused.value.scope is Scope.IMPORT

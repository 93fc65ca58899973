"""What is put again changes nothing, leaves no trace and tells nobody."""

from dataclasses import replace
from typing import Any

import pytest

from scheduling.application.commands.create_schedule import CreateSchedule
from scheduling.application.commands.create_slot import CreateSlot
from scheduling.application.commands.put_location import PutLocation
from scheduling.application.commands.put_patient import PutPatient
from scheduling.application.commands.put_practitioner import PutPractitioner
from scheduling.application.commands.put_practitioner_role import PutPractitionerRole
from scheduling.application.commands.put_settings import PutSettings
from scheduling.application.ports.identity import Caller
from scheduling.application.queries.get_location import GetLocation
from scheduling.application.queries.get_patient import GetPatient
from scheduling.application.queries.get_practitioner import GetPractitioner
from scheduling.application.queries.get_practitioner_role import GetPractitionerRole
from scheduling.application.queries.get_schedule import GetSchedule
from scheduling.application.queries.get_settings import GetSettings
from scheduling.application.queries.get_slot import GetSlot
from scheduling.domain.errors import (
    LocationNotFound,
    OptimisticLockConflict,
    PatientNotFound,
    PractitionerNotFound,
    PractitionerRoleNotFound,
    PreconditionFailed,
    ScheduleNotFound,
    SlotNotFound,
)
from scheduling.domain.schedule import Schedule
from scheduling.domain.settings import Settings
from scheduling.domain.version import ExpectedVersion
from tests.builders import (
    EIGHT,
    Clinic,
    a_caller,
    a_location,
    a_patient,
    a_practitioner,
    a_role,
    an_id,
    at,
    between,
    open_clinic,
)
from tests.fakes.storage import MemoryStorage


@pytest.fixture
def caller() -> Caller:
    return a_caller()


KINDS: dict[str, tuple[Any, Any, Any]] = {
    "practitioner": (
        PutPractitioner,
        lambda storage: GetPractitioner(storage.begin),
        a_practitioner,
    ),
    "location": (
        PutLocation,
        lambda storage: GetLocation(storage.begin),
        a_location,
    ),
    "patient": (
        PutPatient,
        lambda storage: GetPatient(storage.begin, storage.recorder),
        a_patient,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_an_entry_that_is_put_again_leaves_no_trace(
    storage: MemoryStorage, caller: Caller, kind: str
) -> None:
    command, query, build = KINDS[kind]
    put: Any = command(storage.begin, lambda: EIGHT)
    get: Any = query(storage)
    entry: Any = build()
    first = await put(caller, entry)
    assert await get(caller, entry.id) == first
    audit = await storage.audit(caller)
    assert await put(caller, entry) == first
    assert await storage.audit(caller) == audit

    changed = replace(entry, active=False)
    assert (await put(caller, changed, expected=ExpectedVersion(1))).version == 2
    with pytest.raises(OptimisticLockConflict):
        await put(caller, entry, expected=ExpectedVersion(1))
    with pytest.raises(PreconditionFailed):
        await put(caller, entry, expected=ExpectedVersion(1, in_header=True))
    assert (await get(caller, entry.id)).active is False


async def test_what_is_not_there_is_named_by_what_it_is(
    storage: MemoryStorage, caller: Caller
) -> None:
    begin = storage.begin
    queries: tuple[tuple[Any, type[Exception]], ...] = (
        (GetPractitioner(begin), PractitionerNotFound),
        (GetLocation(begin), LocationNotFound),
        (GetPatient(begin, storage.recorder), PatientNotFound),
        (GetPractitionerRole(begin), PractitionerRoleNotFound),
        (GetSchedule(begin), ScheduleNotFound),
        (GetSlot(begin, lambda: EIGHT), SlotNotFound),
    )
    for get, refusal in queries:
        with pytest.raises(refusal):
            await get(caller, an_id())


async def test_a_patients_own_token_reads_that_patient_only(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(storage.begin)
    get = GetPatient(storage.begin, storage.recorder)
    own = clinic.own_token(0)
    assert (await get(own, clinic.patients[0].id)).id == clinic.patients[0].id
    with pytest.raises(PatientNotFound):
        await get(own, clinic.patients[1].id)


async def test_settings_that_are_put_again_leave_no_trace(
    storage: MemoryStorage, caller: Caller
) -> None:
    put = PutSettings(storage.begin, lambda: EIGHT)
    get = GetSettings(storage.begin)
    assert await get(caller) == Settings()
    first = await put(caller, Settings(buffer_minutes=15))
    audit = await storage.audit(caller)
    assert await put(caller, Settings(buffer_minutes=15)) == first == await get(caller)
    assert await storage.audit(caller) == audit
    second = await put(caller, Settings(), expected=ExpectedVersion(1))
    assert (second.version, second.buffer_minutes) == (2, 0)
    with pytest.raises(OptimisticLockConflict):
        await put(caller, Settings(horizon_days=1), expected=ExpectedVersion(1))


async def created(
    storage: MemoryStorage,
    clinic: Clinic,
    timezone: str | None = None,
    **told: Any,  # noqa: ANN401
) -> Schedule:
    return await CreateSchedule(storage.begin, lambda: EIGHT)(
        clinic.caller,
        **{
            "practitioner_id": clinic.practitioner.id,
            "location_id": clinic.location.id,
            "timezone": timezone,
            "availability": (),
            "horizon_days": None,
            **told,
        },
    )


async def test_a_schedule_is_in_its_locations_zone_unless_it_says_other(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(storage.begin, timezone="Africa/Cairo")
    assert (await created(storage, clinic)).timezone == "Africa/Cairo"
    assert (await created(storage, clinic, "Asia/Beirut")).timezone == "Asia/Beirut"


async def test_a_schedule_needs_its_practitioner_and_its_location(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(storage.begin)
    with pytest.raises(PractitionerNotFound):
        await created(storage, clinic, practitioner_id=an_id())
    with pytest.raises(LocationNotFound):
        await created(storage, clinic, location_id=an_id())


async def test_a_slot_is_opened_in_its_schedule(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin, timezone="Africa/Cairo")
    create = CreateSlot(storage.begin, lambda: EIGHT)
    slot = await create(
        clinic.caller,
        schedule_id=clinic.schedule.id,
        period=between("12:00", "13:00"),
        capacity=4,
        service_types=("yoga",),
    )
    stored, _ = await GetSlot(storage.begin, lambda: EIGHT)(clinic.caller, slot.id)
    assert stored == replace(slot, events=())
    assert (stored.timezone, stored.remaining) == ("Africa/Cairo", 4)
    with pytest.raises(ScheduleNotFound):
        await create(
            a_caller(),
            schedule_id=clinic.schedule.id,
            period=between("14:00", "15:00"),
            capacity=1,
            service_types=(),
        )


async def test_a_role_comes_with_its_calendar_once(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin, timezone="Africa/Cairo")
    put = PutPractitionerRole(storage.begin, lambda: at("08:30"))
    role = a_role(clinic.practitioner.id, clinic.location.id)
    first = await put(clinic.caller, role)
    audit = await storage.audit(clinic.caller)
    events = await storage.outbox(clinic.caller)
    assert await put(clinic.caller, role) == first
    assert await storage.audit(clinic.caller) == audit
    assert await storage.outbox(clinic.caller) == events
    async with storage.begin(clinic.caller) as work:
        calendar = await work.schedules.of_role(role.id)
    assert calendar is not None
    assert (calendar.timezone, calendar.version) == ("Africa/Cairo", 1)

    moved = replace(role, timezone="Asia/Beirut")
    await put(clinic.caller, moved, expected=ExpectedVersion(1))
    async with storage.begin(clinic.caller) as work:
        changed = await work.schedules.of_role(role.id)
    assert changed is not None
    assert (changed.id, changed.timezone) == (calendar.id, "Asia/Beirut")
    found = await GetPractitionerRole(storage.begin)(clinic.caller, role.id)
    assert found.version == 2


async def test_a_role_needs_its_practitioner_and_its_location(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(storage.begin)
    put = PutPractitionerRole(storage.begin, lambda: EIGHT)
    with pytest.raises(PractitionerNotFound):
        await put(clinic.caller, a_role(None, clinic.location.id))
    with pytest.raises(LocationNotFound):
        await put(clinic.caller, a_role(clinic.practitioner.id))

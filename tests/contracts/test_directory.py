"""Practitioners, locations, patients, roles, schedules, settings: put whole."""

from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import DecisionOutdated, UnitOfWork
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import (
    InvalidInput,
    OptimisticLockConflict,
    ScheduleNotFound,
)
from scheduling.domain.identifiers import PractitionerRoleId, ScheduleId
from scheduling.domain.schedule import (
    Day,
    NotAvailable,
    WeeklyRule,
    calendar_of,
)
from scheduling.domain.settings import Limits, Settings
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
from tests.contracts.storages import Storage

PUT = {"version": 1, "created_at": EIGHT, "updated_at": EIGHT}

ENTRIES: dict[str, Any] = {
    "practitioners": a_practitioner(specialties=("cardiology", "x'y"), **PUT),
    "locations": a_location(
        timezone="Europe/Berlin", country="DE", subdivision="BE", **PUT
    ),
    "patients": a_patient(
        file_number="F-1",
        phone="+49 30 1",
        email="a@example.org",
        preferences=ContactPreferences(whatsapp=True, email=True),
        **PUT,
    ),
}


@pytest.fixture
def caller() -> Caller:
    return a_caller()


def shelf(work: UnitOfWork, name: str) -> Any:  # noqa: ANN401
    return getattr(work, name)


async def save(storage: Storage, caller: Caller, name: str, entry: Any) -> None:  # noqa: ANN401
    async with storage.begin(caller) as work:
        shelf(work, name).save(entry)


async def find(storage: Storage, caller: Caller, name: str, id: Any) -> Any:  # noqa: ANN401
    async with storage.begin(caller) as work:
        return await shelf(work, name).find(id)


@pytest.mark.parametrize("name", ENTRIES)
async def test_what_is_saved_is_found_whole(
    everywhere: Storage, caller: Caller, name: str
) -> None:
    entry: Any = ENTRIES[name]
    await save(everywhere, caller, name, replace(entry, is_new=True))
    found = await find(everywhere, caller, name, entry.id)
    assert found == entry
    assert found.is_new is False
    assert await find(everywhere, caller, name, an_id()) is None


@pytest.mark.parametrize("name", ENTRIES)
async def test_the_next_version_replaces_the_one_before(
    everywhere: Storage, caller: Caller, name: str
) -> None:
    entry: Any = ENTRIES[name]
    await save(everywhere, caller, name, entry)
    second = replace(entry, name="Other", version=2, updated_at=at("09:00"))
    await save(everywhere, caller, name, second)
    assert await find(everywhere, caller, name, entry.id) == second


@pytest.mark.parametrize("name", ENTRIES)
async def test_a_version_that_is_not_the_next_is_refused(
    everywhere: Storage, caller: Caller, name: str
) -> None:
    entry: Any = ENTRIES[name]
    second = replace(entry, name="Other", version=2)
    await save(everywhere, caller, name, entry)
    await save(everywhere, caller, name, second)
    for stale in (entry, replace(second, name="Third")):
        with pytest.raises(DecisionOutdated) as outdated:
            await save(everywhere, caller, name, stale)
        assert isinstance(outdated.value.refusal, OptimisticLockConflict)
    assert await find(everywhere, caller, name, entry.id) == second


@pytest.mark.parametrize("name", ENTRIES)
async def test_saving_what_was_found_leaves_no_trace(
    everywhere: Storage, caller: Caller, name: str
) -> None:
    entry: Any = ENTRIES[name]
    await save(everywhere, caller, name, entry)
    before = await everywhere.audit(caller)
    async with everywhere.begin(caller) as work:
        shelf(work, name).save(await shelf(work, name).find(entry.id))
    assert await everywhere.audit(caller) == before


@pytest.mark.parametrize(
    ("name", "taken", "field"),
    [
        ("locations", a_location(code="NORTH", **PUT), "code"),
        ("patients", a_patient(file_number="F-7", **PUT), "fileNumber"),
    ],
)
async def test_what_only_one_may_have_is_named_by_its_field(
    everywhere: Storage,
    caller: Caller,
    name: str,
    taken: Any,  # noqa: ANN401
    field: str,
) -> None:
    await save(everywhere, caller, name, taken)
    with pytest.raises(InvalidInput) as refused:
        await save(everywhere, caller, name, replace(taken, id=an_id()))
    assert refused.value.field == field
    await save(everywhere, a_caller(), name, taken)
    await save(everywhere, caller, name, replace(taken, name="Again", version=2))


async def test_many_patients_have_no_file_number(
    everywhere: Storage, caller: Caller
) -> None:
    for _ in range(2):
        await save(everywhere, caller, "patients", a_patient(**PUT))


def a_full_role(clinic: Clinic) -> Any:  # noqa: ANN401
    return a_role(
        clinic.practitioner.id,
        clinic.location.id,
        specialties=("cardiology",),
        service_types=("checkup",),
        timezone="Africa/Cairo",
        period_start=date(2030, 1, 1),
        period_end=date(2030, 12, 31),
        availability=(
            WeeklyRule(
                days=(Day.MON, Day.SAT),
                start=time(22),
                end=time(6),
                slot_minutes=20,
                capacity=3,
                service_types=("checkup",),
                valid_from=date(2030, 2, 1),
                valid_to=date(2030, 3, 1),
            ),
        ),
        not_available=(
            NotAvailable(period=between("09:00", "12:00"), description="course"),
        ),
        **PUT,
    )


async def test_a_role_is_found_whole_with_its_calendar(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    role = a_full_role(clinic)
    calendar = calendar_of(role, None, timezone="UTC", now=EIGHT)
    async with everywhere.begin(clinic.caller) as work:
        work.practitioner_roles.save(role)
        work.schedules.save(calendar)
    async with everywhere.begin(clinic.caller) as work:
        assert await work.practitioner_roles.find(role.id) == role
        stored = await work.schedules.of_role(role.id)
        assert stored == replace(calendar, events=())
        assert await work.schedules.get(calendar.id) == stored
        nobody = PractitionerRoleId(an_id())
        assert await work.schedules.of_role(nobody) is None


async def test_a_role_says_who_works_where(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    role = a_full_role(clinic)
    async with everywhere.begin(clinic.caller) as work:
        work.practitioner_roles.save(role)
    async with everywhere.begin(clinic.caller) as work:
        (told,) = (
            await work.appointments.facts_for(clinic.request(), now=EIGHT)
        ).assignments
    assert (told.active, told.start, told.end) == (
        True,
        role.period_start,
        role.period_end,
    )


async def test_a_schedule_that_is_not_there_is_said_so(
    everywhere: Storage, caller: Caller
) -> None:
    with pytest.raises(ScheduleNotFound):
        async with everywhere.begin(caller) as work:
            await work.schedules.get(ScheduleId(an_id()))


async def test_a_schedules_stale_version_is_refused(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    second = replace(clinic.schedule, timezone="Africa/Cairo", version=2)
    for version in (second, replace(second, timezone="Asia/Beirut")):
        if version is second:
            async with everywhere.begin(clinic.caller) as work:
                work.schedules.save(version)
            continue
        with pytest.raises(DecisionOutdated) as outdated:
            async with everywhere.begin(clinic.caller) as work:
                work.schedules.save(version)
        assert isinstance(outdated.value.refusal, OptimisticLockConflict)
    async with everywhere.begin(clinic.caller) as work:
        assert await work.schedules.get(second.id) == second


async def test_an_unchanged_schedule_leaves_no_trace(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    before = (
        await everywhere.audit(clinic.caller),
        await everywhere.outbox(clinic.caller),
    )
    async with everywhere.begin(clinic.caller) as work:
        work.schedules.save(await work.schedules.get(clinic.schedule.id))
    assert before == (
        await everywhere.audit(clinic.caller),
        await everywhere.outbox(clinic.caller),
    )


FULL = Settings(
    buffer_minutes=15,
    minimum_notice_minutes=60,
    horizon_days=30,
    hold_minutes=5,
    reminder_offsets_minutes=(60, 30),
    no_show_grace_minutes=10,
    limits=Limits(per_practitioner_day=3, per_practitioner_week=9),
    timezone="Europe/Berlin",
    version=1,
    updated_at=EIGHT,
)


async def put(storage: Storage, caller: Caller, settings: Settings) -> None:
    async with storage.begin(caller) as work:
        await work.settings.get()
        work.settings.save(settings)


async def test_settings_are_read_back_whole(
    everywhere: Storage, caller: Caller
) -> None:
    async with everywhere.begin(caller) as work:
        assert await work.settings.get() == Settings()
    await put(everywhere, caller, FULL)
    async with everywhere.begin(caller) as work:
        assert await work.settings.get() == FULL


async def test_stale_settings_are_refused(everywhere: Storage, caller: Caller) -> None:
    await put(everywhere, caller, FULL)
    async with everywhere.begin(caller) as slow:
        await slow.settings.get()
        await put(everywhere, caller, replace(FULL, buffer_minutes=5, version=2))
    with pytest.raises(DecisionOutdated) as outdated:
        async with everywhere.begin(caller) as work:
            work.settings.save(replace(FULL, buffer_minutes=10, version=2))
    assert isinstance(outdated.value.refusal, OptimisticLockConflict)


async def test_unchanged_settings_leave_no_trace(
    everywhere: Storage, caller: Caller
) -> None:
    await put(everywhere, caller, FULL)
    before = await everywhere.audit(caller)
    await put(everywhere, caller, FULL)
    assert await everywhere.audit(caller) == before

"""What is asked of availability is one statement, however much there is to be had."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from scheduling.application.ports.appointment_lists import Whose
from scheduling.application.ports.availability import First, Owner, SlotFilter
from scheduling.application.queries.explain_availability import ExplainAvailability
from scheduling.application.queries.find_next_available import FindNextAvailable
from scheduling.application.queries.find_open_locations import FindOpenLocations
from scheduling.application.queries.list_slots import ListSlots
from scheduling.application.queries.search_available_slots import SearchAvailableSlots
from scheduling.domain.explaining import Question
from scheduling.domain.local_days import Span
from scheduling.domain.settings import CalendarLimits, Limits, Settings
from tests.builders import EIGHT, Clinic, at, open_clinic, slots_from
from tests.contracts.storages import postgres_storage
from tests.integration.ear import READ, WRITE, Ear

THE_DAY = Span(at("08:00"), at("08:00", day=1))
MONDAY_OF_EACH = Span(at("00:00").date(), at("00:00", day=1).date())
LIMITED = Settings(limits=Limits(per_practitioner_day=500))


async def settings_in_memory(_caller: object, /) -> Settings:
    """As those that the cache has."""
    return LIMITED


@pytest.fixture
async def ear(database_url: str) -> AsyncIterator[Ear]:
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(
            postgres_storage(database_url, size=1)
        )
        ear = Ear(storage)
        async with storage.pool.acquire() as connection:
            connection.add_query_logger(ear.hear)
        yield ear


async def a_busy_clinic(ear: Ear, count: int) -> Clinic:
    clinic = await open_clinic(
        ear.storage.begin, *slots_from("09:00", minutes=5, count=count)
    )
    limited = replace(
        clinic.schedule, limits=CalendarLimits(per_day=500, per_week=900), version=2
    )
    async with ear.storage.begin(clinic.caller) as work:
        work.schedules.save(limited)
    return clinic


@pytest.mark.parametrize("count", [1, 100])
@pytest.mark.parametrize("narrow", [True, False])
async def test_a_search(ear: Ear, count: int, *, narrow: bool) -> None:
    clinic = await a_busy_clinic(ear, count)
    search = SearchAvailableSlots(ear.storage.begin, settings_in_memory, lambda: EIGHT)
    whose = Whose(
        practitioner_ids=(clinic.practitioner.id,) if narrow else (),
        location_ids=(clinic.location.id,) if narrow else (),
    )
    wanted = SlotFilter(whose=whose, patient_id=clinic.patients[0].id)
    first = First(200)
    await search(clinic.caller, wanted, THE_DAY, first)  # asyncpg learns the types
    heard = await ear.during(search(clinic.caller, wanted, THE_DAY, first))
    assert heard == [READ]


@pytest.mark.parametrize("count", [1, 100])
async def test_the_next_time_of_any_number_of_people_and_places(
    ear: Ear, count: int
) -> None:
    clinic = await a_busy_clinic(ear, count)
    find = FindNextAvailable(ear.storage.begin, settings_in_memory, lambda: EIGHT)
    for whose in (
        Whose(),
        Whose(practitioner_ids=(clinic.practitioner.id,) * count),
        Whose(location_ids=(clinic.location.id,) * count),
    ):
        wanted = SlotFilter(whose=whose, patient_id=clinic.patients[0].id)
        await find(clinic.caller, wanted, None, 20)
        assert await ear.during(find(clinic.caller, wanted, None, 20)) == [READ]


@pytest.mark.parametrize("count", [1, 100])
async def test_an_explanation(ear: Ear, count: int) -> None:
    clinic = await a_busy_clinic(ear, count)
    explain = ExplainAvailability(
        ear.storage.begin, settings_in_memory, lambda: EIGHT, ear.storage.recorder
    )
    asked = (
        clinic.caller,
        clinic.practitioner.id,
        clinic.location.id,
        Question(patient_id=clinic.patients[0].id),
        THE_DAY,
    )
    await explain(*asked)
    # The writing is the trace that it leaves: it names a patient.
    assert await ear.during(explain(*asked)) == [READ, WRITE]


@pytest.mark.parametrize("count", [1, 100])
@pytest.mark.parametrize("owner", ["practitioner", "location"])
async def test_whole_days_of_slots(ear: Ear, count: int, owner: Owner) -> None:
    clinic = await a_busy_clinic(ear, count)
    show = ListSlots(ear.storage.begin, settings_in_memory, lambda: EIGHT)
    id = (clinic.practitioner if owner == "practitioner" else clinic.location).id
    for span in (THE_DAY, MONDAY_OF_EACH):
        asked = (clinic.caller, owner, id, span, First(200))
        await show(*asked)
        heard = await ear.during(show(*asked))
        # The days of a location are those of its zone, which is read first.
        in_its_zone = owner == "location" and span is MONDAY_OF_EACH
        assert heard == ([READ, READ] if in_its_zone else [READ])


@pytest.mark.parametrize("count", [1, 20])
async def test_locations_with_anything_to_be_had(ear: Ear, count: int) -> None:
    clinic = await a_busy_clinic(ear, count)
    for _ in range(count):
        await open_clinic(ear.storage.begin, caller=clinic.caller)
    find = FindOpenLocations(ear.storage.begin, settings_in_memory, lambda: EIGHT)
    asked = (clinic.caller, at("00:00").date(), SlotFilter(), First(200))
    assert len((await find(*asked)).items) == count + 1
    assert await ear.during(find(*asked)) == [READ]

"""What is asked of availability is one statement, however much there is to be had."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from scheduling.application.ports.appointment_lists import Whose
from scheduling.application.ports.availability import First, SlotFilter
from scheduling.application.queries.search_available_slots import SearchAvailableSlots
from scheduling.domain.local_days import Span
from scheduling.domain.settings import CalendarLimits, Limits, Settings
from tests.builders import EIGHT, Clinic, at, open_clinic, slots_from
from tests.contracts.storages import postgres_storage
from tests.integration.ear import READ, Ear

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
    day = Span(at("08:00"), at("08:00", day=1))
    await search(clinic.caller, wanted, day, First(200))  # asyncpg learns the types
    heard = await ear.during(search(clinic.caller, wanted, day, First(200)))
    assert heard == [READ]

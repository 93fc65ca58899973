"""The directory's lists and the search take one statement, a patient's put one more."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from scheduling.application.commands.put_patient import PutPatient
from scheduling.application.ports.directory_lists import (
    LocationFilter,
    PractitionerFilter,
)
from scheduling.application.queries.list_locations import ListLocations
from scheduling.application.queries.list_practitioners import ListPractitioners
from scheduling.application.queries.search_patients import SearchPatients
from tests.builders import EIGHT, Clinic, a_patient, open_clinic
from tests.contracts.storages import postgres_storage
from tests.fakes.audit import MemoryAudit
from tests.integration.ear import READ, WRITE, Ear

AUDIT = MemoryAudit({}, lambda: EIGHT)
"""Its own statement is its own matter (see `test_audit_is_kept`)."""


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


def questions(ear: Ear, clinic: Clinic) -> dict[str, Awaitable[Any]]:
    begin, caller = ear.storage.begin, clinic.caller
    search = SearchPatients(begin, AUDIT)
    there = PractitionerFilter(location_id=clinic.location.id, active=True)
    return {
        "who treats": ListPractitioners(begin)(caller, PractitionerFilter()),
        "who treats there": ListPractitioners(begin)(caller, there),
        "clinics": ListLocations(begin)(caller, LocationFilter()),
        "one word": search(caller, "mar", limit=20),
        "many words": search(caller, "maria sil 12 x", limit=200),
    }


@pytest.mark.parametrize("count", [1, 150])
async def test_lists_and_the_search(ear: Ear, count: int) -> None:
    people = tuple(a_patient(name=f"Maria Silva {n}") for n in range(count))
    clinic = await open_clinic(ear.storage.begin, patients=people)
    for name, question in questions(ear, clinic).items():
        assert READ in await ear.during(question), name  # asyncpg learns the types
    for name, question in questions(ear, clinic).items():
        assert await ear.during(question) == [READ], name


@pytest.mark.parametrize("name", ["Al", " ".join(f"Name{n}" for n in range(30))])
async def test_a_patient_is_put_with_all_words_in_one_statement(
    ear: Ear, name: str
) -> None:
    clinic = await open_clinic(ear.storage.begin)
    put = PutPatient(ear.storage.begin, lambda: EIGHT)
    await put(clinic.caller, a_patient())  # asyncpg learns the types
    one = a_patient(name=name)
    assert await ear.during(put(clinic.caller, one)) == [READ, WRITE]
    again = replace(one, name=f"Doctor {name}")
    assert await ear.during(put(clinic.caller, again)) == [READ, WRITE]

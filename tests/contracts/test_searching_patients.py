"""Patients are found by the words they have now, by both storages alike."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduling.adapters.postgres.directory_lists import COUNTED
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.domain.directory import Patient, put
from scheduling.domain.patient_search import asked_words
from tests.builders import EIGHT, a_caller, a_patient, an_id, at
from tests.contracts.inbound import Hearing
from tests.contracts.storages import PostgresStorage, Storage
from tests.fakes.storage import MemoryStorage


async def keep(storage: Storage, caller: Caller, *patients: Patient) -> list[Patient]:
    kept = [put(None, one, expected=None, now=EIGHT) for one in patients]
    async with storage.begin(caller) as work:
        for one in kept:
            work.patients.save(one)
    return [replace(one, is_new=False) for one in kept]


async def change(
    storage: Storage,
    caller: Caller,
    patient: Patient,
    now: datetime,
    **told: Any,  # noqa: ANN401
) -> Patient:
    async with storage.begin(caller) as work:
        stored = await work.patients.find(patient.id)
        changed = put(stored, replace(patient, **told), expected=None, now=now)
        work.patients.save(changed)
    return changed


async def found(
    storage: Storage, caller: Caller, query: str, *, limit: int = 20
) -> list[Patient]:
    async with storage.begin(caller) as work:
        return list(await work.directory_lists.patients(asked_words(query), limit))


MARIA = a_patient(
    name="Maria Silva",
    file_number="2026-000123",
    phone="+55 27 99999-1234",
    email="maria.silva@example.org",
)


@pytest.mark.parametrize(
    "query",
    ["maria", "SÍLV mar", "2026-0001", "27 99999", "1234", "maria.silva@ex", "mar 123"],
)
async def test_a_patient_is_found_whole_by_what_is_theirs(
    everywhere: Storage, query: str
) -> None:
    caller = a_caller()
    maria, _ = await keep(everywhere, caller, MARIA, a_patient(name="Ana Souza"))
    assert await found(everywhere, caller, query) == [maria]


@pytest.mark.parametrize("query", ["souza", "maria souza", "888", "m x", "", "-"])
async def test_what_is_not_theirs_finds_nobody(everywhere: Storage, query: str) -> None:
    caller = a_caller()
    await keep(everywhere, caller, MARIA, a_patient(name="Ana Lima"))
    assert await found(everywhere, caller, query) == []


async def test_who_is_called_so_is_before_who_is_called_something_longer(
    everywhere: Storage,
) -> None:
    caller = a_caller()
    names = ("Anabela", "Ana", "Anton Anabela", "Zana", "Ana Ana Anna")
    one, two, three, _, five = await keep(
        everywhere, caller, *(a_patient(name=name) for name in names)
    )
    called_so = sorted((two, five), key=lambda patient: patient.id)
    longer = sorted((one, three), key=lambda patient: patient.id)
    assert await found(everywhere, caller, "ana") == [*called_so, *longer]
    assert await found(everywhere, caller, "ana", limit=3) == [*called_so, longer[0]]


async def test_the_rarest_beginning_leads(everywhere: Storage) -> None:
    caller = a_caller()
    others = [a_patient(name=f"Maria X{n}") for n in range(4)]
    last, first = (a_patient(name=name) for name in ("Maria Silva", "Maria Sil"))
    kept = await keep(everywhere, caller, last, *others, first)
    assert await found(everywhere, caller, "maria sil") == [kept[-1], kept[0]]


async def test_who_is_inactive_is_found_and_marked(everywhere: Storage) -> None:
    caller = a_caller()
    await keep(everywhere, caller, replace(MARIA, active=False))
    assert [one.active for one in await found(everywhere, caller, "maria")] == [False]


async def test_another_tenant_s_patients_are_not_found(everywhere: Storage) -> None:
    caller, other = a_caller(), a_caller()
    await keep(everywhere, caller, MARIA)
    await keep(everywhere, other, replace(a_patient(), name="Maria of others"))
    (one,) = await found(everywhere, caller, "maria")
    assert one.id == MARIA.id


async def test_who_changes_is_found_by_what_they_are_called_now(
    everywhere: Storage,
) -> None:
    caller = a_caller()
    (maria,) = await keep(everywhere, caller, MARIA)
    told = {"name": "Maria Souza", "phone": None}
    await change(everywhere, caller, maria, at("09:00"), **told)
    for query, count in (("maria", 1), ("souza", 1), ("silva souza", 1), ("1234", 0)):
        assert len(await found(everywhere, caller, query)) == count, query
    await change(everywhere, caller, maria, at("10:00"), email=None, **told)
    assert await found(everywhere, caller, "silva") == []
    assert len(await found(everywhere, caller, "souza")) == 1


async def test_a_change_that_came_too_late_leaves_no_words(
    everywhere: Storage,
) -> None:
    caller = a_caller()
    (maria,) = await keep(everywhere, caller, MARIA)
    late = replace(maria, name="Nobody", version=3)
    with pytest.raises(DecisionOutdated):
        async with everywhere.begin(caller) as work:
            work.patients.save(late)
    assert await found(everywhere, caller, "nobody") == []
    assert await found(everywhere, caller, "maria") == [maria]


async def test_who_is_deleted_is_not_found_until_they_come_back(
    hearing: Hearing,
) -> None:
    """By the inbox's own hands, which are those that forget."""
    async with hearing(patients=(MARIA, a_patient(name="Ana Lima"))) as inbound:
        caller, storage = inbound.clinic.caller, inbound.desk.storage
        assert len(await found(storage, caller, "maria")) == 1
        await inbound.deletes()
        for query in ("maria", "2026-000123", "1234", "maria.silva@example.org"):
            assert await found(storage, caller, query) == [], query
        await change(storage, caller, MARIA, at("09:00"))
        assert len(await found(storage, caller, "maria")) == 1


async def test_words_go_with_their_version_whoever_writes_the_patient(
    on_postgres: PostgresStorage,
) -> None:
    """Also where a version of ours that knows of no words forgets somebody."""
    caller = a_caller()
    (maria,) = await keep(on_postgres, caller, MARIA)
    await on_postgres.rows(
        caller,
        "UPDATE patients SET name = '', version = version + 1 "  # noqa: S608  # our own id
        f"WHERE id = '{maria.id}' RETURNING id",
    )
    assert await found(on_postgres, caller, "maria") == []
    assert await on_postgres.rows(caller, "SELECT * FROM patient_words") == []


PARTS = ("ma", "ri", "an", "a", "ဒေါ်", "ခင်", "王", "é", "00", "12", " ", " ", "-", "@")
TOLD = st.lists(st.sampled_from(PARTS), max_size=6).map("".join)
PATIENTS = st.builds(
    lambda **told: a_patient(id=an_id(), **told),
    name=TOLD,
    phone=st.none() | TOLD,
    email=st.none() | TOLD,
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(PATIENTS, max_size=12), st.lists(TOLD, min_size=6, max_size=6))
async def test_both_storages_find_alike(
    on_postgres: PostgresStorage, patients: list[Patient], queries: list[str]
) -> None:
    caller, memory = a_caller(), MemoryStorage()
    for storage in (memory, on_postgres):
        await keep(storage, caller, *patients)
    for query in queries:
        for limit in (2, COUNTED):
            one = await found(memory, caller, query, limit=limit)
            assert await found(on_postgres, caller, query, limit=limit) == one, query

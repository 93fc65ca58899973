"""Whom nobody told us of is asked for at the registry, once, and kept."""

import asyncio
from dataclasses import replace

import pytest

from scheduling.application.commands.fetch_patient import FetchPatient
from scheduling.application.commands.put_patient import PutPatient
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.registry import RegistryUnavailable
from scheduling.domain.directory import Patient
from scheduling.domain.identifiers import PatientId
from tests.builders import EIGHT, a_caller, a_patient, an_id
from tests.contracts.storages import Storage
from tests.fakes.registry import MemoryRegistry


@pytest.fixture
def caller() -> Caller:
    return a_caller()


class Desk:
    """One tenant's, with a registry that knows one patient."""

    def __init__(self, storage: Storage, caller: Caller) -> None:
        self.storage, self.caller = storage, caller
        self.patient = a_patient(name="Marker-Name", phone="+49 30 1234")
        self.registry = MemoryRegistry({self.patient.id: self.patient})
        self.fetch = FetchPatient(storage.begin, self.registry, lambda: EIGHT)

    async def stored(self, id: PatientId | None = None) -> Patient | None:
        async with self.storage.begin(self.caller) as work:
            return await work.patients.find(id or self.patient.id)

    async def put(self, patient: Patient) -> None:
        put = PutPatient(self.storage.begin, lambda: EIGHT)
        await put(self.caller, patient)


@pytest.fixture
def desk(everywhere: Storage, caller: Caller) -> Desk:
    return Desk(everywhere, caller)


async def test_whom_the_registry_knows_is_kept_as_the_registry_says(
    desk: Desk,
) -> None:
    assert await desk.fetch(desk.caller, desk.patient.id)
    kept = await desk.stored()
    assert kept is not None
    assert (kept.name, kept.phone, kept.version) == ("Marker-Name", "+49 30 1234", 1)


async def test_it_is_the_registry_that_the_audit_names(desk: Desk) -> None:
    await desk.fetch(desk.caller, desk.patient.id)
    [told] = await desk.storage.audit(desk.caller)
    assert (told.action, told.actor) == ("patient.put", "registry")
    assert told.request_id == desk.caller.request_id
    assert "Marker" not in str(told.changes)


async def test_whom_we_know_is_not_asked_for(desk: Desk) -> None:
    await desk.put(replace(desk.patient, name="Ours"))
    assert await desk.fetch(desk.caller, desk.patient.id)
    assert desk.registry.asked == []
    kept = await desk.stored()
    assert kept is not None
    assert kept.name == "Ours"


async def test_who_is_inactive_here_stays_so(desk: Desk) -> None:
    await desk.put(replace(desk.patient, active=False))
    assert not await desk.fetch(desk.caller, desk.patient.id)
    assert desk.registry.asked == []


async def test_who_was_forgotten_is_not_fetched_back(desk: Desk) -> None:
    await desk.put(desk.patient)
    async with desk.storage.begin(desk.caller) as work:
        known = await work.patients.find(desk.patient.id)
        assert known is not None
        work.patients.save(known.forgotten(EIGHT))
    assert not await desk.fetch(desk.caller, desk.patient.id)
    assert desk.registry.asked == []
    kept = await desk.stored()
    assert kept is None or kept.is_deleted


async def test_who_is_inactive_there_is_kept_and_not_booked_for(desk: Desk) -> None:
    desk.registry.known[desk.patient.id] = replace(desk.patient, active=False)
    assert not await desk.fetch(desk.caller, desk.patient.id)
    kept = await desk.stored()
    assert kept is not None
    assert not kept.active


async def test_whom_nobody_knows_leaves_no_trace(desk: Desk) -> None:
    stranger = PatientId(an_id())
    assert not await desk.fetch(desk.caller, stranger)
    assert desk.registry.asked == [stranger]
    assert await desk.stored(stranger) is None
    assert await desk.storage.audit(desk.caller) == []


async def test_a_patients_token_has_nobody_else_asked_for(desk: Desk) -> None:
    other = replace(desk.caller, patient_id=PatientId(an_id()))
    assert not await desk.fetch(other, desk.patient.id)
    assert desk.registry.asked == []


async def test_a_patient_is_fetched_with_their_own_token(desk: Desk) -> None:
    own = replace(desk.caller, patient_id=desk.patient.id)
    assert await desk.fetch(own, desk.patient.id)


async def test_nothing_is_kept_while_the_registry_is_away(desk: Desk) -> None:
    desk.registry.is_away = True
    with pytest.raises(RegistryUnavailable):
        await desk.fetch(desk.caller, desk.patient.id)
    assert await desk.stored() is None


async def test_many_who_fetch_one_patient_at_a_time_keep_one(desk: Desk) -> None:
    found = await asyncio.gather(
        *(desk.fetch(desk.caller, desk.patient.id) for _ in range(8))
    )
    assert found == [True] * 8
    kept = await desk.stored()
    assert kept is not None
    assert kept.version == 1
    assert len(await desk.storage.audit(desk.caller)) == 1


async def test_a_file_number_that_is_anothers_is_the_registrys_fault(
    desk: Desk,
) -> None:
    await desk.put(a_patient(file_number="F-1"))
    desk.registry.known[desk.patient.id] = replace(desk.patient, file_number="F-1")
    with pytest.raises(RegistryUnavailable):
        await desk.fetch(desk.caller, desk.patient.id)
    assert await desk.stored() is None

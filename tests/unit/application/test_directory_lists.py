"""Lists of the directory, and the search for patients, as callers ask for them."""

import pytest

from scheduling.application.ports.directory_lists import (
    LocationFilter,
    PractitionerFilter,
)
from scheduling.application.ports.identity import StaffOnly
from scheduling.application.queries.list_locations import ListLocations
from scheduling.application.queries.list_practitioners import ListPractitioners
from scheduling.application.queries.search_patients import SearchPatients
from tests.builders import a_caller, a_patient, a_practitioner, open_clinic
from tests.fakes.storage import MemoryStorage

PATIENTS = (
    a_patient(name="Maria Silva", phone="+55 27 99999-1234"),
    a_patient(name="Mario Souza"),
    a_patient(name="Ana Lima", active=False),
)


async def test_a_page_says_whether_there_is_more(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin)
    await open_clinic(
        storage.begin,
        caller=clinic.caller,
        location=clinic.location,
        practitioner=a_practitioner(name="Zoe"),
        patients=clinic.patients,
    )
    everybody = ListPractitioners(storage.begin)
    first = await everybody(clinic.caller, PractitionerFilter(limit=1))
    assert ([one.id for one in first.items], first.more) == (
        [clinic.practitioner.id],
        True,
    )
    whole = await everybody(clinic.caller, PractitionerFilter(limit=2))
    assert (len(whole.items), whole.more) == (2, False)
    places = await ListLocations(storage.begin)(clinic.caller, LocationFilter(limit=1))
    assert (places.items, places.more) == ([clinic.location], False)


async def test_who_was_found_is_recorded_and_not_by_which_words(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(storage.begin, patients=PATIENTS)
    search = SearchPatients(storage.begin, storage.recorder)
    before = len(await storage.audit(clinic.caller))
    found = await search(clinic.caller, "mari", limit=20)
    nobody = await search(clinic.caller, "nobody at all", limit=20)
    ids = sorted(str(one.id) for one in PATIENTS[:2])
    assert (sorted(str(one.id) for one in found), nobody) == (ids, [])
    one, other = (await storage.audit(clinic.caller))[before:]
    for row in (one, other):
        assert (row.action, row.entity_type) == ("patients.read", "tenant")
    assert {*one.changes} == {*other.changes} == {"patientIds"}
    assert one.changes["patientIds"] == (None, [str(patient.id) for patient in found])
    assert other.changes["patientIds"] == (None, [])


async def test_no_more_are_found_than_were_asked_for(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin, patients=PATIENTS)
    search = SearchPatients(storage.begin, storage.recorder)
    assert len(await search(clinic.caller, "mari", limit=1)) == 1
    assert [one.active for one in await search(clinic.caller, "ana", limit=1)] == [
        False
    ]


async def test_a_patient_s_own_token_searches_nobody(storage: MemoryStorage) -> None:
    """Not even itself: whoever may look a name up learns who else comes here."""
    clinic = await open_clinic(storage.begin, patients=PATIENTS)
    patient = clinic.patients[0].id
    own = a_caller(clinic.caller.tenant_id, patient_id=patient)
    with pytest.raises(StaffOnly):
        await SearchPatients(storage.begin, storage.recorder)(own, "maria", limit=1)
    listed = await ListPractitioners(storage.begin)(own, PractitionerFilter())
    assert [one.id for one in listed.items] == [clinic.practitioner.id]

"""Patients as their registry tells of them: kept, changed, and back again."""

from uuid import UUID, uuid4

import pytest

from scheduling.application.commands.put_patient import PutPatient
from scheduling.application.ports.inbox import Outcome
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import InvalidInput
from scheduling.domain.version import ExpectedVersion
from tests.builders import a_patient
from tests.contracts.inbound import Hearing

ID = "019a9d3e-0000-7000-8000-00000000f001"
MARIA = {
    "patientId": ID,
    "name": "Maria Silva",
    "fileNumber": "2026-000123",
    "phone": "+55 27 99999-0000",
    "email": "maria@example.org",
    "preferences": {"whatsapp": True},
}


async def test_a_patient_who_is_told_of_is_kept(hearing: Hearing) -> None:
    async with hearing() as inbound:
        await inbound.hears("patient.created", MARIA)
        kept = await inbound.patient(UUID(ID))
        assert kept is not None
        assert (kept.name, kept.file_number) == ("Maria Silva", "2026-000123")
        assert kept.preferences == ContactPreferences(whatsapp=True)
        assert kept.version == 1
        await inbound.hears("patient.updated", {"patientId": ID, "name": "Maria Costa"})
        changed = await inbound.patient(UUID(ID))
        assert changed is not None
        assert (changed.name, changed.phone, changed.version) == (
            "Maria Costa",
            None,
            2,
        )


async def test_an_update_of_somebody_unknown_is_kept_too(hearing: Hearing) -> None:
    async with hearing() as inbound:
        await inbound.hears("patient.updated", MARIA)
        assert (await inbound.patient(UUID(ID))) is not None


async def test_the_same_again_leaves_no_trace(hearing: Hearing) -> None:
    async with hearing() as inbound:
        await inbound.hears("patient.created", MARIA)
        caller, storage = inbound.clinic.caller, inbound.desk.storage
        audit = await storage.audit(caller)
        await inbound.hears("patient.updated", MARIA)
        kept = await inbound.patient(UUID(ID))
        assert kept is not None
        assert kept.version == 1
        assert len(await inbound.desk.storage.audit(inbound.clinic.caller)) == len(
            audit
        )


async def test_older_news_never_comes_after_newer(hearing: Hearing) -> None:
    async with hearing() as inbound:
        newer = {**MARIA, "name": "Newer"}
        assert await inbound.hears("patient.updated", newer, version=7) is (
            Outcome.APPLIED
        )
        stale = await inbound.hears("patient.updated", MARIA, version=6)
        assert stale is Outcome.STALE
        kept = await inbound.patient(UUID(ID))
        assert kept is not None
        assert kept.name == "Newer"


async def test_a_file_number_of_somebody_else_is_refused(hearing: Hearing) -> None:
    async with hearing() as inbound:
        await inbound.hears("patient.created", MARIA)
        with pytest.raises(InvalidInput):
            await inbound.hears("patient.created", {**MARIA, "patientId": str(uuid4())})


async def test_older_news_does_not_bring_back_who_was_deleted(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        await inbound.hears("patient.created", MARIA, version=1)
        await inbound.hears("patient.deleted", {"patientId": ID}, version=5)
        for type, version in (("patient.updated", 4), ("patient.created", 3)):
            told = await inbound.hears(type, MARIA, version=version)
            assert told is Outcome.STALE
        # Nor an update that is late and names no version.
        await inbound.hears("patient.updated", MARIA)
        left = await inbound.patient(UUID(ID))
        assert left is not None
        assert (left.name, left.is_deleted) == ("", True)


async def test_who_is_created_again_is_back(hearing: Hearing) -> None:
    async with hearing() as inbound:
        await inbound.hears("patient.created", MARIA, version=1)
        await inbound.hears("patient.deleted", {"patientId": ID}, version=5)
        await inbound.hears("patient.created", MARIA, version=6)
        back = await inbound.patient(UUID(ID))
        assert back is not None
        assert (back.name, back.active, back.is_deleted) == ("Maria Silva", True, False)
        assert back.version == 3


async def test_a_put_makes_who_was_deleted_anew(hearing: Hearing) -> None:
    async with hearing() as inbound:
        await inbound.deletes()
        put = PutPatient(inbound.desk.storage.begin, inbound.desk.clock)
        wanted = a_patient(id=inbound.clinic.patients[0].id)
        back = await put(inbound.clinic.caller, wanted, expected=ExpectedVersion(0))
        assert (back.version, back.is_new, back.is_deleted) == (3, True, False)
        await inbound.desk.book(inbound.clinic.request(0))


async def test_deleting_who_is_not_there_is_nothing_to_do(hearing: Hearing) -> None:
    async with hearing() as inbound:
        for _ in range(2):
            told = await inbound.hears("patient.deleted", {"patientId": ID})
            assert told is Outcome.APPLIED
        assert await inbound.patient(UUID(ID)) is None
        first, again = await inbound.deletes(), await inbound.deletes()
        left = await inbound.patient(first)
        assert first == again
        assert left is not None
        assert left.version == 2

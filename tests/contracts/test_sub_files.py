"""Record folders of patients: one for each clinic, each with a number of its own."""

import asyncio
import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from scheduling.application.ports.unit_of_work import TransactionAborted
from scheduling.domain.directory import put
from scheduling.domain.identifiers import PatientId, SubFileId
from scheduling.domain.status import Status
from scheduling.domain.sub_file import SubFile, SubFileStatus
from tests.builders import EIGHT, Clinic, a_location, a_patient, an_id, open_clinic
from tests.contracts.inbound import Hearing, Inbound
from tests.contracts.storages import PostgresStorage, Storage
from tests.contracts.test_portal_requests import a_wish, accepted

CREATED = "subfile.created"
MADE, UPDATED = "appointment.created", "appointment.updated"


async def follow(inbound: Inbound, *types: str) -> None:
    for news in await inbound.told(*types):
        await inbound.hears_again(news)


async def files_of(inbound: Inbound, patient: int = 0) -> list[SubFile]:
    async with inbound.desk.storage.begin(inbound.clinic.caller) as work:
        id = inbound.clinic.patients[patient].id
        return [*await work.sub_files.of_patient(id, after=None, limit=50)]


async def test_the_first_booking_at_a_clinic_opens_one(hearing: Hearing) -> None:
    patient = a_patient(file_number="FILE-2026-000123")
    async with hearing(location=a_location(code="YGN"), patients=(patient,)) as inbound:
        visit = await inbound.desk.book(inbound.clinic.request())
        await follow(inbound, MADE)
        (opened,) = await files_of(inbound)
        assert opened == SubFile(
            id=opened.id,
            number="FILE-2026-000123-YGN-01",
            patient_id=patient.id,
            location_id=inbound.clinic.location.id,
            practitioner_id=visit.practitioner_id,
            opened_at=visit.created_at,
            status=SubFileStatus.OPEN,
        )
        stored = await inbound.visit(visit.id)
        assert stored.sub_file_id == opened.id
        assert stored.version == visit.version
        (told,) = await inbound.told(CREATED)
        assert told["data"] == {
            "subFileId": str(opened.id),
            "number": "FILE-2026-000123-YGN-01",
            "patientId": str(patient.id),
            "locationId": str(inbound.clinic.location.id),
            "practitionerId": str(visit.practitioner_id),
            "appointmentId": str(visit.id),
            "openedAt": "2030-01-07T08:00:00Z",
            "mainFileMissing": False,
        }
        assert inbound.without_main_file == []


async def test_later_bookings_there_are_put_into_it(hearing: Hearing) -> None:
    async with hearing() as inbound:
        visits = [
            await inbound.desk.book(inbound.clinic.request(0, slot))
            for slot in range(3)
        ]
        for _ in range(2):
            await follow(inbound, MADE)
        (opened,) = await files_of(inbound)
        for visit in visits:
            assert (await inbound.visit(visit.id)).sub_file_id == opened.id
        assert len(await inbound.told(CREATED)) == 1


async def test_of_what_is_only_asked_for_or_held_there_is_none(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        await inbound.desk.hold(0, 0)
        proposed = await accepted(inbound, a_wish(inbound, 1, 1))
        await follow(inbound, MADE, UPDATED)
        assert await inbound.told(CREATED) == []
        await inbound.desk.step(await inbound.visit(proposed), Status.BOOKED)
        await follow(inbound, UPDATED)
        assert len(await files_of(inbound, 1)) == 1


async def test_a_hold_that_is_booked_opens_one(hearing: Hearing) -> None:
    async with hearing() as inbound:
        hold = await inbound.desk.hold()
        await inbound.desk.book_held(hold, inbound.clinic.request())
        await follow(inbound, MADE, UPDATED)
        (opened,) = await files_of(inbound)
        assert (await inbound.visit(hold.id)).sub_file_id == opened.id


@pytest.mark.parametrize("main", [None, "2026-77", "FILE-26-1"])
async def test_without_a_main_file_of_our_form_the_number_is_drawn(
    hearing: Hearing, main: str | None
) -> None:
    patients = (a_patient(file_number=main), a_patient())
    async with hearing(location=a_location(code="YGN"), patients=patients) as inbound:
        for patient in range(2):
            await inbound.desk.book(inbound.clinic.request(patient, patient))
        await follow(inbound, MADE)
        first, second = [*await files_of(inbound), *await files_of(inbound, 1)]
        assert first.number == "FILE-2030-000001-YGN-01"
        assert second.number == "FILE-2030-000002-YGN-01"
        told = await inbound.told(CREATED)
        missing = [one["data"]["mainFileMissing"] for one in told]
        assert missing == [main is None, True]
        warned = [first.id, second.id] if main is None else [second.id]
        assert inbound.without_main_file == warned


@pytest.mark.parametrize(
    ("timezone", "booked", "year"),
    [
        ("Asia/Yangon", datetime(2026, 12, 31, 17, 29, 59, tzinfo=UTC), 2026),
        ("Asia/Yangon", datetime(2026, 12, 31, 17, 30, tzinfo=UTC), 2027),
        ("America/Sao_Paulo", datetime(2027, 1, 1, 2, 59, 59, tzinfo=UTC), 2026),
        ("America/Sao_Paulo", datetime(2027, 1, 1, 3, 0, tzinfo=UTC), 2027),
    ],
)
async def test_the_year_is_that_of_the_booking_on_the_clinics_wall(
    hearing: Hearing, timezone: str, booked: datetime, year: int
) -> None:
    async with hearing(
        location=a_location(code="C", timezone=timezone), timezone=timezone
    ) as inbound:
        await inbound.desk.book(inbound.clinic.request())
        (news,) = await inbound.told(MADE)
        # Whoever follows it late, in another year even, opens it for the same.
        inbound.desk.now = datetime(2031, 6, 1, tzinfo=UTC)
        await inbound.hears_again({**news, "time": booked.isoformat()})
        (opened,) = await files_of(inbound)
        assert opened.number == f"FILE-{year}-000001-C-01"
        assert opened.opened_at == booked


async def test_one_that_moves_to_another_clinic_has_a_folder_there(
    hearing: Hearing,
) -> None:
    async with hearing(location=a_location(code="A")) as inbound:
        visit = await inbound.desk.book(inbound.clinic.request())
        other = put(None, a_location(code="B"), expected=None, now=EIGHT)
        async with inbound.desk.storage.begin(inbound.clinic.caller) as work:
            work.locations.save(other)
            moved = visit.edited(now=EIGHT, location_id=other.id)
            work.appointments.keep(moved)
        # The news of the booking comes late: its folder is there, and not the visit's.
        await follow(inbound, MADE)
        assert (await inbound.visit(visit.id)).sub_file_id is None
        await follow(inbound, UPDATED)
        files = {one.number: one.id for one in await files_of(inbound)}
        assert set(files) == {"FILE-2030-000001-A-01", "FILE-2030-000002-B-02"}
        stored = await inbound.visit(visit.id)
        assert stored.sub_file_id == files["FILE-2030-000002-B-02"]
        assert stored.version == moved.version


async def test_numbers_that_are_somebodys_main_file_are_not_drawn(
    hearing: Hearing,
) -> None:
    main = [f"FILE-2030-{n:06}" for n in (1, 2, 3, 40)]
    patients = (
        *(a_patient(file_number=number) for number in main),
        a_patient(file_number="FILE-2029-000900"),
        a_patient(),
        a_patient(),
    )
    async with hearing(location=a_location(code="C"), patients=patients) as inbound:
        for slot, patient in enumerate((5, 6)):
            await inbound.desk.book(inbound.clinic.request(patient, slot))
        await follow(inbound, MADE)
        (first,), (second,) = await files_of(inbound, 5), await files_of(inbound, 6)
        assert first.number == "FILE-2030-000041-C-01"
        assert second.number == "FILE-2030-000042-C-01"


async def test_a_main_file_whose_number_was_drawn_before_stands_in_nobodys_way(
    hearing: Hearing,
) -> None:
    async with hearing(location=a_location(code="C")) as inbound:
        await inbound.desk.book(inbound.clinic.request(0, 0))
        await follow(inbound, MADE)
        async with inbound.desk.storage.begin(inbound.clinic.caller) as work:
            late = inbound.clinic.patients[1]
            given = replace(late, file_number="FILE-2030-000001")
            work.patients.save(put(late, given, expected=None, now=EIGHT))
        await inbound.desk.book(inbound.clinic.request(1, 1))
        await follow(inbound, MADE)
        (opened,) = await files_of(inbound, 1)
        assert opened.number == "FILE-2030-000002-C-01"
        assert not opened.main_file_missing


async def test_for_a_patient_who_was_forgotten_none_is_opened(hearing: Hearing) -> None:
    async with hearing() as inbound:
        await inbound.desk.book(inbound.clinic.request())
        await inbound.deletes()
        await follow(inbound, MADE)
        assert await files_of(inbound) == []


async def opened_for(storage: Storage, clinic: Clinic, patient: int) -> SubFile:
    async with storage.begin(clinic.caller) as work:
        one = clinic.patients[patient]
        await work.sub_files.hold(one.id)
        nth = await work.sub_files.count(one.id) + 1
        drawn = await work.sub_files.draw(2030)
        file = SubFile.opened(
            f"FILE-2030-{drawn:06}-X-{nth:02}",
            one,
            clinic.location,
            practitioner_id=clinic.practitioner.id,
            appointment_id=an_id(),
            at=EIGHT,
            now=EIGHT,
        )
        work.sub_files.add(file)
    return file


async def test_a_second_one_at_a_clinic_and_a_number_twice_are_refused(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        storage, clinic = inbound.inbox, inbound.clinic
        first = await opened_for(storage, clinic, 0)
        with pytest.raises(TransactionAborted):
            await opened_for(storage, clinic, 0)
        again = replace(first, id=SubFileId(an_id()), patient_id=clinic.patients[1].id)
        with pytest.raises(TransactionAborted):
            async with storage.begin(clinic.caller) as work:
                work.sub_files.add(again)
        assert await files_of(inbound) == [first]
        async with storage.begin(clinic.caller) as work:
            assert await work.sub_files.is_taken(first.number)
            assert not await work.sub_files.is_taken("FILE-2030-000009-X-01")


async def test_what_is_not_committed_was_not_drawn(hearing: Hearing) -> None:
    async with hearing() as inbound:
        storage, caller = inbound.inbox, inbound.clinic.caller
        drawn = []
        for undone in (False, True, True, False):
            with suppress(KeyError):
                async with storage.begin(caller) as work:
                    drawn.append(await work.sub_files.draw(2030))
                    {False: None}[undone]
        assert drawn == [1, 2, 2, 2]
        async with storage.begin(caller) as work:
            assert await work.sub_files.draw(2031) == 1


async def test_news_that_come_together_open_one(hearing: Hearing) -> None:
    async with hearing(slots=6) as inbound:
        for slot in range(6):
            await inbound.desk.book(inbound.clinic.request(0, slot))
        news = await inbound.told(MADE)
        await asyncio.gather(*(inbound.hears_again(one) for one in (*news, *news)))
        (opened,) = await files_of(inbound)
        assert len(await inbound.told(CREATED)) == 1
        visits = await inbound.desk.storage.appointments(inbound.clinic.caller)
        assert {visit.sub_file_id for visit in visits} == {opened.id}


async def test_pages_end_where_they_began(hearing: Hearing) -> None:
    async with hearing(location=a_location(code="A")) as inbound:
        await inbound.desk.book(inbound.clinic.request())
        await follow(inbound, MADE)
        storage, caller = inbound.desk.storage, inbound.clinic.caller
        patient = inbound.clinic.patients[0]
        for code in "BC":
            location = put(None, a_location(code=code), expected=None, now=EIGHT)
            async with storage.begin(caller) as work:
                work.locations.save(location)
            async with inbound.inbox.begin(caller) as work:
                work.sub_files.add(
                    SubFile.opened(
                        f"FILE-2030-000001-{code}-01",
                        patient,
                        location,
                        practitioner_id=inbound.clinic.practitioner.id,
                        appointment_id=an_id(),
                        at=EIGHT,
                        now=EIGHT,
                    )
                )
        whole = await files_of(inbound)
        assert len(whole) == 3
        after, found = None, []
        for _ in range(3):
            async with storage.begin(caller) as work:
                (one,) = await work.sub_files.of_patient(
                    patient.id, after=after, limit=1
                )
            found.append(one)
            after = one.opened_at, one.id
        assert found == whole
        async with storage.begin(caller) as work:
            stranger = PatientId(uuid4())
            nothing = await work.sub_files.of_patient(stranger, after=None, limit=9)
        assert nothing == []


async def test_the_audit_has_no_number_that_leads_to_the_main_file(
    hearing: Hearing,
) -> None:
    patient = a_patient(file_number="FILE-2026-000123")
    async with hearing(patients=(patient,)) as inbound:
        await inbound.desk.book(inbound.clinic.request())
        await follow(inbound, MADE)
        (row,) = [
            row
            for row in await inbound.desk.storage.audit(inbound.clinic.caller)
            if row.action == "sub-file.opened"
        ]
        assert row.changes["patientId"] == (None, str(patient.id))
        assert not re.search("000123", str(row.changes))


async def test_a_tenant_draws_its_own_numbers(on_postgres: PostgresStorage) -> None:

    drawn = []
    for _ in range(2):
        clinic = await open_clinic(on_postgres.begin)
        async with on_postgres.begin(clinic.caller) as work:
            drawn.append(await work.sub_files.draw(2030))
    assert drawn == [1, 1]

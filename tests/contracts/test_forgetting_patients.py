"""A patient who is deleted: called off, waited for no more, and forgotten."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from scheduling.application.commands.add_to_waitlist import AddToWaitlist
from scheduling.application.commands.answer_once import AnswerOnce
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.ports.appointment_lists import Page
from scheduling.application.ports.dead_letters import DeadLetter
from scheduling.application.ports.repositories import IdempotencyKey, StoredAnswer
from scheduling.application.ports.unit_of_work import BeginWork, DecisionOutdated
from scheduling.application.queries.get_patient import GetPatient
from scheduling.application.queries.list_patient_appointments import (
    ListPatientAppointments,
)
from scheduling.domain.booking import decide_booking
from scheduling.domain.directory import ContactPreferences, Patient
from scheduling.domain.errors import PatientNotFound
from scheduling.domain.slot import SlotStatus
from scheduling.domain.status import Status
from scheduling.domain.waitlist import WaitlistStatus
from tests.builders import EIGHT, a_patient, at
from tests.contracts.inbound import Hearing, Inbound
from tests.contracts.reception import all_of, won
from tests.contracts.storages import PostgresStorage
from tests.contracts.test_portal_requests import REQUESTED, a_wish, accepted
from tests.waiting import a_wish as a_waitlist_wish

MARKED = {
    "name": "Marker-Name",
    "file_number": "Marker-File",
    "phone": "Marker-Phone",
    "email": "marker@example.org",
    "preferences": ContactPreferences(sms=True, email=True),
}


async def test_who_is_deleted_is_not_there_any_more(hearing: Hearing) -> None:
    async with hearing(patients=(a_patient(**MARKED), a_patient())) as inbound:
        caller, begin = inbound.clinic.caller, inbound.desk.storage.begin
        id = await inbound.deletes()
        recorder = inbound.desk.storage.recorder
        with pytest.raises(PatientNotFound):
            await GetPatient(begin, recorder)(caller, id)
        with pytest.raises(PatientNotFound):
            await ListPatientAppointments(begin, inbound.desk.clock, recorder)(
                caller, id, Page(), span=None, statuses=frozenset(), timezone=None
            )
        with pytest.raises(PatientNotFound):
            await inbound.desk.book(inbound.clinic.request(0))
        with pytest.raises(PatientNotFound):
            await inbound.desk.hold(0, 0)
        with pytest.raises(PatientNotFound):
            wish = a_waitlist_wish(id)
            await AddToWaitlist(begin, inbound.desk.clock)(caller, wish)
        await inbound.hears(REQUESTED, a_wish(inbound))
        (answer,) = await inbound.told("portal.appointment.rejected")
        assert answer["data"]["code"] == "PATIENT_NOT_FOUND"
        # The other one is as before.
        await inbound.desk.book(inbound.clinic.request(1))


async def test_nothing_of_the_person_stays_but_the_id(hearing: Hearing) -> None:
    async with hearing(patients=(a_patient(**MARKED), a_patient())) as inbound:
        await inbound.deletes()
        left = await inbound.patient(inbound.clinic.patients[0].id)
        assert left == Patient(
            id=inbound.clinic.patients[0].id,
            name="",
            active=False,
            version=2,
            created_at=EIGHT,
            updated_at=EIGHT,
            deleted_at=EIGHT,
        )
        audit = await inbound.desk.storage.audit(inbound.clinic.caller)
        (row,) = [one for one in audit if one.action == "patient.deleted"]
        assert row.entity_id == left.id
        assert "Marker" not in str(audit)


async def test_visits_to_come_are_called_off_and_can_be_had_by_others(
    hearing: Hearing,
) -> None:
    async with hearing(slots=6) as inbound:
        desk, clinic = inbound.desk, inbound.clinic
        booked = [await desk.book(clinic.request(0, n)) for n in range(3)]
        confirmed = await desk.step(booked[1], Status.CONFIRMED)
        held = await desk.hold(0, 3)
        proposed = await accepted(inbound, a_wish(inbound, 0, 4))
        others = await desk.book(clinic.request(1, 5))
        await inbound.deletes()
        for id in (booked[0].id, confirmed.id, booked[2].id, held.id, proposed):
            visit = await inbound.visit(id)
            assert visit.status is Status.CANCELLED
            assert visit.status_reason_code == "patient-deleted"
            assert visit.cancelled_by == "system"
        assert (await inbound.visit(others.id)).status is Status.BOOKED
        cancelled = await inbound.told("appointment.cancelled")
        assert {one["data"]["reasonCode"] for one in cancelled} == {"patient-deleted"}
        assert {one["data"]["initiatedBy"] for one in cancelled} == {"system"}
        assert len(cancelled) == 5
        claims = await desk.storage.claims(clinic.caller)
        assert {claim.appointment_id for claim in claims} == {others.id}
        for number in range(5):
            await desk.book(clinic.request(2, number))


async def test_a_hold_that_has_run_out_is_told_as_what_it_is(hearing: Hearing) -> None:
    async with hearing() as inbound:
        await inbound.desk.hold(0, 3)
        inbound.desk.now = at("08:30")
        await inbound.deletes()
        assert await inbound.told("appointment.cancelled") == []
        assert len(await inbound.told("hold.expired")) == 1


async def test_what_has_happened_stays_without_what_was_written(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        desk, clinic = inbound.desk, inbound.clinic
        texts = {"reason": "Marker-Reason", "notes": "Marker-Notes"}
        visit = await desk.book(clinic.request(0, 0, **texts))
        others = await desk.book(clinic.request(1, 1, **texts))
        desk.now = at("09:05")
        arrived = await desk.step(visit, Status.ARRIVED)
        done = await desk.step(arrived, Status.COMPLETED)
        await inbound.deletes()
        left = await inbound.visit(visit.id)
        assert left.status is Status.COMPLETED
        assert (left.reason, left.notes) == (None, None)
        assert (left.patient_id, left.period) == (done.patient_id, done.period)
        # Who has read it before may not write the texts back.
        assert left.version > done.version
        assert (await inbound.visit(others.id)).reason == "Marker-Reason"


async def test_a_visit_under_way_is_not_called_off(hearing: Hearing) -> None:
    async with hearing() as inbound:
        visit = await inbound.desk.book(inbound.clinic.request(0, 0, reason="Marker"))
        inbound.desk.now = at("09:05")
        await inbound.desk.step(visit, Status.ARRIVED)
        await inbound.deletes()
        left = await inbound.visit(visit.id)
        assert (left.status, left.reason) == (Status.ARRIVED, None)


async def test_who_waits_for_such_a_time_is_told_and_who_is_gone_waits_no_more(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        caller, clinic = inbound.clinic.caller, inbound.clinic
        add = AddToWaitlist(inbound.desk.storage.begin, inbound.desk.clock)
        own = await add(caller, a_waitlist_wish(clinic.patients[0].id))
        other = await add(caller, a_waitlist_wish(clinic.patients[1].id))
        await inbound.desk.book(clinic.request(0))
        await inbound.deletes()
        entries = {one.id: one for one in await inbound.desk.storage.waitlist(caller)}
        assert entries[own.id].status is WaitlistStatus.REMOVED
        assert entries[other.id].status is WaitlistStatus.WAITING
        (told,) = await inbound.told("waitlist.slot-available")
        assert [one["patientId"] for one in told["data"]["candidates"]] == [
            str(clinic.patients[1].id)
        ]
        audit = await inbound.desk.storage.audit(caller)
        assert "waitlist-entry.removed" in {one.action for one in audit}


async def test_a_group_slot_gives_back_the_one_seat(hearing: Hearing) -> None:
    async with hearing(capacity=3) as inbound:
        for number in range(3):
            await inbound.desk.book(inbound.clinic.request(number))
        await inbound.deletes()
        slots = await inbound.desk.storage.slots(inbound.clinic.caller)
        (slot,) = [one for one in slots if one.id == inbound.clinic.slots[0].id]
        assert (slot.booked, slot.status) == (2, SlotStatus.FREE)


async def test_an_answer_that_names_the_patient_is_emptied_and_still_stands(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        caller, begin = inbound.clinic.caller, inbound.desk.storage.begin
        once, ran = AnswerOnce(begin), list[str]()

        async def answered(key: str, body: str) -> tuple[StoredAnswer, bool]:
            async def command(_: BeginWork) -> StoredAnswer:
                ran.append(key)
                return StoredAnswer(201, {"ETag": '"1"'}, body.encode())

            return await once(caller, IdempotencyKey(key, "same"), command)

        mine = f'{{"id":"{inbound.clinic.patients[0].id}","name":"Marker"}}'
        other = f'{{"id":"{inbound.clinic.patients[1].id}","name":"Other"}}'
        await answered("mine", mine)
        await answered("other", other)
        await inbound.deletes()
        emptied, again = await answered("mine", mine)
        assert (emptied.body, emptied.status, again) == (b"{}", 201, True)
        kept, again = await answered("other", other)
        assert (kept.body, again) == (other.encode(), True)
        assert ran == ["mine", "other"]


async def test_dead_letters_that_name_the_patient_are_emptied(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        id = inbound.clinic.patients[0].id
        bodies = {
            "theirs": f'{{"patientId": "{id}", "name": "Marker"}}'.upper().encode(),
            "bytes": b"\xff\x00" + str(id).encode() + b"Marker",
            "another's": b'{"patientId": "' + str(uuid4()).encode() + b'"}',
        }
        letters = [
            a_letter(inbound, sequence=number, detail=name, body=body)
            for number, (name, body) in enumerate(bodies.items())
        ]
        async with inbound.inbox.begin(inbound.clinic.caller) as work:
            for letter in letters:
                work.dead_letters.keep(letter)
        await inbound.deletes()
        left = await letters_of(inbound)
        assert [body for _, body in left] == [b"", b"", bodies["another's"]]
        assert [detail for detail, _ in left] == [
            "emptied: the patient was deleted",
            "emptied: the patient was deleted",
            "another's",
        ]


def a_letter(inbound: Inbound, **told: Any) -> DeadLetter:  # noqa: ANN401
    return DeadLetter(
        **{
            "id": uuid4(),
            "tenant_id": inbound.clinic.caller.tenant_id,
            "stream": "SCHEDULING_INBOX",
            "stored_at": EIGHT,
            "subject": "inbox",
            "headers": {},
            "event_id": "1",
            "event_type": "patient.updated",
            "reason": "VALIDATION_FAILED",
            "deliveries": 1,
            "died_at": EIGHT,
            **told,
        }
    )


async def letters_of(inbound: Inbound) -> list[tuple[str, bytes]]:
    storage, caller = inbound.inbox, inbound.clinic.caller
    if isinstance(storage, PostgresStorage):
        rows = await storage.rows(
            caller, "SELECT * FROM dead_letters ORDER BY died_at, stream_sequence"
        )
        return [(row["detail"], row["body"]) for row in rows]
    letters = storage.of(caller.tenant_id).dead_letters.values()
    return [(one.detail, one.body) for one in letters]


async def test_a_booking_that_was_decided_before_is_too_late(hearing: Hearing) -> None:
    """What was known of the patient was true then; who writes it down looks again."""
    async with hearing() as inbound:
        request, caller = inbound.clinic.request(0), inbound.clinic.caller
        with pytest.raises(DecisionOutdated) as outdated:
            async with inbound.desk.storage.begin(caller) as work:
                facts = await work.appointments.facts_for(request, now=EIGHT)
                booking = decide_booking(request, facts, now=EIGHT)
                await inbound.deletes()
                work.appointments.add(booking)
        assert isinstance(outdated.value.refusal, PatientNotFound)
        assert await inbound.desk.storage.appointments(caller) == []
        book = BookAppointment(inbound.desk.storage.begin, inbound.desk.clock)
        with pytest.raises(PatientNotFound):
            await book(caller, replace(request, patient_id=request.patient_id))


async def test_whoever_books_meanwhile_books_for_nobody(hearing: Hearing) -> None:
    """Some are before the deletion and called off, the others too late."""
    async with hearing(slots=12) as inbound:
        desk, clinic = inbound.desk, inbound.clinic
        first = await desk.book(clinic.request(0, 0))
        racing = [desk.book(clinic.request(0, number)) for number in range(1, 12)]
        racing.insert(5, desk.hold(0, 0))
        outcomes, _ = await asyncio.gather(all_of(racing), inbound.deletes())
        visits = [first, *won(outcomes)]
        stored = await desk.storage.appointments(clinic.caller)
        assert {one.id for one in stored} == {one.id for one in visits}
        assert {one.status for one in stored} == {Status.CANCELLED}
        assert await desk.storage.claims(clinic.caller) == []
        slots = await desk.storage.slots(clinic.caller)
        assert {slot.booked for slot in slots} == {0}

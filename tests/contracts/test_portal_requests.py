"""What patients ask for through a portal becomes a proposal, and an answer."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from scheduling.application.ports.inbox import Outcome
from scheduling.domain.appointment import CancelReason, Initiator
from scheduling.domain.directory import put
from scheduling.domain.errors import SlotNotAvailable
from scheduling.domain.status import Status
from tests.builders import EIGHT, at, between
from tests.contracts.inbound import Hearing, Inbound
from tests.contracts.visits import cancel

REQUESTED = "portal.appointment.requested"
ANSWERS = ("portal.appointment.accepted", "portal.appointment.rejected")
TEXT = "Marker-Reason"


def a_wish(
    inbound: Inbound,
    patient: int = 0,
    slot: int = 0,
    **told: Any,  # noqa: ANN401
) -> dict[str, Any]:
    clinic = inbound.clinic
    wish = {
        "requestId": str(uuid4()),
        "patientId": str(clinic.patients[patient].id),
        "slotId": str(clinic.slots[slot].id),
        "appointmentType": "consultation",
        "reason": TEXT,
        **told,
    }
    return {name: value for name, value in wish.items() if value is not None}


async def accepted(inbound: Inbound, wish: dict[str, Any]) -> UUID:
    await inbound.hears(REQUESTED, wish)
    *_, answer = await inbound.told(*ANSWERS)
    assert answer["type"] == "portal.appointment.accepted"
    return UUID(answer["data"]["appointmentId"])


async def rejected(inbound: Inbound, wish: dict[str, Any]) -> str:
    """Return the code; nothing is kept of the wish."""
    before = await inbound.desk.storage.appointments(inbound.clinic.caller)
    await inbound.hears(REQUESTED, wish)
    *_, answer = await inbound.told(*ANSWERS)
    assert answer["type"] == "portal.appointment.rejected"
    assert answer["data"]["requestId"] == wish["requestId"]
    assert answer["data"]["patientId"] == wish["patientId"]
    after = await inbound.desk.storage.appointments(inbound.clinic.caller)
    assert len(after) == len(before)
    code: str = answer["data"]["code"]
    return code


async def test_a_wish_becomes_a_proposal_that_takes_no_time(hearing: Hearing) -> None:
    async with hearing() as inbound:
        wish = a_wish(inbound)
        assert await inbound.hears(REQUESTED, wish, id="first") is Outcome.APPLIED
        (answer,) = await inbound.told(*ANSWERS)
        visit = await inbound.visit(UUID(answer["data"]["appointmentId"]))
        assert visit.status is Status.PROPOSED
        assert (visit.patient_id, visit.reason) == (inbound.clinic.patients[0].id, TEXT)
        assert visit.slot_ids == (inbound.clinic.slots[0].id,)
        assert answer["data"]["requestEventId"] == "first"
        assert answer["data"]["patientId"] == wish["patientId"]
        (proposed,) = await inbound.told("appointment.proposed")
        assert proposed["data"]["status"] == "proposed"
        assert proposed["subject"] == str(visit.id)
        assert await inbound.told("appointment.created") == []
        assert await inbound.desk.storage.claims(inbound.clinic.caller) == []
        assert await inbound.desk.storage.reminders(inbound.clinic.caller) == []
        slot = inbound.clinic.slots[0]
        slots = await inbound.desk.storage.slots(inbound.clinic.caller)
        (same,) = [one for one in slots if one.id == slot.id]
        assert (same.booked, same.version) == (0, slot.version)
        # Somebody else may have the time meanwhile.
        await inbound.desk.book(inbound.clinic.request(1))


async def test_a_wish_may_name_a_time(hearing: Hearing) -> None:
    async with hearing() as inbound:
        clinic = inbound.clinic
        by_start = a_wish(
            inbound,
            slotId=None,
            practitionerId=str(clinic.practitioner.id),
            locationId=str(clinic.location.id),
            start="2030-01-07T09:00:00Z",
            durationMinutes=60,
        )
        visit = await inbound.visit(await accepted(inbound, by_start))
        assert visit.period == between("09:00", "10:00")
        assert len(visit.slot_ids) == 2


async def test_the_same_event_twice_is_one_proposal_and_one_answer(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        wish = a_wish(inbound)
        outcomes = [await inbound.hears(REQUESTED, wish, id="same") for _ in range(3)]
        assert outcomes == [Outcome.APPLIED, Outcome.DUPLICATE, Outcome.DUPLICATE]
        assert len(await inbound.told(*ANSWERS)) == 1
        assert len(await inbound.told("appointment.proposed")) == 1


async def test_the_same_wish_by_two_events_is_one_proposal_and_the_same_answer(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        wish = a_wish(inbound)
        await asyncio.gather(
            *(inbound.hears(REQUESTED, wish, id=id) for id in ("one", "two", "three"))
        )
        assert len(await inbound.told("appointment.proposed")) == 1
        answers = await inbound.told(*ANSWERS)
        assert {one["data"]["requestEventId"] for one in answers} == {
            "one",
            "two",
            "three",
        }
        assert len({one["data"]["appointmentId"] for one in answers}) == 1
        assert {one["type"] for one in answers} == {"portal.appointment.accepted"}


async def test_the_same_request_id_of_another_patient_is_refused(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        wish = a_wish(inbound)
        await accepted(inbound, wish)
        others = {**wish, "patientId": str(inbound.clinic.patients[1].id)}
        assert await rejected(inbound, others) == "IDEMPOTENCY_KEY_REUSED"


async def test_an_unknown_or_inactive_patient_is_answered_with_the_code(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        unknown = a_wish(inbound, patientId=str(uuid4()))
        assert await rejected(inbound, unknown) == "PATIENT_NOT_FOUND"
        async with inbound.desk.storage.begin(inbound.clinic.caller) as work:
            stored = await work.patients.find(inbound.clinic.patients[0].id)
            assert stored is not None
            inactive = replace(stored, active=False)
            work.patients.save(put(stored, inactive, expected=None, now=EIGHT))
        assert await rejected(inbound, a_wish(inbound)) == "PATIENT_NOT_FOUND"


async def test_a_slot_that_is_gone_meanwhile_is_answered_with_the_code(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        await inbound.desk.book(inbound.clinic.request(1))
        wish = a_wish(inbound)
        assert await rejected(inbound, wish) == "SLOT_NOT_AVAILABLE"
        nowhere = a_wish(inbound, slotId=str(uuid4()))
        assert await rejected(inbound, nowhere) == "SLOT_NOT_FOUND"


async def test_a_wish_keeps_all_rules_of_booking(hearing: Hearing) -> None:
    async with hearing() as inbound:
        # The patient is somewhere else then.
        await inbound.desk.book(inbound.clinic.request(0, 0))
        taken = a_wish(inbound, 0, 0)
        assert await rejected(inbound, taken) == "SLOT_NOT_AVAILABLE"
        inbound.desk.now = at("09:10")
        assert await rejected(inbound, a_wish(inbound, 1, 0)) in {
            "OUTSIDE_BOOKING_WINDOW",
            "SLOT_NOT_AVAILABLE",
        }
        inbound.desk.now = at("09:31")
        assert await rejected(inbound, a_wish(inbound, 1, 1)) == (
            "OUTSIDE_BOOKING_WINDOW"
        )


async def test_a_rejected_wish_may_be_made_again(hearing: Hearing) -> None:
    async with hearing() as inbound:
        booked = await inbound.desk.book(inbound.clinic.request(1))
        wish = a_wish(inbound)
        assert await rejected(inbound, wish) == "SLOT_NOT_AVAILABLE"
        await cancel(inbound.desk.storage, inbound.clinic, booked.id)
        await accepted(inbound, wish)


async def test_a_proposal_that_staff_accept_takes_its_time(hearing: Hearing) -> None:
    async with hearing() as inbound:
        proposal = await inbound.visit(await accepted(inbound, a_wish(inbound)))
        booked = await inbound.desk.step(proposal, Status.BOOKED)
        assert booked.status is Status.BOOKED
        claims = await inbound.desk.storage.claims(inbound.clinic.caller)
        assert {claim.appointment_id for claim in claims} == {proposal.id}
        with pytest.raises(SlotNotAvailable):
            await inbound.desk.book(inbound.clinic.request(1))
        # Told again, it is as it is.
        assert len(await inbound.told("appointment.proposed")) == 1


async def test_a_proposal_whose_seat_is_gone_meanwhile_cannot_be_accepted(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        proposal = await inbound.visit(await accepted(inbound, a_wish(inbound)))
        await inbound.desk.book(inbound.clinic.request(1))
        with pytest.raises(SlotNotAvailable):
            await inbound.desk.step(proposal, Status.BOOKED)
        assert (await inbound.visit(proposal.id)) == proposal


async def test_a_proposal_that_is_called_off_gives_nothing_back(
    hearing: Hearing,
) -> None:
    async with hearing(capacity=2) as inbound:
        proposal = await inbound.visit(await accepted(inbound, a_wish(inbound)))
        booked = await inbound.desk.book(inbound.clinic.request(1))
        opened = len(await inbound.told("slot.opened"))
        async with inbound.desk.storage.begin(inbound.clinic.caller) as work:
            found, slots = await work.appointments.with_slots(proposal.id)
            gone = found.cancel(
                reason_code=CancelReason.PATIENT,
                initiated_by=Initiator.PATIENT,
                comment=None,
                now=EIGHT,
            )
            work.appointments.release(gone, gone.freed(slots, EIGHT))
        (seats,) = [
            one.booked
            for one in await inbound.desk.storage.slots(inbound.clinic.caller)
            if one.id == booked.slot_ids[0]
        ]
        assert seats == 1
        assert len(await inbound.told("slot.opened")) == opened


async def test_neither_answer_nor_audit_quotes_what_the_patient_wrote(
    hearing: Hearing,
) -> None:
    async with hearing() as inbound:
        await accepted(inbound, a_wish(inbound, notes="Marker-Notes"))
        assert "Marker" not in str(await inbound.told(*ANSWERS, "appointment.proposed"))
        audit = await inbound.desk.storage.audit(inbound.clinic.caller)
        assert "Marker" not in str(audit)
        (row,) = [one for one in audit if one.action == "appointment.proposed"]
        assert row.actor == "inbox"

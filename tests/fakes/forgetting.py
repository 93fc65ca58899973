"""Forgetting a patient in memory."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from scheduling.application.ports.forgetting import ForgettingRepository
from scheduling.domain.appointment import Appointment
from scheduling.domain.identifiers import AppointmentId, PatientId
from scheduling.domain.slot import Slot
from scheduling.domain.status import TRANSITIONS, Status
from tests.fakes.appointments import MemoryAppointments
from tests.fakes.transaction import Tables, Transaction

_NOT_YET_BOOKED = {Status.PROPOSED, Status.PENDING}


@dataclass
class MemoryForgetting(ForgettingRepository):
    transaction: Transaction

    async def hold(self, id: PatientId) -> None:
        await self.transaction.lock("booking for", id)

    async def visits(
        self, id: PatientId, now: datetime
    ) -> Sequence[tuple[Appointment, tuple[Slot, ...]]]:
        found = [
            one.id
            for one in self.transaction.tables.appointments.values()
            if one.patient_id == id and _can_be_called_off(one, now)
        ]
        return await MemoryAppointments(self.transaction).all_with_slots(found)

    async def forget(self, id: PatientId, *, but: Collection[AppointmentId]) -> None:
        self.transaction.change(lambda tables: _forget(tables, id, but))


def _can_be_called_off(one: Appointment, now: datetime) -> bool:
    return one.status in _NOT_YET_BOOKED or (
        Status.CANCELLED in TRANSITIONS[one.status] and one.period.start > now
    )


def _forget(tables: Tables, id: PatientId, but: Collection[UUID]) -> None:
    name = str(id).encode()
    for visit in list(tables.appointments.values()):
        if visit.patient_id == id and visit.id not in but:
            cleared = visit.without_texts()
            if cleared != visit:
                tables.appointments[visit.id] = replace(
                    cleared, version=visit.version + 1
                )
    for key, (fingerprint, answer) in list(tables.answers.items()):
        if name in answer.body.lower():
            tables.answers[key] = (fingerprint, replace(answer, body=b"{}"))
    for message, letter in list(tables.dead_letters.items()):
        if name in letter.body.lower():
            detail = "emptied: the patient was deleted"
            tables.dead_letters[message] = replace(letter, body=b"", detail=detail)

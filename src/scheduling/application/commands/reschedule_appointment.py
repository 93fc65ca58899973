from dataclasses import dataclass
from typing import Any

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.move_there import move_there
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import BySlot
from scheduling.domain.errors import AppointmentNotFound
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.moving import NewTime, asked_again, decide_reschedule
from scheduling.domain.version import ExpectedVersion, demand_version


@dataclass(frozen=True, slots=True)
class RescheduleAppointment:
    """Give a visit another time, or leave it whole where that cannot be had."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        id: AppointmentId,
        *,
        expected: ExpectedVersion | None,
        when: NewTime,
        comment: str | None = None,
    ) -> Appointment:
        async with self.begin(caller) as work:
            before, slots = await work.appointments.to_move(id, **_named(when))
            if not caller.sees(before.patient_id):
                raise AppointmentNotFound(id)
            demand_version(expected, before.version)
            now, request = self.now(), asked_again(before, when)
            facts = await work.appointments.facts_for(request, now=now, own=id)
            move = decide_reschedule(
                before, slots, request, facts, comment=comment, now=now
            )
            if move is None:
                return before
            return await move_there(work, before, move, now=now)


def _named(when: NewTime) -> dict[str, Any]:
    if isinstance(when, BySlot):
        return {"slot_id": when.slot_id}
    return {"practitioner_id": when.practitioner_id}

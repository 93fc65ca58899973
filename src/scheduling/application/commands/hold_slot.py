from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.let_holds_lapse import let_holds_lapse
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import decide_hold
from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.errors import PatientNotFound


@dataclass(frozen=True, slots=True)
class HoldSlot:
    """Keep a seat for a patient who is making up their mind; for a while only."""

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller, request: BookingRequest) -> Appointment:
        if not caller.sees(request.patient_id):
            raise PatientNotFound(request.patient_id)
        async with self.begin(caller) as work:
            await work.appointments.one_hold_at_a_time(request.patient_id)
            now = self.now()
            facts = await work.appointments.facts_for(request, now=now, holding=True)
            held = decide_hold(request, facts, by=caller.subject, now=now)
            await let_holds_lapse(work, held, now=now)
            work.appointments.add(held)
        return held.appointment

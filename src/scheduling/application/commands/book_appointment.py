from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.let_holds_lapse import let_holds_lapse
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import (
    decide_booking,
)
from scheduling.domain.booking_request import (
    BookingRequest,
)
from scheduling.domain.errors import PatientNotFound


@dataclass(frozen=True, slots=True)
class BookAppointment:
    """Give a patient a slot, or consecutive slots, that nobody else holds."""

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller, request: BookingRequest) -> Appointment:
        if not caller.sees(request.patient_id):
            raise PatientNotFound(request.patient_id)
        request.demand_override_right()
        async with self.begin(caller) as work:
            now = self.now()
            facts = await work.appointments.facts_for(request, now=now)
            booking = decide_booking(request, facts, now=now)
            await let_holds_lapse(work, booking, now=now)
            work.appointments.add(booking)
        return booking.appointment

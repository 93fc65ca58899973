from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.take_a_step import take_time_anew
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.errors import AppointmentNotFound, PatientNotFound
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.moving import demand_hold
from scheduling.domain.status import Status


@dataclass(frozen=True, slots=True)
class BookHeldAppointment:
    """Make a booking of a hold: its own seats are used up, nobody else's are needed."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, hold_id: AppointmentId, request: BookingRequest
    ) -> Appointment:
        if not caller.sees(request.patient_id):
            raise PatientNotFound(request.patient_id)
        async with self.begin(caller) as work:
            held, _ = await work.appointments.to_move(hold_id)
            if not caller.sees(held.patient_id):
                raise AppointmentNotFound(hold_id)
            now = self.now()
            anybodys = caller.may(Scope.MANAGE)
            demand_hold(held, request, by=None if anybodys else caller.subject, now=now)
            return await take_time_anew(work, held, Status.BOOKED, request, now=now)

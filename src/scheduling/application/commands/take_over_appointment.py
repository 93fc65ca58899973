from dataclasses import dataclass
from datetime import datetime

from scheduling.application.ports.identity import Caller, Forbidden, Scope
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import (
    decide_booking,
)
from scheduling.domain.booking_request import (
    BookingRequest,
)
from scheduling.domain.status import Status


@dataclass(frozen=True, slots=True)
class TakeOverAppointment:
    """Keep a visit that another system booked, with the status it had there.

    Every rule of booking holds but the booking window, which is about the future. Its
    own id makes it one visit however often it is taken over.
    """

    begin: BeginWork

    async def __call__(
        self,
        caller: Caller,
        request: BookingRequest,
        *,
        booked_at: datetime,
        status: Status,
    ) -> tuple[Appointment, bool]:
        """Return the appointment, and whether it was new."""
        if not caller.may(Scope.IMPORT):
            raise Forbidden(Scope.IMPORT)
        async with self.begin(caller) as work:
            if request.id and (kept := await work.appointments.find(request.id)):
                return kept, False
            facts = await work.appointments.facts_for(request, now=booked_at)
            booking = decide_booking(request, facts, now=booked_at, past=True)
            booking = booking.taken_over_as(status, now=booked_at)
            work.appointments.add(booking)
        return booking.appointment, True

from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.let_holds_lapse import let_holds_lapse
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.errors import PatientNotFound
from scheduling.domain.series import decide_series, weekly


@dataclass(frozen=True, slots=True)
class BookSeries:
    """Give a patient the same time on the wall for some weeks: all of them, or none."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, first: BookingRequest, occurrences: int
    ) -> Sequence[Appointment]:
        """`occurrences` counts the first one. A refusal says which of them it is of."""
        if not caller.sees(first.patient_id):
            raise PatientNotFound(first.patient_id)
        async with self.begin(caller) as work:
            now = self.now()
            known = await work.appointments.facts_for(first, now=now)
            wanted = weekly(first, known, occurrences, now=now)
            others = await work.appointments.facts_for_all(wanted[1:], now=now)
            bookings = decide_series(wanted, (known, *others), now=now)
            await let_holds_lapse(work, *bookings, now=now)
            work.appointments.add_all(bookings)
        return [booking.appointment for booking in bookings]

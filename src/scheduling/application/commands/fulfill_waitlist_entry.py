from dataclasses import dataclass, replace

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Scope, StaffOnly
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.let_holds_lapse import let_holds_lapse
from scheduling.application.steps.offer_freed_time import hold_of, trade_in
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import decide_booking
from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.identifiers import WaitlistEntryId
from scheduling.domain.moving import aside
from scheduling.domain.version import ExpectedVersion, demand_version
from scheduling.domain.waitlist import WaitlistEntry


@dataclass(frozen=True, slots=True)
class FulfillWaitlistEntry:
    """Book for a patient who waits, and let the waiting end with it: by the rules of
    any booking, and both or neither. What was agreed need not be what was wished for,
    nor what is offered, which is let go.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        id: WaitlistEntryId,
        request: BookingRequest,
        *,
        expected: ExpectedVersion | None,
    ) -> tuple[WaitlistEntry, Appointment]:
        """`request` is booked in the name of the entry's patient, whatever it says."""
        if caller.patient_id is not None:
            raise StaffOnly(Scope.BOOK)
        async with self.begin(caller) as work:
            entry = await work.waitlist.get(id)
            demand_version(expected, entry.version)
            entry.demand_waiting()
            now = self.now()
            request = replace(request, patient_id=entry.patient_id)
            hold = await hold_of(work, entry, to_take=request.when)
            own = hold and hold[0]
            facts = await work.appointments.facts_for(
                request, now=now, own=None if own is None else own.id
            )
            booking = decide_booking(request, aside(own, facts), now=now)
            await let_holds_lapse(work, booking, now=now)
            await trade_in(work, hold, booking, now=now)
            work.appointments.add(booking)
            entry = entry.fulfilled(booking.appointment.id, now=now)
            work.waitlist.save(entry)
        return entry, booking.appointment

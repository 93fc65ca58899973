from dataclasses import dataclass, replace

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.take_a_step import take_time_anew
from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import WaitlistEntryNotFound
from scheduling.domain.identifiers import WaitlistEntryId
from scheduling.domain.moving import asked_again, demand_held
from scheduling.domain.status import Status
from scheduling.domain.version import ExpectedVersion, demand_version
from scheduling.domain.waitlist import WaitlistEntry


@dataclass(frozen=True, slots=True)
class AcceptWaitlistOffer:
    """Make a booking of what was offered, as of any hold, and let the waiting end with
    it: both or neither.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        id: WaitlistEntryId,
        *,
        expected: ExpectedVersion | None,
        appointment_type: str | None = None,
        reason: str | None = None,
        notes: str | None = None,
    ) -> tuple[WaitlistEntry, Appointment]:
        async with self.begin(caller) as work:
            entry = await work.waitlist.get(id)
            if not caller.sees(entry.patient_id):
                raise WaitlistEntryNotFound(id)
            demand_version(expected, entry.version)
            offer = entry.demand_offer()
            held, _ = await work.appointments.to_move(offer.appointment_id)
            now = self.now()
            demand_held(held, now)
            request = replace(
                asked_again(held),
                appointment_type=appointment_type or held.appointment_type,
                reason=reason,
                notes=notes,
            )
            booked = await take_time_anew(work, held, Status.BOOKED, request, now=now)
            fulfilled = entry.fulfilled(booked.id, now=now)
            work.waitlist.save(fulfilled)
        return fulfilled, booked

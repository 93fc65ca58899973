from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.offer_freed_time import let_go
from scheduling.domain.appointment import Initiator
from scheduling.domain.errors import WaitlistEntryNotFound
from scheduling.domain.identifiers import WaitlistEntryId
from scheduling.domain.moving import demand_held
from scheduling.domain.version import ExpectedVersion, demand_version
from scheduling.domain.waitlist import WaitlistEntry


@dataclass(frozen=True, slots=True)
class DeclineWaitlistOffer:
    """Say no to what is offered, and go on waiting for another time. The next one is
    offered it in the same transaction.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, id: WaitlistEntryId, *, expected: ExpectedVersion | None
    ) -> WaitlistEntry:
        async with self.begin(caller) as work:
            entry = await work.waitlist.get(id)
            if not caller.sees(entry.patient_id):
                raise WaitlistEntryNotFound(id)
            demand_version(expected, entry.version)
            offer = entry.demand_offer()
            hold = await work.appointments.to_move(offer.appointment_id)
            now = self.now()
            demand_held(hold[0], now)
            declined = entry.offer_declined(now=now)
            work.waitlist.save(declined)
            by = Initiator.STAFF if caller.patient_id is None else Initiator.PATIENT
            await let_go(work, offer, hold, by=by, now=now)
        return declined

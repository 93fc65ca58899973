from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.offer_freed_time import let_go
from scheduling.domain.appointment import Initiator
from scheduling.domain.errors import WaitlistEntryNotFound
from scheduling.domain.identifiers import WaitlistEntryId
from scheduling.domain.version import ExpectedVersion, demand_version
from scheduling.domain.waitlist import WaitlistEntry


@dataclass(frozen=True, slots=True)
class RemoveFromWaitlist:
    """Let a patient wait no longer; the entry stays, as removed. What is offered to
    it is declined.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        id: WaitlistEntryId,
        *,
        expected: ExpectedVersion | None,
    ) -> WaitlistEntry:
        async with self.begin(caller) as work:
            entry = await work.waitlist.get(id)
            if not caller.sees(entry.patient_id):
                raise WaitlistEntryNotFound(id)
            demand_version(expected, entry.version)
            now = self.now()
            removed = entry.removed(now=now)
            work.waitlist.save(removed)
            by = Initiator.STAFF if caller.patient_id is None else Initiator.PATIENT
            if entry.offer is not None:
                hold = await work.appointments.to_move(entry.offer.appointment_id)
                await let_go(work, entry.offer, hold, by=by, now=now)
        return removed

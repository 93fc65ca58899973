from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Scope, StaffOnly
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import PatientNotFound
from scheduling.domain.waitlist import WaitlistEntry, Wish


@dataclass(frozen=True, slots=True)
class AddToWaitlist:
    """Take down what time a patient waits for."""

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller, wish: Wish) -> WaitlistEntry:
        if not caller.sees(wish.patient_id):
            raise PatientNotFound(wish.patient_id)
        if wish.priority and caller.patient_id is not None:
            raise StaffOnly(Scope.BOOK)
        entry = WaitlistEntry.added(wish, now=self.now())
        async with self.begin(caller) as work:
            known = await work.waitlist.known(wish)
            known.demand_all_of(wish)
            work.waitlist.save(entry)
        return entry

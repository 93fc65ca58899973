from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Scope, StaffOnly
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.offer_freed_time import offer_chosen
from scheduling.application.steps.who_waits_for import who_comes_next
from scheduling.domain.freed_time import TimeToOffer
from scheduling.domain.identifiers import SlotId, WaitlistEntryId
from scheduling.domain.version import ExpectedVersion, demand_version
from scheduling.domain.waitlist import WaitlistEntry


@dataclass(frozen=True, slots=True)
class MakeWaitlistOffer:
    """Keep a free slot for one who waits, and let them be asked, as freed time is kept
    where the organisation offers it by itself; staff may whether it does or not. Where
    it does, whoever comes next is asked after them.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        id: WaitlistEntryId,
        slot_id: SlotId,
        *,
        appointment_type: str,
        expected: ExpectedVersion | None,
    ) -> WaitlistEntry:
        """`appointment_type` is of entries that name no service type."""
        if caller.patient_id is not None:
            raise StaffOnly(Scope.BOOK)
        async with self.begin(caller) as work:
            entry = await work.waitlist.get(id)
            demand_version(expected, entry.version)
            entry.demand_askable()
            now = self.now()
            time = TimeToOffer.chosen(
                slot_id,
                await who_comes_next(work, slot_id, now=now),
                appointment_type=appointment_type,
                now=now,
            )
            return await offer_chosen(work, entry, time, now=now)

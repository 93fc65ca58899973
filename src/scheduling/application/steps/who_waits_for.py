"""Who waits for a slot that is free, by the rules by which freed time is told."""

from datetime import datetime

from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.domain.freed_time import FreeSlot, candidates_for
from scheduling.domain.identifiers import SlotId
from scheduling.domain.waitlist import WaitlistEntry


async def who_waits_for(
    work: UnitOfWork, id: SlotId, *, now: datetime
) -> tuple[WaitlistEntry, ...]:
    """Return them best first; nobody where it cannot be booked. Raise SlotNotFound."""
    free = FreeSlot((await work.schedule_lists.slot(id, now)).slot)
    if not free.stretches(now):
        return ()
    (facts,) = await work.waitlist.candidates([free], now)
    return candidates_for(free, facts, now=now)


async def who_comes_next(
    work: UnitOfWork, id: SlotId, *, now: datetime
) -> tuple[WaitlistEntry, ...]:
    """As `who_waits_for`, where one is asked after the other; elsewhere nobody."""
    if not (await work.settings.get()).waitlist_offers:
        return ()
    return await who_waits_for(work, id, now=now)

"""End what is offered to an entry the way in which its hold has gone."""

from datetime import datetime

from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.application.steps.offer_freed_time import let_go
from scheduling.domain.waitlist import WaitlistEntry
from scheduling.domain.waitlist_offer import OfferStatus, what_became_of


async def settle_offer(
    work: UnitOfWork, entry: WaitlistEntry, *, now: datetime
) -> bool:
    """Tell whether there was an offer that is over.

    Who books where limits are set waits for a turn before a row is locked, so we do.

    Time that was given back at the desk was told to who waits already, and begins anew
    with that.
    """
    offer = entry.offer
    if offer is None:
        return False
    hold = await work.appointments.to_move(offer.appointment_id)
    match what_became_of(hold[0], now):
        case OfferStatus.OFFERED:
            return False
        case OfferStatus.ACCEPTED:
            work.waitlist.save(entry.fulfilled(offer.appointment_id, now=now))
        case OfferStatus.DECLINED:
            work.waitlist.save(entry.offer_declined(now=now))
        case OfferStatus.EXPIRED:
            work.waitlist.save(entry.offer_expired(now=now))
            await let_go(work, offer, hold, now=now)
    return True

"""Freed time is kept for the best of those who wait; what they do not take, for the
next. Nobody is booked by that.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.application.steps.let_holds_lapse import let_holds_lapse
from scheduling.application.steps.tell_the_waitlist import tell_the_waitlist
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.booking import Booking
from scheduling.domain.booking_request import BySlot, ByStart
from scheduling.domain.errors import DomainError
from scheduling.domain.freed_time import (
    NOBODYS,
    GivenBack,
    TimeToOffer,
    decide_chosen_offer,
    decide_offer,
)
from scheduling.domain.identifiers import PatientId
from scheduling.domain.slot import Slot
from scheduling.domain.status import Status
from scheduling.domain.waitlist import WaitlistEntry
from scheduling.domain.waitlist_offer import OfferStatus, WaitlistOffer, what_became_of

Offered: TypeAlias = tuple[WaitlistEntry, Booking]
Hold: TypeAlias = tuple[Appointment, tuple[Slot, ...]]


async def find_who_takes_it(
    work: UnitOfWork,
    time: TimeToOffer,
    *,
    instead_of: Appointment | None = None,
    but: Collection[PatientId] = (),
    now: datetime,
) -> Offered | None:
    """Return the first of the candidates who can still have it, with the hold; None
    where nobody can, or the organisation does not offer freed time.
    """
    if not (await work.settings.get()).waitlist_offers:
        return None
    for entry in await work.waitlist.askable(time.source_event_id, time.candidates):
        if entry.patient_id in but:
            continue
        try:
            booking = await _held_for(work, entry, time, instead_of, now)
        except NOBODYS:
            return None
        except DomainError:
            continue  # not for this one: another appointment, too many holds
        if booking is not None:
            return _offered(entry, time, booking, now), booking
    return None


def _offered(
    entry: WaitlistEntry, time: TimeToOffer, booking: Booking, now: datetime
) -> WaitlistEntry:
    return entry.offered(
        booking.appointment,
        source_event_id=time.source_event_id,
        candidates=time.candidates,
        now=now,
    )


async def offer_chosen(
    work: UnitOfWork, entry: WaitlistEntry, time: TimeToOffer, *, now: datetime
) -> WaitlistEntry:
    """Keep it for whom somebody chose, or raise what speaks against it."""
    await work.appointments.one_hold_at_a_time(entry.patient_id)
    facts = await work.appointments.facts_for(
        time.wanted_by(entry), now=now, holding=True
    )
    booking = decide_chosen_offer(entry, time, facts, now=now)
    offered = _offered(entry, time, booking, now)
    await keep_for(work, (offered, booking), now=now)
    return offered


async def _held_for(
    work: UnitOfWork,
    entry: WaitlistEntry,
    time: TimeToOffer,
    instead_of: Appointment | None,
    now: datetime,
) -> Booking | None:
    await work.appointments.one_hold_at_a_time(entry.patient_id)
    facts = await work.appointments.facts_for(
        time.wanted_by(entry),
        now=now,
        own=None if instead_of is None else instead_of.id,
        holding=True,
    )
    return decide_offer(entry, time, facts, instead_of=instead_of, now=now)


async def keep_for(work: UnitOfWork, offered: Offered, *, now: datetime) -> None:
    """Store the hold, and tell who is to be asked."""
    entry, booking = offered
    await let_holds_lapse(work, booking, now=now)
    work.appointments.add(booking)
    work.waitlist.save(entry)


async def let_go(
    work: UnitOfWork,
    offer: WaitlistOffer,
    hold: Hold,
    *,
    by: Initiator = Initiator.SYSTEM,
    now: datetime,
) -> None:
    """Give the time of an offer that is over to who comes next, at once: nobody else
    can have it in between. After the last one it is everybody's.

    A hold that is none any more has given its time back before; what others did not
    take of it is offered all the same, where nobody answered. What was offered to one
    alone is told to who waits, as of any hold that is let go.
    """
    held, slots = hold
    if what_became_of(held, now) not in {OfferStatus.OFFERED, OfferStatus.EXPIRED}:
        return
    own = held if held.status is Status.PENDING else None
    again = TimeToOffer.again(offer, held)
    found = await find_who_takes_it(work, again, instead_of=own, now=now)
    if own is not None:
        taken = found[1].seats if found else ()
        freed = [slot for slot in held.freed(slots, now) if slot.id not in taken]
        ended = _ended(held, by, now)
        work.appointments.release(ended, freed)
        if not offer.candidates:
            await tell_the_waitlist(work, GivenBack(held, ended, tuple(freed)), now=now)
        work.appointments.then()
    if found is not None:
        await keep_for(work, found, now=now)


def _ended(held: Appointment, by: Initiator, now: datetime) -> Appointment:
    return held.lapsed(now) or held.cancel(
        reason_code=CancelReason.OTHER, initiated_by=by, comment=None, now=now
    )


async def hold_of(
    work: UnitOfWork, entry: WaitlistEntry, *, to_take: BySlot | ByStart
) -> Hold | None:
    """Return the hold of what is offered to it, with its slots, all locked, after who
    moves what is with its practitioner or the one to take time with; None where nothing
    is, or the hold has gone.
    """
    if entry.offer is None:
        return None
    hold = await work.appointments.to_move(
        entry.offer.appointment_id,
        slot_id=to_take.slot_id if isinstance(to_take, BySlot) else None,
        practitioner_id=to_take.practitioner_id
        if isinstance(to_take, ByStart)
        else None,
    )
    return hold if hold[0].status is Status.PENDING else None


async def trade_in(
    work: UnitOfWork,
    hold: Hold | None,
    booking: Booking,
    *,
    now: datetime,
) -> None:
    """Let a hold go for a booking, which may take its seats. Who waits is told of what
    it leaves, as of an appointment that moves.
    """
    if hold is None:
        return
    held, slots = hold
    ended = _ended(held, Initiator.STAFF, now)
    freed = held.freed(slots, now)
    told = [slot for slot in freed if slot.id not in booking.seats]
    work.appointments.release(ended, told)
    moved = replace(booking.appointment, version=ended.version)
    await tell_the_waitlist(work, GivenBack(held, moved, tuple(told)), now=now)
    work.appointments.then()

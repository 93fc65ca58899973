"""Time that an appointment gave back, or that is free, and who of those who wait to
tell of it, or to keep it for. Neither books anybody.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self, TypeAlias

from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import Booking, BookingFacts, decide_hold, find_place
from scheduling.domain.booking_request import BookingRequest, BySlot, ByStart
from scheduling.domain.claim import SOMEBODY, ActorKind, Claim
from scheduling.domain.errors import (
    BufferTimeConflict,
    InvalidInput,
    NotBookable,
    OutsideBookingWindow,
    OutsideSchedule,
    PractitionerNotAssigned,
    PractitionerNotAvailable,
    SlotNotAvailable,
)
from scheduling.domain.events import WaitlistCandidate, WaitlistSlotAvailable
from scheduling.domain.identifiers import (
    AppointmentId,
    PatientId,
    SlotId,
    WaitlistEntryId,
    new_id,
)
from scheduling.domain.moving import aside
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot
from scheduling.domain.waitlist import WaitlistEntry, WaitlistStatus
from scheduling.domain.waitlist_offer import WAITLIST, WaitlistOffer

MOST_CANDIDATES = 20
"""How many are told of one freed time; the first of them are the first to be asked."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A slot with a seat left, as far as the appointment reached into it."""

    slot: Slot
    period: Period


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A step by which an appointment left time that it held: how it was, how it is, and
    the slots that it held, with their seats given back. `others` are the patients who
    left some of these slots together with it.
    """

    before: Appointment
    after: Appointment
    slots: tuple[Slot, ...]
    others: frozenset[PatientId] = frozenset()

    @property
    def patient_ids(self) -> frozenset[PatientId]:
        """Who gave the time back, and is not told of it."""
        return self.others | {self.before.patient_id}

    @property
    def leaving(self) -> tuple[AppointmentId, ...]:
        """Whose time storage still knows of, and is not in the way."""
        return (self.before.id,)

    def stretches(self, now: datetime) -> tuple[Stretch, ...]:
        """What is free in itself by this step; other rules may still be in its way."""
        if not self.before.status.keeps_time:
            return ()
        kept = self.after.slot_ids if self.after.status.keeps_time else ()
        end = self.before.period.end
        return tuple(
            Stretch(slot, Period(slot.period.start, min(slot.period.end, end)))
            for slot in sorted(self.slots, key=lambda slot: slot.period.start)
            if slot.remaining and slot.id not in kept and now < slot.period.start < end
        )


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A slot as it is now, whoever left it and when: all of it is free, or nothing."""

    slot: Slot
    patient_ids: frozenset[PatientId] = frozenset()
    leaving: tuple[AppointmentId, ...] = ()

    def stretches(self, now: datetime) -> tuple[Stretch, ...]:
        slot = self.slot
        free = slot.remaining > 0 and now < slot.period.start
        return (Stretch(slot, slot.period),) if free else ()


FreeTime: TypeAlias = GivenBack | FreeSlot


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry, and its patient's claims around the freed time."""

    entry: WaitlistEntry
    patient_active: bool
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class WaitlistFacts:
    """`booking` is what is known of the practitioner and the place, without the claims
    of the appointment that gave its time back, and without slots.
    """

    booking: BookingFacts
    waiting: tuple[Waiting, ...]


def suits(one: Waiting, free: FreeTime, stretch: Stretch, now: datetime) -> bool:
    """Whether the patient of an entry could come to a free stretch, and wants to."""
    entry = one.entry
    return (
        entry.status is WaitlistStatus.WAITING
        and one.patient_active
        and entry.patient_id not in free.patient_ids
        and entry.wants(stretch.slot, stretch.period)
        and not any(
            claim.period.overlaps(stretch.period) and not claim.has_lapsed(now)
            for claim in one.claims
        )
    )


def announcement(
    given_back: GivenBack, facts: WaitlistFacts, *, now: datetime
) -> WaitlistSlotAvailable | None:
    """Return the one piece of news of a freed time: what of it can be booked now, and
    who waits for it, best first; None where it is nobody's news.
    """
    before = given_back.before
    known = _as_it_will_be(facts.booking, before, given_back.after)
    free = tuple(_that_can_be_booked(given_back, known, now))
    ranked = _ranked(given_back, free, facts.waiting, now)
    if not ranked:
        return None
    return WaitlistSlotAvailable(
        occurred_at=now,
        version=given_back.after.version,
        appointment_id=before.id,
        patient_id=before.patient_id,
        practitioner_id=before.practitioner_id,
        location_id=before.location_id,
        slot_ids=tuple(stretch.slot.id for stretch in free),
        period=Period(free[0].period.start, free[-1].period.end),
        timezone=before.timezone,
        appointment_type=before.appointment_type,
        candidates=tuple(
            WaitlistCandidate(waitlist_entry_id=entry.id, patient_id=entry.patient_id)
            for entry in ranked
        ),
    )


def candidates_for(
    free: FreeSlot, facts: WaitlistFacts, *, now: datetime
) -> tuple[WaitlistEntry, ...]:
    """Return who waits for a slot that can be booked now, as an announcement of it
    would name them: best first.
    """
    bookable = tuple(_that_can_be_booked(free, facts.booking, now))
    return _ranked(free, bookable, facts.waiting, now)


def _ranked(
    free: FreeTime,
    bookable: tuple[Stretch, ...],
    waiting: Iterable[Waiting],
    now: datetime,
) -> tuple[WaitlistEntry, ...]:
    ranked = sorted(
        (
            one.entry
            for one in waiting
            if any(suits(one, free, stretch, now) for stretch in bookable)
        ),
        key=lambda entry: entry.rank,
    )
    return tuple(ranked[:MOST_CANDIDATES])


def _that_can_be_booked(
    free: FreeTime, facts: BookingFacts, now: datetime
) -> Iterator[Stretch]:
    """Ask what booking asks: what is told here, booking would accept."""
    for stretch in free.stretches(now):
        slot = stretch.slot
        wanted = BookingRequest(
            patient_id=PatientId(SOMEBODY),
            when=ByStart(slot.practitioner_id, slot.location_id, stretch.period),
            appointment_type="any",  # no rule asks for it
        )
        try:
            find_place(
                AppointmentId(SOMEBODY), wanted, replace(facts, slots=(slot,)), now=now
            )
        except NotBookable:
            continue
        yield stretch


def _as_it_will_be(
    facts: BookingFacts, before: Appointment, after: Appointment
) -> BookingFacts:
    """Storage does not know yet where the appointment has moved to, if it did, perhaps
    to another practitioner; the facts are of the one it was with.
    """
    if not after.status.keeps_time:
        return facts
    start, schedule = after.period.start, after.schedule_id
    still_theirs = after.practitioner_id == before.practitioner_id
    claim = Claim(
        appointment_id=after.id,
        kind=ActorKind.PRACTITIONER,
        actor_id=after.practitioner_id,
        share_id=after.id,
        period=after.period,
        until=after.period.end + facts.settings.buffer,
    )
    return replace(
        facts,
        claims=(*facts.claims, claim),
        taken=(*facts.taken, start) if still_theirs else facts.taken,
        taken_of={
            **facts.taken_of,
            schedule: (*facts.taken_of.get(schedule, ()), start),
        },
    )


@dataclass(frozen=True, slots=True)
class TimeToOffer:
    """Free time, by which news, and who waits for it, best first; `candidates` are none
    where nobody is to be asked after the first.
    """

    source_event_id: str
    candidates: tuple[WaitlistEntryId, ...]
    when: BySlot | ByStart
    appointment_type: str

    @classmethod
    def chosen(
        cls,
        slot_id: SlotId,
        candidates: Iterable[WaitlistEntry],
        *,
        appointment_type: str,
        now: datetime,
    ) -> Self:
        """Return a slot that somebody offers: there was no news of it, so whoever was
        asked of that time before may be asked again.
        """
        ids = tuple(entry.id for entry in candidates)
        return cls(str(new_id(now)), ids, BySlot(slot_id), appointment_type)

    @classmethod
    def again(cls, offer: WaitlistOffer, hold: Appointment) -> Self:
        """Return what was offered, for whoever comes next: it is where the hold is."""
        return cls(
            offer.source_event_id,
            offer.candidates,
            ByStart(hold.practitioner_id, hold.location_id, hold.period),
            hold.appointment_type,
        )

    def wanted_by(self, entry: WaitlistEntry) -> BookingRequest:
        return BookingRequest(
            patient_id=entry.patient_id,
            when=self.when,
            appointment_type=entry.service_type or self.appointment_type,
        )


NOBODYS = (
    SlotNotAvailable,
    OutsideSchedule,
    OutsideBookingWindow,
    PractitionerNotAssigned,
    PractitionerNotAvailable,
    BufferTimeConflict,
)
"""Refusals that are of the time: the next one would meet them as well."""


def decide_offer(
    entry: WaitlistEntry,
    time: TimeToOffer,
    facts: BookingFacts,
    *,
    instead_of: Appointment | None = None,
    now: datetime,
) -> Booking | None:
    """Hold it for a patient who waits, by the rules of any hold; None where it is not
    what was wished for. `instead_of` is a hold that goes: it is not in the way.
    """
    facts = aside(instead_of, facts)
    held = decide_hold(time.wanted_by(entry), facts, by=WAITLIST, now=now)
    period = held.appointment.period
    slots = [slot for slot in facts.slots if slot.id in held.seats]
    return held if all(entry.wants(slot, period) for slot in slots) else None


def decide_chosen_offer(
    entry: WaitlistEntry, time: TimeToOffer, facts: BookingFacts, *, now: datetime
) -> Booking:
    """As `decide_offer`, where it is no other's turn: raise what speaks against it."""
    held = decide_offer(entry, time, facts, now=now)
    if held is None:
        raise InvalidInput("is not the time that the entry waits for", "slotId")
    return held

"""Time that an appointment gave back, and who of those who wait to tell of it, or to
keep it for. Neither books anybody.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import Booking, BookingFacts, decide_hold, find_place
from scheduling.domain.booking_request import BookingRequest, ByStart
from scheduling.domain.claim import SOMEBODY, ActorKind, Claim
from scheduling.domain.errors import (
    BufferTimeConflict,
    NotBookable,
    OutsideBookingWindow,
    OutsideSchedule,
    PractitionerNotAssigned,
    PractitionerNotAvailable,
    SlotNotAvailable,
)
from scheduling.domain.events import WaitlistCandidate, WaitlistSlotAvailable
from scheduling.domain.identifiers import AppointmentId, PatientId, WaitlistEntryId
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


def suits(one: Waiting, given_back: GivenBack, stretch: Stretch, now: datetime) -> bool:
    """Whether the patient of an entry could come to a freed stretch, and wants to."""
    entry = one.entry
    return (
        entry.status is WaitlistStatus.WAITING
        and one.patient_active
        and entry.patient_id not in given_back.patient_ids
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
    free = tuple(_that_can_be_booked(given_back, facts.booking, now))
    ranked = sorted(
        (
            one.entry
            for one in facts.waiting
            if any(suits(one, given_back, stretch, now) for stretch in free)
        ),
        key=lambda entry: entry.rank,
    )
    if not ranked:
        return None
    before = given_back.before
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
            for entry in ranked[:MOST_CANDIDATES]
        ),
    )


def _that_can_be_booked(
    given_back: GivenBack, facts: BookingFacts, now: datetime
) -> Iterator[Stretch]:
    """Ask what booking asks: what is told here, booking would accept."""
    facts = _as_it_will_be(facts, given_back.before, given_back.after)
    for stretch in given_back.stretches(now):
        slot = stretch.slot
        wanted = BookingRequest(
            patient_id=PatientId(SOMEBODY),
            when=ByStart(slot.practitioner_id, slot.location_id, stretch.period),
            appointment_type=given_back.before.appointment_type,
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
    """Freed time, by which news, and who waits for it, best first."""

    source_event_id: str
    candidates: tuple[WaitlistEntryId, ...]
    when: ByStart
    appointment_type: str

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

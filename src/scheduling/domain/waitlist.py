"""Patients who wait for time that is not to be had yet, and who of them to tell of time
that an appointment gave back. Telling books nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import BookingFacts, find_place
from scheduling.domain.booking_request import BookingRequest, ByStart
from scheduling.domain.claim import SOMEBODY, ActorKind, Claim
from scheduling.domain.errors import (
    InvalidInput,
    InvalidPeriod,
    InvalidStatusTransition,
    LocationNotFound,
    NotBookable,
    PatientNotFound,
    PractitionerNotFound,
)
from scheduling.domain.events import (
    Event,
    WaitlistCandidate,
    WaitlistFulfilled,
    WaitlistSlotAvailable,
)
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    WaitlistEntryId,
    new_id,
)
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot

LONGEST_WISH = timedelta(days=366)
MOST_CANDIDATES = 20
"""How many are told of one freed time; the first of them are the first to be asked."""


class WaitlistStatus(StrEnum):
    WAITING = "waiting"
    FULFILLED = "fulfilled"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A patient wants time wholly between `earliest` and `latest`; no practitioner and
    no location means any. A higher priority comes first.
    """

    patient_id: PatientId
    practitioner_ids: tuple[PractitionerId, ...] = ()
    location_ids: tuple[LocationId, ...] = ()
    service_type: str | None = None
    earliest: datetime
    latest: datetime
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistEntry(Wish):
    """A wish that was taken down, and what became of it."""

    id: WaitlistEntryId
    status: WaitlistStatus = WaitlistStatus.WAITING
    appointment_id: AppointmentId | None = None
    created_at: datetime
    updated_at: datetime
    version: int = 1
    events: tuple[Event, ...] = ()

    @classmethod
    def added(cls, wish: Wish, *, now: datetime) -> Self:
        if wish.latest <= wish.earliest:
            raise InvalidPeriod("must be after earliest", "latest")
        if wish.latest <= now:
            raise InvalidInput("must be in the future", "latest")
        if wish.latest - wish.earliest > LONGEST_WISH:
            raise InvalidInput(
                f"must be {LONGEST_WISH.days} days after earliest at most", "latest"
            )
        return cls(
            id=WaitlistEntryId(new_id(now)),
            patient_id=wish.patient_id,
            practitioner_ids=wish.practitioner_ids,
            location_ids=wish.location_ids,
            service_type=wish.service_type,
            earliest=wish.earliest,
            latest=wish.latest,
            priority=wish.priority,
            created_at=now,
            updated_at=now,
        )

    def fulfilled(self, appointment_id: AppointmentId, *, now: datetime) -> Self:
        ended = self._ended(WaitlistStatus.FULFILLED, now)
        event = WaitlistFulfilled(
            occurred_at=now,
            version=ended.version,
            waitlist_entry_id=self.id,
            patient_id=self.patient_id,
            appointment_id=appointment_id,
        )
        return replace(ended, appointment_id=appointment_id, events=(event,))

    def removed(self, *, now: datetime) -> Self:
        return self._ended(WaitlistStatus.REMOVED, now)

    def demand_waiting(self) -> None:
        if self.status is not WaitlistStatus.WAITING:
            raise InvalidStatusTransition(
                f"Waitlist entry {self.id} is {self.status}: it waits no more."
            )

    def _ended(self, status: WaitlistStatus, now: datetime) -> Self:
        self.demand_waiting()
        return replace(
            self, status=status, version=self.version + 1, updated_at=now, events=()
        )

    @property
    def rank(self) -> tuple[int, datetime, UUID]:
        """Priority, then who has waited longest."""
        return -self.priority, self.created_at, self.id


@dataclass(frozen=True, slots=True)
class Known:
    """Who of those that a wish names is there; `patient_active` is None where the
    patient is not.
    """

    patient_active: bool | None
    practitioner_ids: frozenset[UUID]
    location_ids: frozenset[UUID]

    def demand_all_of(self, wish: Wish) -> None:
        if not self.patient_active:
            raise PatientNotFound(wish.patient_id)
        for practitioner_id in wish.practitioner_ids:
            if practitioner_id not in self.practitioner_ids:
                raise PractitionerNotFound(practitioner_id)
        for location_id in wish.location_ids:
            if location_id not in self.location_ids:
                raise LocationNotFound(location_id)


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
    entry, slot = one.entry, stretch.slot
    return (
        entry.status is WaitlistStatus.WAITING
        and one.patient_active
        and entry.patient_id not in given_back.patient_ids
        and _names(slot.practitioner_id, entry.practitioner_ids)
        and _names(slot.location_id, entry.location_ids)
        and (
            entry.service_type is None or _names(entry.service_type, slot.service_types)
        )
        and entry.earliest <= stretch.period.start
        and stretch.period.end <= entry.latest
        and not any(
            claim.period.overlaps(stretch.period) and not claim.has_lapsed(now)
            for claim in one.claims
        )
    )


def _names(one: object, some: tuple[object, ...]) -> bool:
    """Whether one of them is meant; none is any."""
    return not some or one in some


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

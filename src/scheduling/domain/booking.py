"""The decision to book: what is known, and the order of the checks."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, Self

from scheduling.domain.appointment import Appointment
from scheduling.domain.availability import (
    Assignment,
    BookingWindow,
    Taken,
    monday_of,
    reasons_against,
    why_not_there,
)
from scheduling.domain.booking_request import BookingRequest, BySlot, ByStart, Hold
from scheduling.domain.chains import Chain, claims_on, covering, has_a_seat, to_prefer
from scheduling.domain.claim import (
    ActorKind,
    Claim,
    clashes,
    pairs_in_the_way,
)
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import (
    BookingLimitReached,
    BufferTimeConflict,
    DoubleBookingDetected,
    InvalidInput,
    LocationNotFound,
    NotBookable,
    OutsideSchedule,
    PatientNotFound,
    PractitionerNotAssigned,
    PractitionerNotAvailable,
    PractitionerNotFound,
    SlotNotAvailable,
    SlotNotFound,
)
from scheduling.domain.identifiers import (
    AppointmentId,
    ScheduleId,
    SlotId,
    new_id,
)
from scheduling.domain.period import Period, day_in, local_day
from scheduling.domain.reminder import Reminder, reminders_for
from scheduling.domain.settings import NO_RULES_OF_ITS_OWN, CalendarRules, Settings
from scheduling.domain.slot import Slot, SlotStatus
from scheduling.domain.status import Status

MOST_SLOTS = 96
MOST_HOLDS = 3

_OVERRIDABLE = (SlotNotAvailable, DoubleBookingDetected, BufferTimeConflict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFacts:
    """What storage knows of a request; None where it knows no such thing.

    `slots` are those that may serve, `rules` what their schedules decide themselves,
    `claims` those of the actors around the time, lapsed ones too. `taken` are the
    starts of the practitioner's appointments in the local week, `taken_of` those on
    each schedule; both are read only where a limit is set. `live_holds` of the patient
    are counted only for one who wants another.
    """

    settings: Settings
    patient_active: bool | None
    preferences: ContactPreferences
    practitioner_active: bool | None
    location_active: bool | None
    location_timezone: str
    assignments: tuple[Assignment, ...]
    has_schedule: bool
    slots: tuple[Slot, ...]
    claims: tuple[Claim, ...]
    rules: Mapping[ScheduleId, CalendarRules] = field(default_factory=dict)
    taken: tuple[datetime, ...] = ()
    taken_of: Mapping[ScheduleId, tuple[datetime, ...]] = field(default_factory=dict)
    live_holds: int = 0

    @property
    def limited(self) -> bool:
        return self.settings.limits.any or any(
            rules.limits.any for rules in self.rules.values()
        )

    def rules_of(self, slot: Slot) -> CalendarRules:
        return self.rules.get(slot.schedule_id, NO_RULES_OF_ITS_OWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """An appointment and all that storage writes with it.

    `lapsed` are holds that have run out and of which seats or claims are still there:
    they have to go first.
    """

    appointment: Appointment
    claims: tuple[Claim, ...]
    seats: tuple[SlotId, ...]
    reminders: tuple[Reminder, ...]
    lapsed: tuple[AppointmentId, ...] = ()

    def as_proposal(self) -> Self:
        """Wished for, by all rules of booking, and not had: it takes nothing yet."""
        proposed = replace(self.appointment, status=Status.PROPOSED, events=())
        return replace(
            self,
            appointment=proposed.created(),
            claims=(),
            seats=(),
            reminders=(),
            lapsed=(),
        )

    def taken_over_as(self, status: Status, *, now: datetime) -> Self:
        """A visit of the past: it holds its time only where its status does, and
        `completed` keeps the past as it was.
        """
        holds = status.takes_time or status is Status.COMPLETED
        return replace(
            self,
            appointment=self.appointment.taken_over_as(status, now=now),
            claims=self.claims if holds else (),
            seats=self.seats if holds else (),
            reminders=self.reminders if status.takes_time else (),
        )


def decide_hold(
    request: BookingRequest,
    facts: BookingFacts,
    *,
    by: str,
    now: datetime,
) -> Booking:
    """Keep the seats for the time that the organisation gives."""
    if facts.live_holds >= MOST_HOLDS:
        raise BookingLimitReached(f"A patient has {MOST_HOLDS} holds at the most.")
    until = now + facts.settings.hold
    return decide_booking(replace(request, hold=Hold(until, by)), facts, now=now)


@dataclass(frozen=True, slots=True)
class Place:
    """Slots of one schedule that hold a period, and what they would take."""

    slots: tuple[Slot, ...]
    period: Period
    claims: tuple[Claim, ...]
    overbooked: bool
    lapsed: tuple[AppointmentId, ...]

    @property
    def slot_ids(self) -> tuple[SlotId, ...]:
        return tuple(slot.id for slot in self.slots)


def decide_booking(
    request: BookingRequest, facts: BookingFacts, *, now: datetime, past: bool = False
) -> Booking:
    """Book or hold, or raise the first refusal in the order that domain rules give.

    `past`: a visit taken over from another system; the booking window is not asked.
    """
    request.demand_override_right()
    if not facts.patient_active:
        raise PatientNotFound(request.patient_id)
    id = request.id or AppointmentId(new_id(now))
    place = find_place(id, request, facts, now=now, any_time=past)
    first, hold = place.slots[0], request.hold
    series_id, series_index = request.series or (None, None)
    appointment = Appointment(
        id=id,
        patient_id=request.patient_id,
        practitioner_id=first.practitioner_id,
        location_id=first.location_id,
        schedule_id=first.schedule_id,
        slot_ids=place.slot_ids,
        period=place.period,
        timezone=first.timezone,
        appointment_type=request.appointment_type,
        status=Status.PENDING if hold else Status.BOOKED,
        created_at=now,
        updated_at=now,
        reason=request.reason,
        notes=request.notes,
        resources=request.resources,
        overbooked=place.overbooked,
        override_reason=request.override.reason
        if request.override and place.overbooked
        else None,
        hold_expires_at=hold.until if hold else None,
        held_by=hold.by if hold else None,
        series_id=series_id,
        series_index=series_index,
    ).created()
    return Booking(
        appointment=appointment,
        claims=place.claims,
        seats=appointment.slot_ids,
        reminders=()
        if past or hold
        else reminders_for(
            place.period.start,
            settings=facts.settings,
            preferences=facts.preferences,
            now=now,
        ),
        lapsed=place.lapsed,
    )


def find_place(
    id: AppointmentId,
    request: BookingRequest,
    facts: BookingFacts,
    *,
    now: datetime,
    any_time: bool = False,
) -> Place:
    """Return where the appointment can be, or raise what speaks against it.

    `any_time`: it may begin in the past, too soon or too far ahead.
    """
    facts, lapsed = _as_of(facts, now)
    chains, period = _chains_for(request, facts)
    tried = [
        _try(id, slots, period, request, facts, now=None if any_time else now)
        for slots in chains
    ]
    best = min(tried, key=lambda one: (one.refusal is not None, one.overbooked))
    if best.refusal is not None:
        raise best.refusal
    claims = best.claims
    if best.overbooked:
        claims = _given_way(claims, facts.claims)
    return Place(best.slots, period, claims, best.overbooked, lapsed)


def _as_of(
    facts: BookingFacts, now: datetime
) -> tuple[BookingFacts, tuple[AppointmentId, ...]]:
    """Take holds that have run out for gone: their claims and their seats."""
    gone = [claim for claim in facts.claims if claim.has_lapsed(now)]
    if not gone:
        return facts, ()
    seats = Counter(c.share_id for c in gone if c.kind is ActorKind.PRACTITIONER)
    standing = tuple(claim for claim in facts.claims if not claim.has_lapsed(now))
    slots = tuple(
        replace(slot, booked=max(0, slot.booked - seats[slot.id]))
        for slot in facts.slots
    )
    lapsed = tuple(dict.fromkeys(claim.appointment_id for claim in gone))
    return replace(facts, claims=standing, slots=slots), lapsed


def _given_way(
    claims: tuple[Claim, ...], standing: tuple[Claim, ...]
) -> tuple[Claim, ...]:
    """Mark the claims that lie upon others by override. Nobody overrode the rest: there
    the database still decides.
    """
    over = {id(claim) for claim, _ in pairs_in_the_way(claims, standing)}
    return tuple(replace(c, overbooked=True) if id(c) in over else c for c in claims)


def week_of(slot: Slot) -> Period:
    """Return the local week, from Monday, that a slot counts in."""
    monday = monday_of(local_day(slot.period.start, slot.timezone))
    return day_in(slot.timezone, monday, days=7)


def _chains_for(
    request: BookingRequest, facts: BookingFacts
) -> tuple[tuple[Chain, ...], Period]:
    """Check practitioner, location and assignment; find the slots that serve: one
    chain of them or, where slots lie upon each other, several.
    """
    when = request.when
    if isinstance(when, BySlot):
        if not facts.slots or facts.slots[0].status is SlotStatus.ENTERED_IN_ERROR:
            raise SlotNotFound(when.slot_id)
        slot = facts.slots[0]
        when = ByStart(slot.practitioner_id, slot.location_id, slot.period)
        chains: tuple[Chain, ...] = ((slot,),)
    else:
        suits = to_prefer(facts.slots, when.period, request, facts.claims)
        chains = covering(facts.slots, when.period, suits=suits)
        if any(len(chain) > MOST_SLOTS for chain in chains):
            raise InvalidInput(
                f"an appointment takes {MOST_SLOTS} slots at the most",
                "durationMinutes",
            )
    timezone = chains[0][0].timezone if chains else facts.location_timezone
    if facts.practitioner_active is None:
        raise PractitionerNotFound(when.practitioner_id)
    if not facts.practitioner_active:
        raise PractitionerNotAvailable(
            f"Practitioner {when.practitioner_id} takes no appointments."
        )
    if facts.location_active is None:
        raise LocationNotFound(when.location_id)
    if not facts.location_active:
        raise PractitionerNotAssigned(
            f"Location {when.location_id} takes no appointments."
        )
    not_there = why_not_there(
        facts.assignments,
        when.period,
        timezone,
        has_schedule=facts.has_schedule,
    )
    if not_there is not None:
        raise not_there
    if not chains:
        raise OutsideSchedule(
            f"No slots of one schedule hold {when.period.start.isoformat()} to "
            f"{when.period.end.isoformat()}."
        )
    return chains, when.period.in_utc()


class _Tried(NamedTuple):
    """What the slots would take, and why they cannot be had; `overbooked`: only since
    somebody insists.
    """

    slots: Chain
    claims: tuple[Claim, ...]
    refusal: NotBookable | None
    overbooked: bool


def _try(
    id: AppointmentId,
    slots: Chain,
    period: Period,
    request: BookingRequest,
    facts: BookingFacts,
    *,
    now: datetime | None,
) -> _Tried:
    first = slots[0]
    buffer = facts.settings.buffer
    claims = claims_on(slots, period, request, id=id, buffer=buffer)
    window = (
        None
        if now is None
        else BookingWindow.of(
            facts.settings, facts.rules_of(first), now=now, timezone=first.timezone
        )
    )
    against = reasons_against(
        period.start,
        window=window,
        has_seat=all(map(has_a_seat, slots)),
        clashes=clashes(claims, facts.claims),
        limit_reached=_limit_reached(first, facts),
    )
    if request.override is None or not all(slot.is_open for slot in slots):
        return _Tried(slots, claims, next(against, None), overbooked=False)
    reasons = list(against)
    stay = (one for one in reasons if not isinstance(one, _OVERRIDABLE))
    return _Tried(slots, claims, next(stay, None), overbooked=bool(reasons))


def _limit_reached(slot: Slot, facts: BookingFacts) -> bool:
    day = local_day(slot.period.start, slot.timezone)
    if Taken.of(facts.taken, slot.timezone).reaches(facts.settings.limits, day):
        return True
    here = Taken.of(facts.taken_of.get(slot.schedule_id, ()), slot.timezone)
    return here.reaches(facts.rules_of(slot).limits, day)

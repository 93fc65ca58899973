"""The decision to book: what was asked, what is known, and the order of the checks."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from scheduling.domain.appointment import Appointment, Status
from scheduling.domain.availability import (
    Assignment,
    BookingWindow,
    Taken,
    monday_of,
    why_not_offered,
    works_there,
)
from scheduling.domain.claim import (
    Claim,
    Resource,
    claims_of,
    clashes,
    pairs_in_the_way,
)
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import (
    BufferTimeConflict,
    DoubleBookingDetected,
    DoubleBookingOverrideDenied,
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
    LocationId,
    PatientId,
    PractitionerId,
    SlotId,
    new_id,
)
from scheduling.domain.period import Period, day_in, local_day
from scheduling.domain.reminder import Reminder, reminders_for
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot, SlotStatus, covering

MOST_SLOTS = 96

_OVERRIDABLE = (SlotNotAvailable, DoubleBookingDetected, BufferTimeConflict)


@dataclass(frozen=True, slots=True)
class BySlot:
    slot_id: SlotId


@dataclass(frozen=True, slots=True)
class ByStart:
    """A stretch over one slot or consecutive slots of one schedule."""

    practitioner_id: PractitionerId
    location_id: LocationId
    period: Period


@dataclass(frozen=True, slots=True)
class Override:
    """Book although somebody is taken. `allowed`: the caller has the right to."""

    reason: str | None
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRequest:
    patient_id: PatientId
    when: BySlot | ByStart
    appointment_type: str
    reason: str | None = None
    notes: str | None = None
    resources: tuple[Resource, ...] = ()
    override: Override | None = None
    id: AppointmentId | None = None

    def demand_override_right(self) -> None:
        """An override needs the right to it first, then a reason."""
        if self.override is None:
            return
        if not self.override.allowed:
            raise DoubleBookingOverrideDenied("Only who may override can double-book.")
        if not (self.override.reason or "").strip():
            raise InvalidInput("an override needs a reason", "overrideReason")


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFacts:
    """What storage knows of a request; None where it knows no such thing.

    `slots` are those that may serve, `claims` those of the actors around the time,
    `taken` the starts of the practitioner's appointments in the local week, read only
    where a limit is set.
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
    taken: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """An appointment and all that storage writes with it."""

    appointment: Appointment
    claims: tuple[Claim, ...]
    seats: tuple[SlotId, ...]
    reminders: tuple[Reminder, ...]

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


def decide_booking(
    request: BookingRequest, facts: BookingFacts, *, now: datetime, past: bool = False
) -> Booking:
    """Book, or raise the first refusal in the order that domain rules give.

    `past`: a visit taken over from another system; the booking window is not asked.
    """
    request.demand_override_right()
    if not facts.patient_active:
        raise PatientNotFound(request.patient_id)
    chains, period = _chains_for(request, facts)
    id = request.id or AppointmentId(new_id(now))
    tried = [
        _try(id, slots, period, request, facts, now=None if past else now)
        for slots in chains
    ]
    slots, claims, refusal = next((t for t in tried if t[2] is None), tried[0])
    if refusal is not None and not _may_be_overridden(request, slots, refusal):
        raise refusal
    first = slots[0]
    overbooked = refusal is not None
    if overbooked:
        claims = _given_way(claims, facts.claims)
    appointment = Appointment(
        id=id,
        patient_id=request.patient_id,
        practitioner_id=first.practitioner_id,
        location_id=first.location_id,
        schedule_id=first.schedule_id,
        slot_ids=tuple(slot.id for slot in slots),
        period=period,
        timezone=first.timezone,
        appointment_type=request.appointment_type,
        status=Status.BOOKED,
        created_at=now,
        updated_at=now,
        reason=request.reason,
        notes=request.notes,
        resources=request.resources,
        overbooked=overbooked,
        override_reason=request.override.reason
        if request.override and overbooked
        else None,
    ).created()
    return Booking(
        appointment=appointment,
        claims=claims,
        seats=appointment.slot_ids,
        reminders=()
        if past
        else reminders_for(
            period.start,
            settings=facts.settings,
            preferences=facts.preferences,
            now=now,
        ),
    )


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


Chain = tuple[Slot, ...]


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
        chains = covering(facts.slots, when.period)
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
    day = local_day(when.period.start, timezone)
    if not facts.location_active or not works_there(
        facts.assignments, day, has_schedule=facts.has_schedule
    ):
        raise PractitionerNotAssigned(
            f"Practitioner {when.practitioner_id} does not work at location "
            f"{when.location_id} on {day}."
        )
    if not chains:
        raise OutsideSchedule(
            f"No slots of one schedule hold {when.period.start.isoformat()} to "
            f"{when.period.end.isoformat()}."
        )
    return chains, when.period.in_utc()


def _try(
    id: AppointmentId,
    slots: Chain,
    period: Period,
    request: BookingRequest,
    facts: BookingFacts,
    *,
    now: datetime | None,
) -> tuple[Chain, tuple[Claim, ...], NotBookable | None]:
    """Return the slots, what they would take, and why they cannot be had."""
    first = slots[0]
    claims = claims_of(
        id,
        period=period,
        practitioner_id=first.practitioner_id,
        patient_id=request.patient_id,
        resources=request.resources,
        slots=[(slot.id, slot.period) for slot in slots],
        buffer=facts.settings.buffer,
        overbooked=False,
    )
    window = (
        None
        if now is None
        else BookingWindow.of(facts.settings, now=now, timezone=first.timezone)
    )
    refusal = why_not_offered(
        period.start,
        window=window,
        has_seat=all(slot.remaining for slot in slots),
        clashes=clashes(claims, facts.claims),
        limit_reached=_limit_reached(first, facts),
    )
    return slots, claims, refusal


def _limit_reached(slot: Slot, facts: BookingFacts) -> bool:
    taken = Taken.of(facts.taken, slot.timezone)
    day = local_day(slot.period.start, slot.timezone)
    return taken.reaches(facts.settings.limits, day)


def _may_be_overridden(
    request: BookingRequest, slots: Chain, refusal: NotBookable
) -> bool:
    return (
        request.override is not None
        and isinstance(refusal, _OVERRIDABLE)
        and all(slot.is_open for slot in slots)
    )

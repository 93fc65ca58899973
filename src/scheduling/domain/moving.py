"""An appointment takes another place, or takes its own anew: by the rules of booking.

It never stands in its own way: its seats and its time count as free to itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from scheduling.domain.appointment import Appointment, SystemReason
from scheduling.domain.booking import Booking, BookingFacts, Place, find_place
from scheduling.domain.booking_request import BookingRequest, BySlot, ByStart, Hold
from scheduling.domain.claim import ActorKind
from scheduling.domain.errors import (
    HoldExpired,
    InvalidStatusTransition,
    NewSlotNotAvailable,
    NotBookable,
    PatientNotFound,
    SlotNotAvailable,
)
from scheduling.domain.identifiers import LocationId, PractitionerId
from scheduling.domain.period import Period
from scheduling.domain.reminder import REMINDED, reminders_for, reminders_stay
from scheduling.domain.settings import (
    NO_RULES_OF_ITS_OWN,
    CalendarLimits,
    Limits,
)
from scheduling.domain.slot import Slot
from scheduling.domain.status import MOVABLE, Status


@dataclass(frozen=True, slots=True)
class Move:
    """What storage does: give the old time back, then take the new.

    `freed` are the next versions of the slots that are left behind, `booking.seats` the
    slots that are new; a slot that was had before stays as it is. `keeps_reminders`: as
    it is said when and where, nothing is otherwise, so one that is due and not sent yet
    is still to be sent. `no_seat` is what to say where somebody else was faster.
    """

    booking: Booking
    freed: tuple[Slot, ...]
    keeps_reminders: bool = False
    no_seat: type[NotBookable] = SlotNotAvailable

    @property
    def appointment(self) -> Appointment:
        return self.booking.appointment

    def after(self, lapsed: Iterable[Slot], *, now: datetime) -> Self:
        """Count on from the slots as holds that ran out have left them, whose seats are
        told of already.
        """
        left = {slot.id: replace(slot, events=()) for slot in lapsed}
        freed = (
            left[slot.id].released(now) if slot.id in left else slot
            for slot in self.freed
        )
        return replace(self, freed=tuple(freed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """What is to be said otherwise of where and when an appointment is."""

    start: datetime | None = None
    minutes: int | None = None
    practitioner_id: PractitionerId | None = None
    location_id: LocationId | None = None

    def of(self, appointment: Appointment) -> ByStart:
        length = (
            appointment.period.length
            if self.minutes is None
            else timedelta(minutes=self.minutes)
        )
        return ByStart(
            self.practitioner_id or appointment.practitioner_id,
            self.location_id or appointment.location_id,
            Period.of(self.start or appointment.period.start, length),
        )


NewTime = BySlot | Otherwise


def asked_again(
    appointment: Appointment, when: NewTime | None = None
) -> BookingRequest:
    """Return the request that the appointment would be booked with, there and then."""
    until, by = appointment.hold_expires_at, appointment.held_by
    return BookingRequest(
        id=appointment.id,
        patient_id=appointment.patient_id,
        when=when
        if isinstance(when, BySlot)
        else (when or Otherwise()).of(appointment),
        appointment_type=appointment.appointment_type,
        reason=appointment.reason,
        notes=appointment.notes,
        resources=appointment.resources,
        hold=None if until is None else Hold(until, by or ""),
    )


def demand_movable(appointment: Appointment, now: datetime) -> None:
    """Raise InvalidStatusTransition for what has no time to change any more."""
    if appointment.status not in MOVABLE or appointment.lapsed(now):
        raise InvalidStatusTransition(
            f"Appointment {appointment.id} is {appointment.status}: it cannot be moved."
        )


def decide_reschedule(
    appointment: Appointment,
    slots: tuple[Slot, ...],
    request: BookingRequest,
    facts: BookingFacts,
    *,
    comment: str | None = None,
    now: datetime,
) -> Move | None:
    """Move it, or raise what speaks against the new time; None where it is there
    already.
    """
    demand_movable(appointment, now)
    if _is_there_already(appointment, request):
        return None
    try:
        move = _moved(appointment, slots, request, facts, now=now, comment=comment)
    except SlotNotAvailable as refusal:
        raise NewSlotNotAvailable(str(refusal)) from refusal
    return move and replace(move, no_seat=NewSlotNotAvailable)


def decide_edit(
    appointment: Appointment,
    slots: tuple[Slot, ...],
    request: BookingRequest,
    facts: BookingFacts,
    *,
    now: datetime,
) -> Move | None:
    """Let it be longer, shorter or with somebody else. It begins when it began, so the
    booking window is not asked. None where it is so already.
    """
    if not appointment.status.takes_time or appointment.lapsed(now):
        raise InvalidStatusTransition(
            f"Appointment {appointment.id} is {appointment.status}: its time is what "
            "it is."
        )
    facts = _as_it_stands(appointment, request, facts)
    return _moved(appointment, slots, request, facts, now=now, any_time=True)


def demand_held(appointment: Appointment, now: datetime) -> None:
    """Raise HoldExpired for a hold that has run out, InvalidStatusTransition for what
    is none, or none any more.
    """
    if (
        appointment.status_reason_code == SystemReason.HOLD_EXPIRED
        or appointment.lapsed(now)
    ):
        raise HoldExpired(f"Hold {appointment.id} has run out.")
    if appointment.status is not Status.PENDING or not appointment.hold_expires_at:
        raise InvalidStatusTransition(
            f"Appointment {appointment.id} is {appointment.status}: it is no hold."
        )


def demand_hold(
    appointment: Appointment, request: BookingRequest, *, by: str | None, now: datetime
) -> None:
    """Raise what speaks against using the hold up for that request.

    `by` is who asks; None for those who may use anybody's.
    """
    demand_held(appointment, now)
    demand_theirs(appointment, by=by)
    same = appointment.patient_id == request.patient_id
    if not same or not _is_there_already(appointment, request):
        raise SlotNotAvailable(f"Hold {appointment.id} is kept for something else.")


def demand_theirs(appointment: Appointment, *, by: str | None) -> None:
    """Raise SlotNotAvailable where it is somebody else who holds it; `by` as above."""
    if by is not None and appointment.held_by not in {None, by}:
        raise SlotNotAvailable(f"Hold {appointment.id} is kept for somebody else.")


def decide_return(
    appointment: Appointment,
    wanted: Status,
    request: BookingRequest,
    facts: BookingFacts,
    *,
    reason_code: str | None = None,
    comment: str | None = None,
    now: datetime,
) -> Move:
    """Take its own slots and time anew, however they were named: a hold or a proposal
    that becomes a booking, somebody who comes after all. A proposal has to keep the
    booking window, the others had it asked before.
    """
    appointment.demand(wanted, now=now)
    if not facts.patient_active:
        raise PatientNotFound(request.patient_id)
    own = tuple(slot for slot in facts.slots if slot.id in appointment.slot_ids)
    there = replace(request, when=Otherwise().of(appointment), hold=None, override=None)
    known = _as_it_stands(appointment, there, replace(facts, slots=own))
    place = find_place(
        appointment.id,
        there,
        without(appointment, known),
        now=now,
        any_time=appointment.status is not Status.PROPOSED,
    )
    after = appointment.become(
        wanted,
        reason_code=reason_code,
        comment=comment,
        now=now,
        appointment_type=request.appointment_type,
        reason=request.reason,
        notes=request.notes,
        resources=request.resources,
        overbooked=False,
    )
    return _to(after, (), place, facts, now=now)


def _moved(
    appointment: Appointment,
    slots: tuple[Slot, ...],
    request: BookingRequest,
    facts: BookingFacts,
    *,
    now: datetime,
    comment: str | None = None,
    any_time: bool = False,
) -> Move | None:
    if not facts.patient_active:
        raise PatientNotFound(request.patient_id)
    place = find_place(
        appointment.id,
        request,
        without(appointment, facts),
        now=now,
        any_time=any_time,
    )
    over = place.overbooked or _is_one_too_many(appointment, slots, place)
    after = appointment.edited(now=now, **_fields(request, place), overbooked=over)
    if after is appointment:
        return None
    after = replace(after, status_comment=comment or after.status_comment)
    return _to(after, slots, place, facts, now=now)


def _fields(request: BookingRequest, place: Place) -> dict[str, Any]:
    first = place.slots[0]
    return {
        "practitioner_id": first.practitioner_id,
        "location_id": first.location_id,
        "schedule_id": first.schedule_id,
        "slot_ids": place.slot_ids,
        "period": place.period,
        "timezone": first.timezone,
        "appointment_type": request.appointment_type,
        "reason": request.reason,
        "notes": request.notes,
        "resources": request.resources,
    }


def _is_one_too_many(
    appointment: Appointment, slots: tuple[Slot, ...], place: Place
) -> bool:
    """Whether it stays, and nowhere else, in a seat that somebody insisted on."""
    return (
        appointment.overbooked
        and set(place.slot_ids) <= set(appointment.slot_ids)
        and any(s.booked > s.capacity for s in slots if s.id in place.slot_ids)
    )


def _to(
    after: Appointment,
    slots: tuple[Slot, ...],
    place: Place,
    facts: BookingFacts,
    *,
    now: datetime,
) -> Move:
    before = after.before
    had = set(before.slot_ids) if before and before.status.keeps_time else set()
    kept = reminders_stay(after)
    return Move(
        booking=Booking(
            appointment=after,
            claims=place.claims,
            seats=tuple(id for id in place.slot_ids if id not in had),
            reminders=reminders_for(
                place.period.start,
                settings=facts.settings,
                preferences=facts.preferences,
                now=now,
            )
            if after.status in REMINDED and not kept
            else (),
            lapsed=tuple(id for id in place.lapsed if id != after.id),
        ),
        freed=tuple(
            slot.released(now)
            for slot in slots
            if slot.id in had and slot.id not in place.slot_ids
        ),
        keeps_reminders=kept,
    )


def _is_there_already(appointment: Appointment, request: BookingRequest) -> bool:
    when = request.when
    if isinstance(when, BySlot):
        return appointment.slot_ids == (when.slot_id,)
    here = (appointment.practitioner_id, appointment.location_id, appointment.period)
    return here == (when.practitioner_id, when.location_id, when.period.in_utc())


def _as_it_stands(
    appointment: Appointment, request: BookingRequest, facts: BookingFacts
) -> BookingFacts:
    """Return the facts for what stays: with its practitioner, it counts to limits
    already; where it is, it keeps the buffer that it was given if one is longer now.
    """
    when, rules = request.when, facts.rules
    if (
        isinstance(when, BySlot)
        or when.practitioner_id != appointment.practitioner_id
        or not appointment.status.keeps_time
    ):
        return facts
    own_rules = rules.get(appointment.schedule_id, NO_RULES_OF_ITS_OWN)
    own_rules = replace(own_rules, limits=CalendarLimits())
    settings = replace(facts.settings, limits=Limits())
    given = [
        claim.until - appointment.period.end
        for claim in facts.claims
        if claim.appointment_id == appointment.id
        and claim.kind is ActorKind.PRACTITIONER
    ]
    if given and _is_there_already(appointment, request):
        minutes = max(given) // timedelta(minutes=1)
        settings = replace(
            settings, buffer_minutes=min(minutes, settings.buffer_minutes)
        )
    return replace(
        facts, settings=settings, rules={**rules, appointment.schedule_id: own_rules}
    )


def aside(hold: Appointment | None, facts: BookingFacts) -> BookingFacts:
    """Return the facts as if a hold that goes had gone, if there is one."""
    return facts if hold is None else without(hold, facts)


def without(appointment: Appointment, facts: BookingFacts) -> BookingFacts:
    """Return the facts as they would be without it. A seat that it has is there for it,
    also where more are taken than there are; its own slots come before others that
    would serve as well.
    """
    claims = tuple(c for c in facts.claims if c.appointment_id != appointment.id)
    held = appointment.slot_ids if appointment.status.keeps_time else ()
    slots = (
        replace(slot, booked=max(0, min(slot.booked, slot.capacity) - 1))
        if slot.id in held
        else slot
        for slot in facts.slots
    )
    own_first = sorted(
        slots,
        key=lambda s: (
            s.schedule_id != appointment.schedule_id,
            s.id not in appointment.slot_ids,
        ),
    )
    return replace(facts, claims=claims, slots=tuple(own_first))

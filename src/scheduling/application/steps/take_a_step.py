"""One step of a visit's life, whichever command asks for it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from scheduling.application.ports.identity import Caller, Forbidden, Scope
from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.application.steps.let_holds_lapse import let_holds_lapse
from scheduling.application.steps.tell_the_waitlist import tell_the_waitlist
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.errors import HoldExpired
from scheduling.domain.freed_time import (
    GivenBack,
)
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.moving import decide_return
from scheduling.domain.slot import Slot, released_together
from scheduling.domain.status import Status

_A_PATIENTS_OWN = frozenset({Status.CONFIRMED, Status.CANCELLED})
_MAY_TAKE_TIME_ANEW = frozenset({Status.PENDING, Status.BOOKED, Status.ARRIVED})


def demand_right_to(
    caller: Caller, appointment: Appointment, wanted: Status, *, now: datetime
) -> None:
    """Raise Forbidden where it takes more to take that step.

    A patient says yes or no to a visit; all else is the clinic's to say. Taking back
    what happened is for those who manage.
    """
    is_patient = caller.patient_id is not None
    if is_patient and wanted not in _A_PATIENTS_OWN:
        raise Forbidden(Scope.MANAGE)
    if appointment.is_correction(wanted, now=now) and not caller.may(Scope.MANAGE):
        raise Forbidden(Scope.MANAGE)


def demand_live(appointment: Appointment, wanted: Status, *, now: datetime) -> None:
    """Raise HoldExpired where a hold that has run out is to be more than a hold."""
    if wanted.takes_time and appointment.lapsed(now):
        raise HoldExpired(f"Hold {appointment.id} has run out.")


async def found_for(
    work: UnitOfWork, id: AppointmentId, wanted: Status
) -> tuple[Appointment, tuple[Slot, ...]]:
    """What may take its time anew waits its turn before it locks anything, as all do
    who move or are limited: else two could wait for each other.
    """
    if wanted in _MAY_TAKE_TIME_ANEW:
        return await work.appointments.to_move(id)
    return await work.appointments.with_slots(id)


async def keep_or_release(
    work: UnitOfWork, after: Appointment, slots: tuple[Slot, ...], *, now: datetime
) -> Appointment:
    """Store a step that takes no time anew; what it gives back is told to who waits."""
    await keep_or_release_all(work, [(after, slots)], now=now)
    return after


async def keep_or_release_all(
    work: UnitOfWork,
    steps: Sequence[tuple[Appointment, tuple[Slot, ...]]],
    *,
    now: datetime,
) -> None:
    """As `keep_or_release`, for several with the slots that each has. A slot that some
    of them leave together is given back, and told, once.
    """
    leaving = [step for step in steps if _leaves(step[0])]
    for after, _ in steps:
        if not _leaves(after):
            work.appointments.keep(after)
    left = released_together((slots for _, slots in leaving), now)
    work.appointments.release_all([after for after, _ in leaving], left)
    await tell_the_waitlist(work, *_given_back(leaving, left), now=now)


def _leaves(after: Appointment) -> bool:
    before = after.before
    return (
        before is not None and before.status.keeps_time and not after.status.keeps_time
    )


def _given_back(
    leaving: Collection[tuple[Appointment, tuple[Slot, ...]]], left: Iterable[Slot]
) -> Iterator[GivenBack]:
    untold = {slot.id: slot for slot in left}
    for after, slots in leaving:
        if after.before is not None:
            its = tuple(untold.pop(slot.id) for slot in slots if slot.id in untold)
            ids = {slot.id for slot in its}
            with_it = frozenset(
                one.patient_id for one, _ in leaving if not ids.isdisjoint(one.slot_ids)
            )
            yield GivenBack(after.before, after, its, with_it)


async def take_time_anew(
    work: UnitOfWork,
    appointment: Appointment,
    wanted: Status,
    request: BookingRequest,
    *,
    reason_code: str | None = None,
    comment: str | None = None,
    now: datetime,
) -> Appointment:
    """Store a step that takes its own slots as if it were booked now."""
    facts = await work.appointments.facts_for(request, now=now, own=appointment.id)
    move = decide_return(
        appointment,
        wanted,
        request,
        facts,
        reason_code=reason_code,
        comment=comment,
        now=now,
    )
    await let_holds_lapse(work, move.booking, now=now)
    work.appointments.move(move)
    return move.appointment

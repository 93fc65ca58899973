"""Carry a move out, whichever command asks for it."""

from datetime import datetime

from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.application.steps.let_holds_lapse import let_holds_lapse
from scheduling.application.steps.tell_the_waitlist import tell_the_waitlist
from scheduling.domain.appointment import Appointment
from scheduling.domain.freed_time import (
    GivenBack,
)
from scheduling.domain.moving import Move


async def move_there(
    work: UnitOfWork, before: Appointment, move: Move, *, now: datetime
) -> Appointment:
    """Let the holds in its way lapse, store it, and tell who waits for the old time."""
    lapsed = await let_holds_lapse(work, move.booking, now=now)
    move = move.after(lapsed, now=now)
    work.appointments.move(move)
    left = GivenBack(before, move.appointment, move.freed)
    await tell_the_waitlist(work, left, now=now)
    return move.appointment

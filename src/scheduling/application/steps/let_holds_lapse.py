"""What whoever needs the time of a hold that has run out does first."""

from collections.abc import Collection
from datetime import datetime

from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.domain.identifiers import AppointmentId


async def let_holds_lapse(
    work: UnitOfWork, ids: Collection[AppointmentId], *, now: datetime
) -> None:
    """Give their seats and their time back, and tell of it once.

    What is decided after this in the same transaction may take them. Whoever else lets
    them lapse at the same moment waits for us, and then finds nothing left to do.
    """
    if not ids:
        return
    for hold, slots in await work.appointments.all_with_slots(ids):
        gone = hold.lapsed(now)
        if gone is not None:
            work.appointments.release(gone, hold.freed(slots, now))
    work.appointments.then()

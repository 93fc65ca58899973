"""What whoever needs the time of a hold that has run out does first."""

from collections.abc import Collection
from datetime import datetime

from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.slot import Slot, released_together


async def let_holds_lapse(
    work: UnitOfWork, ids: Collection[AppointmentId], *, now: datetime
) -> tuple[Slot, ...]:
    """Give their seats and their time back, and tell of it once. Return their slots as
    they are then.

    What is decided after this in the same transaction may take them. Whoever else lets
    them lapse at the same moment waits for us, and then finds nothing left to do.
    """
    if not ids:
        return ()
    found = await work.appointments.all_with_slots(ids)
    gone = [(lapsed, slots) for hold, slots in found if (lapsed := hold.lapsed(now))]
    freed = released_together((slots for _, slots in gone), now)
    work.appointments.release_all([lapsed for lapsed, _ in gone], freed)
    work.appointments.then()
    return freed

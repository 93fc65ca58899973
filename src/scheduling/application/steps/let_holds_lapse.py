"""What whoever needs the time of a hold that has run out does first."""

from datetime import datetime

from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.domain.booking import Booking
from scheduling.domain.slot import Slot, released_together


async def let_holds_lapse(
    work: UnitOfWork, *bookings: Booking, now: datetime
) -> tuple[Slot, ...]:
    """Give back the seats and the time of those that are in the way of bookings, and
    tell of it once. Return their slots as they are then.

    The bookings, stored after this in the same transaction, may take them. Whoever else
    lets them lapse at the same moment waits for us, and then finds nothing left to do.
    """
    ids = dict.fromkeys(id for booking in bookings for id in booking.lapsed)
    if not ids:
        return ()
    seats = {id for booking in bookings for id in booking.seats}
    found = await work.appointments.all_with_slots(ids, also=seats)
    gone = [(lapsed, slots) for hold, slots in found if (lapsed := hold.lapsed(now))]
    freed = released_together((slots for _, slots in gone), now)
    work.appointments.release_all([lapsed for lapsed, _ in gone], freed)
    work.appointments.then()
    return freed

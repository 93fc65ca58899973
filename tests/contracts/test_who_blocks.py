"""Whose time is taken, status by status: for booking, for search and for limits."""

from collections.abc import Iterable

import pytest

from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import (
    BookingLimitReached,
    DoubleBookingDetected,
    SlotNotAvailable,
)
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.status import Status
from tests.builders import a_room, at, between, open_clinic
from tests.contracts.offers import numbers, offered
from tests.contracts.put_there import a_visit, put_there
from tests.contracts.reception import Open, Reception

WAYS: dict[Status, tuple[Status, ...]] = {
    Status.BOOKED: (),
    Status.CONFIRMED: (Status.CONFIRMED,),
    Status.ARRIVED: (Status.ARRIVED,),
    Status.IN_PROGRESS: (Status.ARRIVED, Status.IN_PROGRESS),
    Status.COMPLETED: (Status.ARRIVED, Status.COMPLETED),
    Status.NO_SHOW: (Status.NO_SHOW,),
    Status.CANCELLED: (Status.CANCELLED,),
    Status.ENTERED_IN_ERROR: (Status.ENTERED_IN_ERROR,),
}
"""How a booked visit gets there."""

BLOCKING = (
    Status.PENDING,
    Status.BOOKED,
    Status.CONFIRMED,
    Status.ARRIVED,
    Status.IN_PROGRESS,
)
GONE = (Status.CANCELLED, Status.NO_SHOW, Status.ENTERED_IN_ERROR)


async def walk(here: Reception, one: Appointment, way: Iterable[Status]) -> Appointment:
    for status in way:
        gone = status is Status.CANCELLED
        one = await (here.cancel(one) if gone else here.step(one, status))
    return one


async def with_one(here: Reception, status: Status, **told: object) -> Appointment:
    """Let patient 0 have the first slot, with that status."""
    if status is Status.PENDING:
        return await here.hold(0, 0)
    booked = await here.book(here.clinic.request(0, 0, **told))
    return await walk(here, booked, WAYS[status])


async def beside(here: Reception) -> Reception:
    """A calendar of the same practitioner elsewhere, whose slot lies across."""
    return Reception(
        here.storage,
        await open_clinic(
            here.storage.begin,
            between("09:15", "09:45"),
            caller=here.clinic.caller,
            practitioner=here.clinic.practitioner,
            patients=here.clinic.patients,
        ),
    )


async def of_another(here: Reception) -> Reception:
    """Another practitioner at the same hour."""
    return Reception(
        here.storage,
        await open_clinic(
            here.storage.begin,
            between("09:15", "09:45"),
            caller=here.clinic.caller,
            patients=here.clinic.patients,
        ),
    )


@pytest.mark.parametrize("status", BLOCKING)
async def test_who_is_to_come_or_here_blocks_slot_practitioner_and_patient(
    reception: Open, status: Status
) -> None:
    here = await reception()
    across, other = await beside(here), await of_another(here)
    await with_one(here, status)
    with pytest.raises(SlotNotAvailable):
        await here.book(here.clinic.request(1, 0))
    with pytest.raises(DoubleBookingDetected):
        await across.book(across.clinic.request(1))
    with pytest.raises(DoubleBookingDetected):
        await other.book(other.clinic.request(0))
    found = {one.slot_id for one in await offered(here.storage, here.clinic)}
    assert here.clinic.slots[0].id not in found
    assert across.clinic.slots[0].id not in found
    assert other.clinic.slots[0].id in found
    await other.book(other.clinic.request(1))


@pytest.mark.parametrize("status", [Status.ARRIVED, Status.IN_PROGRESS])
async def test_who_is_here_keeps_the_room(reception: Open, status: Status) -> None:
    here, room = await reception(), a_room()
    other = await of_another(here)
    await with_one(here, status, resources=(room,))
    with pytest.raises(DoubleBookingDetected):
        await other.book(other.clinic.request(1, resources=(room,)))


@pytest.mark.parametrize("status", GONE)
async def test_who_is_not_to_come_any_more_blocks_nothing(
    reception: Open, status: Status
) -> None:
    for nth in range(3):
        here = await reception()
        room = a_room()
        across, other = await beside(here), await of_another(here)
        await with_one(here, status, resources=(room,))
        found = {one.slot_id for one in await offered(here.storage, here.clinic)}
        assert {here.clinic.slots[0].id, across.clinic.slots[0].id} <= found
        if nth == 0:
            await here.book(here.clinic.request(1, 0, resources=(room,)))
        elif nth == 1:
            await across.book(across.clinic.request(1))
        else:
            await other.book(other.clinic.request(0, resources=(room,)))


@pytest.mark.parametrize("status", GONE)
async def test_what_was_gone_and_is_rebooked_is_not_brought_back(
    reception: Open, status: Status
) -> None:
    here = await reception()
    gone = await with_one(here, status)
    await here.book(here.clinic.request(1, 0))
    here.now = at("08:30")
    if status is Status.NO_SHOW:
        with pytest.raises(SlotNotAvailable):
            await here.step(gone, Status.ARRIVED)
    stored = await here.stored(gone)
    assert (stored.status, stored.version) == (status, gone.version)
    assert await here.taken_by(gone) == set()


@pytest.mark.parametrize(
    "status", [Status.PROPOSED, *BLOCKING, Status.COMPLETED, *GONE]
)
async def test_limits_count_whose_time_is_taken_or_was(
    reception: Open, status: Status
) -> None:
    """Pending and held count, cancelled and proposed do not."""
    settings = Settings(limits=Limits(per_practitioner_day=1))
    here = await reception(settings=settings)
    if status is Status.PROPOSED:
        visit = a_visit(here.clinic, here.clinic.slots[0].period, status=status)
        await put_there(here.storage, here.clinic, visit)
    else:
        await with_one(here, status)
    seen = numbers(here.clinic, await offered(here.storage, here.clinic, settings))
    if status in {*BLOCKING, Status.COMPLETED}:
        assert seen == []
        with pytest.raises(BookingLimitReached):
            await here.book(here.clinic.request(1, 2))
    else:
        assert seen == [0, 1, 2, 3]
        await here.book(here.clinic.request(1, 2))


async def test_who_waits_for_staff_counts_as_who_holds(reception: Open) -> None:
    """Pending without an end: nothing but staff ends it."""
    settings = Settings(limits=Limits(per_practitioner_day=1))
    here = await reception(settings=settings)
    proposal = a_visit(
        here.clinic,
        here.clinic.slots[0].period,
        status=Status.PROPOSED,
        slot_ids=(here.clinic.slots[0].id,),
    )
    (proposed,) = await put_there(here.storage, here.clinic, proposal)
    pending = await here.step(await here.stored(proposed), Status.PENDING)
    assert (pending.status, pending.hold_expires_at) == (Status.PENDING, None)
    here.now = at("08:59")
    with pytest.raises(SlotNotAvailable):
        await here.book(here.clinic.request(1, 0))
    with pytest.raises(BookingLimitReached):
        await here.book(here.clinic.request(1, 1))
    assert (await here.step(pending, Status.BOOKED)).status is Status.BOOKED

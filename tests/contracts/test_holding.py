"""What storage promises of holds, on memory and PostgreSQL alike."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scheduling.application.commands.edit_appointment import Edits
from scheduling.application.commands.hold_slot import HoldSlot
from scheduling.application.ports.appointment_lists import StatisticsFilter
from scheduling.application.ports.identity import Scope
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import BySlot
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import (
    BookingLimitReached,
    DoubleBookingDetected,
    HoldExpired,
    InvalidStatusTransition,
    SlotNotAvailable,
)
from scheduling.domain.local_days import Span
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.slot import SlotStatus
from scheduling.domain.status import Status
from tests.builders import (
    EIGHT,
    between,
    open_clinic,
    slots_from,
)
from tests.contracts.reception import Open, Reception, all_of, won
from tests.contracts.visits import types

UNTIL = EIGHT + timedelta(minutes=10)
HOLDING = Settings(hold_minutes=10)
FREE, BUSY = (0, SlotStatus.FREE), (1, SlotStatus.BUSY)


async def test_a_hold_takes_the_seat_until_the_instant_at_which_it_ends(
    reception: Open,
) -> None:
    here = await reception(settings=HOLDING)
    hold = await here.hold(0)
    here.now = UNTIL - timedelta(microseconds=1)
    with pytest.raises(SlotNotAvailable):
        await here.book(here.clinic.request(1))
    here.now = UNTIL
    booked = await here.book(here.clinic.request(1))
    assert await here.seats() == [BUSY, FREE, FREE, FREE]
    assert (await here.stored(hold)).status is Status.CANCELLED
    assert await here.taken_by(hold) == set()
    assert len(await here.taken_by(booked)) == 2
    told = await types(here.storage, here.clinic)
    assert told.count("hold.expired") == 1
    assert "appointment.cancelled" not in told


async def test_a_hold_of_a_group_is_one_of_its_seats(reception: Open) -> None:
    here = await reception(slots=1, capacity=2, settings=HOLDING)
    await here.hold(0)
    await here.hold(1)
    with pytest.raises(SlotNotAvailable):
        await here.book(here.clinic.request(2))
    here.now = UNTIL
    await here.book(here.clinic.request(2))
    await here.book(here.clinic.request(3))
    assert await here.seats() == [(2, SlotStatus.BUSY)]
    told = await types(here.storage, here.clinic)
    assert told.count("hold.expired") == 2


async def test_a_hold_elsewhere_that_ran_out_does_not_keep_the_patient_away(
    reception: Open,
) -> None:
    here = await reception(settings=HOLDING)
    other = Reception(
        here.storage,
        await open_clinic(
            here.storage.begin,
            *slots_from("09:00", count=1),
            caller=here.clinic.caller,
            patients=here.clinic.patients,
        ),
    )
    await here.hold(0)
    with pytest.raises(DoubleBookingDetected):
        await other.book(other.clinic.request(0))
    other.now = UNTIL
    await other.book(other.clinic.request(0))
    assert await here.seats() == [FREE] * 4


async def test_a_hold_is_booked_by_who_holds_it_once(reception: Open) -> None:
    here = await reception(settings=HOLDING, preferences=ContactPreferences(sms=True))
    hold = await here.hold(0)
    booked = await here.book_held(hold, here.clinic.request(0))
    assert (booked.id, booked.status) == (hold.id, Status.BOOKED)
    assert await here.stored(booked) == replace(booked, events=())
    assert await here.seats() == [BUSY, FREE, FREE, FREE]
    claims = await here.storage.claims(here.clinic.caller)
    assert {claim.expires_at for claim in claims} == {None}
    reminders = await here.storage.reminders(here.clinic.caller)
    assert {reminder.appointment_version for reminder in reminders} <= {2}
    here.now = UNTIL
    with pytest.raises(SlotNotAvailable):
        await here.book(here.clinic.request(1))


async def test_anothers_hold_is_not_booked_by_its_status_either(
    reception: Open,
) -> None:
    here = await reception(settings=HOLDING)
    hold = await here.hold(0)
    of_another = replace(
        here.clinic.caller, subject="another", scopes=frozenset({Scope.BOOK})
    )
    other = Reception(here.storage, replace(here.clinic, caller=of_another))
    with pytest.raises(SlotNotAvailable):
        await other.step(hold, Status.BOOKED)
    assert (await here.step(hold, Status.BOOKED)).status is Status.BOOKED


async def test_a_hold_that_has_run_out_is_not_booked(reception: Open) -> None:
    here = await reception(settings=HOLDING)
    hold = await here.hold(0)
    here.now = UNTIL
    with pytest.raises(HoldExpired):
        await here.book_held(hold, here.clinic.request(0))
    with pytest.raises(HoldExpired):
        await here.step(hold, Status.BOOKED)
    with pytest.raises(InvalidStatusTransition):
        await here.edit(hold, Edits(fields={"notes": "it is over"}))
    await here.book(here.clinic.request(1))
    with pytest.raises(HoldExpired):
        await here.book_held(hold, here.clinic.request(0))


async def test_a_hold_that_is_released_is_free_at_once(reception: Open) -> None:
    here = await reception(settings=HOLDING)
    hold = await here.hold(0)
    await here.release(hold)
    assert await here.seats() == [FREE] * 4
    assert await types(here.storage, here.clinic) == [
        "appointment.created",
        "appointment.cancelled",
        "slot.opened",
    ]
    await here.hold(1)


async def test_a_hold_that_moves_frees_the_old_time(reception: Open) -> None:
    here = await reception(settings=HOLDING)
    hold = await here.hold(0)
    moved = await here.move(hold, BySlot(here.clinic.slots[1].id))
    assert (moved.status, moved.hold_expires_at) == (Status.PENDING, UNTIL)
    assert await here.seats() == [FREE, BUSY, FREE, FREE]
    await here.book(here.clinic.request(1))


async def test_limits_count_live_holds_and_no_others(reception: Open) -> None:
    limits = Limits(per_practitioner_day=1)
    here = await reception(settings=Settings(hold_minutes=10, limits=limits))
    await here.hold(0)
    with pytest.raises(BookingLimitReached):
        await here.book(here.clinic.request(1, 1))
    here.now = UNTIL
    await here.book(here.clinic.request(1, 1))


async def test_of_many_holds_of_one_patient_three_are_placed(reception: Open) -> None:
    here = await reception(slots=8, settings=HOLDING)
    outcomes = await all_of(here.hold(0, n) for n in range(8))
    assert len(won(outcomes)) == 3
    refused = [o for o in outcomes if not isinstance(o, Appointment)]
    assert {type(one) for one in refused} == {BookingLimitReached}


async def test_holds_by_start_are_counted_as_those_by_slot(reception: Open) -> None:
    here = await reception(settings=HOLDING)
    for number in range(3):
        await here.hold(0, number)
    hold = HoldSlot(here.storage.begin, here.clock)
    with pytest.raises(BookingLimitReached):
        await hold(here.clinic.caller, here.clinic.by_start(between("10:30", "11:00")))


async def test_of_many_who_want_what_a_hold_kept_one_gets_it(reception: Open) -> None:
    here = await reception(slots=1, patients=12, settings=HOLDING)
    await here.hold(0)
    here.now = UNTIL
    outcomes = await all_of(
        here.book(here.clinic.request(patient)) for patient in range(1, 12)
    )
    assert len(won(outcomes)) == 1
    assert await here.seats() == [BUSY]
    told = await types(here.storage, here.clinic)
    assert told.count("hold.expired") == 1


async def test_a_hold_that_was_given_up_was_never_an_appointment(
    reception: Open,
) -> None:
    here = await reception(settings=HOLDING)
    await here.release(await here.hold(0))
    await here.book(here.clinic.request(1))
    days = Span(EIGHT.date(), EIGHT.date() + timedelta(days=1)).in_zone("UTC")
    async with here.storage.begin(here.clinic.caller) as work:
        figures = await work.statistics.count(StatisticsFilter(days=days))
    assert figures.by_status == {"booked": 1}

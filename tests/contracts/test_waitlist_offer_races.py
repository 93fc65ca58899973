"""Many answer an offer at once, or while it runs out: one of them is heard."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta

import pytest

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.ports.unit_of_work import TransactionAborted
from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import (
    DomainError,
    HoldExpired,
    InvalidStatusTransition,
    OptimisticLockConflict,
    SlotNotAvailable,
)
from scheduling.domain.settings import Limits
from scheduling.domain.slot import SlotStatus
from scheduling.domain.status import Status
from scheduling.domain.waitlist import WaitlistStatus
from tests.builders import EIGHT
from tests.contracts.inbound import Hearing
from tests.contracts.offering import OFFERING, Offering, OpenOffering, offering_over

UNTIL = EIGHT + timedelta(minutes=10)
LATE = (OptimisticLockConflict, InvalidStatusTransition, HoldExpired)


@pytest.fixture
def offering(hearing: Hearing) -> OpenOffering:
    return offering_over(hearing)


async def at_once(*attempts: Awaitable[object]) -> tuple[int, list[DomainError]]:
    """Return how many were heard, and how the others were refused."""
    done = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [one for one in done if isinstance(one, DomainError)]
    broken = [one for one in done if isinstance(one, BaseException)]
    assert len(broken) == len(refused), done
    return len(done) - len(refused), refused


async def is_whole(here: Offering, *, offered: int) -> None:
    """One seat is one appointment's, and every offer has ended in one way but those."""
    (seat, *_) = await here.desk.seats()
    assert seat in {(0, SlotStatus.FREE), (1, SlotStatus.BUSY)}
    taking = [
        one
        for one in await here.desk.storage.appointments(here.caller)
        if one.slot_ids == (here.clinic.slots[0].id,) and one.status.takes_time
    ]
    assert len(taking) == seat[0]
    told = await here.types()
    ended = sum(
        told[f"waitlist.offer-{how}"] for how in ("accepted", "declined", "expired")
    )
    assert told["waitlist.offered"] - ended == offered


async def test_of_two_who_accept_at_once_one_wins(offering: OpenOffering) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entry = await here.wait(1)
        await here.free(booked)
        won, refused = await at_once(*(here.accept(entry) for _ in range(4)))
        assert won == 1
        assert all(isinstance(one, LATE) for one in refused)
        await is_whole(here, offered=0)
        assert (await here.types())["waitlist.fulfilled"] == 1


async def test_of_accepting_and_declining_at_once_one_wins(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entries = [await here.wait(1), await here.wait(2)]
        await here.free(booked)
        won, refused = await at_once(here.accept(entries[0]), here.decline(entries[0]))
        assert won == 1
        assert all(isinstance(one, LATE) for one in refused)
        accepted = (await here.as_it_is(entries[0])).status is WaitlistStatus.FULFILLED
        assert await here.asked(*entries) == ([] if accepted else [1])
        await is_whole(here, offered=0 if accepted else 1)


async def test_of_many_sweepers_one_passes_an_offer_on(offering: OpenOffering) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entries = [await here.wait(n) for n in (1, 2, 3)]
        await here.free(booked)
        here.desk.now = UNTIL
        done = await asyncio.gather(*(here.expire() for _ in range(3)))
        assert sum(done) == 1
        assert await here.asked(*entries) == [1]
        await is_whole(here, offered=1)


async def test_while_an_offer_runs_out_others_book_and_the_seat_is_one_persons(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entries = [await here.wait(n) for n in (1, 2)]
        await here.free(booked)
        here.desk.now = UNTIL
        done = await asyncio.gather(
            here.expire(),
            here.book(4),
            here.decline(entries[0]),
            here.book(5),
            return_exceptions=True,
        )
        refused = [one for one in done if isinstance(one, BaseException)]
        assert all(isinstance(one, (*LATE, SlotNotAvailable)) for one in refused)
        while await here.expire():
            pass
        seated = [
            one
            for one in await here.desk.storage.appointments(here.caller)
            if one.status in {Status.BOOKED, Status.PENDING}
        ]
        assert len(seated) == 1
        offered = len(await here.asked(*entries))
        await is_whole(here, offered=offered)


async def test_two_freed_times_are_never_offered_to_one_entry(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        visits = [await here.book(0, slot) for slot in range(3)]
        entry = await here.wait(1)
        for one in visits:
            await here.cancel(one)
        news = await here.inbound.told("waitlist.slot-available")
        await asyncio.gather(*(here.inbound.hears_again(one) for one in news))
        assert (await here.types())["waitlist.offered"] == 1
        assert await here.asked(entry) == [0]


async def test_removing_and_offering_at_once_leave_no_offer_behind(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entry = await here.wait(1)
        await here.cancel(booked)
        await at_once(here.remove(entry), here.inbound.hears_itself())
        if (await here.as_it_is(entry)).status is WaitlistStatus.WAITING:
            await here.remove(entry)
        assert await here.asked(entry) == []
        await is_whole(here, offered=0)
        assert (await here.desk.seats())[0] == (0, SlotStatus.FREE)


async def test_where_bookings_are_limited_nobody_waits_for_each_other(
    offering: OpenOffering,
) -> None:
    """Whoever books takes a turn before a row, and so does who ends an offer."""
    limits = Limits(per_practitioner_day=9)
    limited = replace(OFFERING, hold_minutes=1, limits=limits)
    async with offering(settings=limited) as here:
        begin = here.desk.storage.begin
        for _ in range(12):
            entry, next_one = await here.wait(1), await here.wait(5)
            await here.offer(entry)
            here.desk.now += timedelta(minutes=1)
            book = BookAppointment(begin, here.clock)
            done = await asyncio.gather(
                *(book(here.caller, here.clinic.request(n)) for n in (2, 3, 4)),
                here.expire(),
                return_exceptions=True,
            )
            assert not any(isinstance(one, TransactionAborted) for one in done), done
            for one in done:
                if isinstance(one, Appointment):
                    await here.cancel(one)
            while await here.expire():
                pass
            for waiting in (entry, next_one):
                await here.remove(waiting)

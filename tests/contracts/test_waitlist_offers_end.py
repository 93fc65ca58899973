"""Offers run out, go another way than by an answer, and leave a record."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from scheduling.domain.booking_request import Hold
from scheduling.domain.errors import (
    HoldExpired,
    SlotNotAvailable,
)
from scheduling.domain.settings import Settings
from scheduling.domain.slot import SlotStatus
from scheduling.domain.status import Status
from scheduling.domain.waitlist import WaitlistStatus
from tests.builders import EIGHT, at
from tests.contracts.inbound import Hearing
from tests.contracts.offering import OpenOffering, offering_over

UNTIL = EIGHT + timedelta(minutes=10)
FREE, BUSY = (0, SlotStatus.FREE), (1, SlotStatus.BUSY)


@pytest.fixture
def offering(hearing: Hearing) -> OpenOffering:
    return offering_over(hearing)


async def test_an_offer_that_nobody_answers_goes_to_the_next(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entries = [await here.wait(1), await here.wait(2)]
        await here.free(booked)
        assert await here.expire() == 0
        here.desk.now = UNTIL
        assert await here.expire_holds() == 0
        assert await here.expire() == 1
        assert await here.asked(*entries) == [1]
        hold = await here.hold_of(entries[1])
        assert hold.hold_expires_at == UNTIL + timedelta(minutes=10)
        here.desk.now += timedelta(minutes=10)
        assert await here.expire() == 1
        assert await here.desk.seats() == [FREE] * 4
        told = await here.types()
        assert told["waitlist.offer-expired"] == told["hold.expired"] == 2
        assert told["waitlist.slot-available"] == 1
        assert await here.expire() == 0


async def test_an_offer_that_has_run_out_is_nobodys_to_accept(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entry = await here.wait(1)
        await here.free(booked)
        here.desk.now = UNTIL
        for answer in (here.accept, here.decline):
            with pytest.raises(HoldExpired):
                await answer(entry)
        visit = await here.book(2)
        assert await here.expire() == 1
        assert await here.asked(entry) == []
        assert (await here.desk.stored(visit)).status is Status.BOOKED
        assert (await here.types())["hold.expired"] == 1


async def test_with_offers_switched_off_nobody_else_is_asked(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entries = [await here.wait(1), await here.wait(2)]
        await here.free(booked)
        async with here.desk.storage.begin(here.caller) as work:
            stored = await work.settings.get()
            work.settings.save(stored.replaced_by(Settings(), now=EIGHT))
        await here.decline(entries[0])
        assert await here.asked(*entries) == []
        assert await here.desk.seats() == [FREE] * 4


async def test_what_is_offered_is_not_booked_by_the_hold(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entry = await here.wait(1)
        await here.free(booked)
        hold = await here.hold_of(entry)
        mine = replace(here.clinic.own_token(1), scopes=frozenset({"scheduling:book"}))
        desk = type(here.desk)(here.desk.storage, replace(here.clinic, caller=mine))
        with pytest.raises(SlotNotAvailable):
            await desk.book_held(hold, here.clinic.request(1))


async def test_a_hold_that_the_desk_books_is_an_offer_accepted(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entry = await here.wait(1)
        await here.free(booked)
        visit = await here.desk.step(await here.hold_of(entry), Status.BOOKED)
        assert await here.expire() == 1
        entry = await here.as_it_is(entry)
        assert entry.status is WaitlistStatus.FULFILLED
        assert entry.appointment_id == visit.id


async def test_a_hold_that_the_desk_lets_go_is_an_offer_declined(
    offering: OpenOffering,
) -> None:
    """Its time is told anew to who waits, as of any hold; its patient is not asked."""
    async with offering() as here:
        booked = await here.book(0)
        entries = [await here.wait(1), await here.wait(2)]
        await here.free(booked)
        await here.desk.release(await here.hold_of(entries[0]))
        await here.inbound.hears_itself()
        assert await here.expire() == 1
        assert await here.asked(*entries) == [1]
        assert (await here.types())["waitlist.offer-declined"] == 1


async def test_who_waits_no_more_declines(offering: OpenOffering) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entries = [await here.wait(1), await here.wait(2)]
        await here.free(booked)
        await here.remove(entries[0])
        assert await here.asked(*entries) == [1]
        told = await here.types()
        assert (told["waitlist.offer-declined"], told["waitlist.offered"]) == (1, 2)


async def test_a_patient_who_is_deleted_declines(offering: OpenOffering) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entries = [await here.wait(1), await here.wait(2)]
        await here.free(booked)
        await here.inbound.deletes(1)
        await here.inbound.hears_itself()
        assert await here.asked(*entries) == [1]
        assert (await here.types())["waitlist.offer-declined"] == 1
        assert await here.expire() == 0


@pytest.mark.parametrize("slot", [0, 2], ids=["of that time", "of another"])
async def test_who_is_booked_at_the_desk_leaves_what_is_offered(
    offering: OpenOffering, slot: int
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entries = [await here.wait(1), await here.wait(2)]
        await here.free(booked)
        hold = await here.hold_of(entries[0])
        visit = await here.fulfil(entries[0], slot)
        assert (await here.desk.stored(hold)).status is Status.CANCELLED
        assert (await here.types())["waitlist.offer-declined"] == 1
        await here.inbound.hears_itself()
        others = await here.asked(*entries)
        assert others == ([] if slot == 0 else [1])
        assert visit.id in await here.claimed_by()
        assert (await here.desk.seats())[slot] == BUSY


async def test_one_seat_of_a_group_is_offered(offering: OpenOffering) -> None:
    async with offering(slots=1, capacity=3) as here:
        first, _ = await here.book(0), await here.book(1)
        entries = [await here.wait(2), await here.wait(3)]
        await here.free(first)
        assert await here.asked(*entries) == [0]
        assert await here.desk.seats() == [(2, SlotStatus.FREE)]
        await here.decline(entries[0])
        assert await here.asked(*entries) == [1]
        assert await here.desk.seats() == [(2, SlotStatus.FREE)]


async def test_holds_that_ran_out_are_told_once_and_to_who_waits(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        holds = [await here.desk.hold(n, n) for n in range(3)]
        live = here.clinic.request(3, 3, hold=Hold(at("08:30"), "somebody"))
        await here.desk.book(live)
        entry = await here.wait(4)
        assert await here.expire_holds() == 0
        here.desk.now = UNTIL
        assert await here.expire_holds() == 3
        assert await here.expire_holds() == 0
        told = await here.types()
        assert (told["hold.expired"], told["waitlist.slot-available"]) == (3, 3)
        assert await here.desk.seats() == [FREE, FREE, FREE, BUSY]
        for hold in holds:
            assert (await here.desk.stored(hold)).status is Status.CANCELLED
        await here.inbound.hears_itself()
        assert await here.asked(entry) == [0]


async def test_the_audit_tells_what_became_of_an_offer(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entries = [await here.wait(n) for n in (1, 2, 3)]
        await here.free(booked)
        await here.decline(entries[0])
        here.desk.now = UNTIL
        await here.expire()
        await here.accept(entries[2])
        rows = await here.desk.storage.audit(here.caller)
        actions = (r.action for r in rows if r.entity_type == "waitlist-entry")
        assert Counter(actions) == {
            "waitlist-entry.added": 3,
            "waitlist-entry.offered": 3,
            "waitlist-entry.declined": 1,
            "waitlist-entry.expired": 1,
            "waitlist-entry.fulfilled": 1,
        }

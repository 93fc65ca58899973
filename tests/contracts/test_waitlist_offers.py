"""Freed time is kept for one who waits after the other; nobody is booked by that."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scheduling.domain.errors import (
    InvalidStatusTransition,
    WaitlistEntryNotFound,
)
from scheduling.domain.settings import Settings
from scheduling.domain.slot import SlotStatus
from scheduling.domain.status import Status
from scheduling.domain.waitlist import WaitlistStatus
from scheduling.domain.waitlist_offer import WAITLIST
from tests.builders import EIGHT, at
from tests.contracts.inbound import Hearing
from tests.contracts.offering import OpenOffering, offering_over

UNTIL = EIGHT + timedelta(minutes=10)
FREE, BUSY = (0, SlotStatus.FREE), (1, SlotStatus.BUSY)


@pytest.fixture
def offering(hearing: Hearing) -> OpenOffering:
    return offering_over(hearing)


async def test_freed_time_is_held_for_the_best_of_those_who_wait(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        later = await here.wait(1)
        first = await here.wait(2, priority=1)
        await here.free(booked)
        assert await here.asked(later, first) == [1]
        hold = await here.hold_of(first)
        assert (hold.status, hold.held_by) == (Status.PENDING, WAITLIST)
        assert hold.patient_id == first.patient_id
        assert hold.slot_ids == booked.slot_ids
        assert hold.hold_expires_at == UNTIL
        assert (await here.as_it_is(first)).status is WaitlistStatus.WAITING
        (told,) = await here.inbound.told("waitlist.offered")
        assert told["subject"] == str(first.id)
        assert told["data"]["appointmentId"] == str(hold.id)
        assert told["data"]["patientId"] == str(first.patient_id)
        assert told["data"]["expiresAt"].startswith("2030-01-07T08:10:00")


async def test_by_default_nothing_is_offered(offering: OpenOffering) -> None:
    async with offering(settings=Settings()) as here:
        booked = await here.book(0)
        entry = await here.wait(1)
        await here.free(booked)
        assert await here.asked(entry) == []
        assert (await here.types())["waitlist.slot-available"] == 1
        assert await here.desk.seats() == [FREE] * 4


async def test_until_it_is_held_freed_time_is_everybodys(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entry = await here.wait(1)
        await here.cancel(booked)
        await here.book(2)
        await here.inbound.hears_itself()
        assert await here.asked(entry) == []


async def test_the_same_news_offers_once(offering: OpenOffering) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entries = [await here.wait(1), await here.wait(2)]
        await here.free(booked)
        await here.inbound.hears_itself()
        assert await here.asked(*entries) == [0]
        assert (await here.types())["waitlist.offered"] == 1


async def test_who_cannot_have_it_any_more_is_passed_over(
    offering: OpenOffering,
) -> None:
    async with offering(slots=6) as here:
        booked = await here.book(0)
        gone, holding, fine = [await here.wait(n) for n in (1, 2, 3)]
        await here.cancel(booked)
        await here.remove(gone)
        for slot in (3, 4, 5):
            await here.desk.hold(2, slot)
        await here.inbound.hears_itself()
        assert await here.asked(gone, holding, fine) == [2]


async def test_whoever_has_an_offer_gets_no_second_one(offering: OpenOffering) -> None:
    async with offering() as here:
        booked = [await here.book(0, 0), await here.book(0, 1)]
        entry, other = await here.wait(1), await here.wait(2)
        for one in booked:
            await here.free(one)
        assert await here.asked(entry, other) == [0, 1]
        assert (await here.hold_of(other)).slot_ids == booked[1].slot_ids


async def test_each_freed_slot_is_offered_to_another(offering: OpenOffering) -> None:
    async with offering() as here:
        when = here.clinic.by_start(
            replace(here.clinic.slots[0].period, end=here.clinic.slots[1].period.end)
        )
        booked = await here.desk.book(when)
        short = await here.wait(1, latest=at("09:30"))
        second = await here.wait(2, earliest=at("09:30"))
        third = await here.wait(3)
        await here.free(booked)
        assert await here.asked(short, second, third) == [0, 1]
        held = [(await here.hold_of(one)).slot_ids for one in (short, second)]
        assert held == [(booked.slot_ids[0],), (booked.slot_ids[1],)]


async def test_one_patients_two_wishes_are_asked_once(offering: OpenOffering) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entries = [await here.wait(1), await here.wait(1), await here.wait(2)]
        await here.free(booked)
        await here.decline(entries[0])
        assert await here.asked(*entries) == [2]


async def test_accepting_books_what_was_held_and_ends_the_waiting(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entry = await here.wait(1)
        await here.free(booked)
        hold = await here.hold_of(entry)
        fulfilled, visit = await here.accept(entry, here.clinic.own_token(1))
        assert (visit.id, visit.status) == (hold.id, Status.BOOKED)
        assert fulfilled.status is WaitlistStatus.FULFILLED
        assert fulfilled.appointment_id == visit.id
        assert await here.asked(entry) == []
        assert await here.desk.seats() == [BUSY, FREE, FREE, FREE]
        told = await here.types()
        assert told["waitlist.offer-accepted"] == told["waitlist.fulfilled"] == 1
        here.desk.now = UNTIL
        assert (await here.expire(), await here.expire_holds()) == (0, 0)
        assert (await here.desk.stored(visit)).status is Status.BOOKED


async def test_another_patient_sees_no_offer_to_take(offering: OpenOffering) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entry = await here.wait(1)
        await here.free(booked)
        other = here.clinic.own_token(2)
        with pytest.raises(WaitlistEntryNotFound):
            await here.accept(entry, other)
        with pytest.raises(WaitlistEntryNotFound):
            await here.decline(entry, other)


async def test_where_nothing_is_offered_there_is_nothing_to_answer(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        entry = await here.wait(1)
        for answer in (here.accept, here.decline):
            with pytest.raises(InvalidStatusTransition):
                await answer(entry)


async def test_what_is_declined_is_offered_to_the_next_at_once(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        first, second = await here.wait(1), await here.wait(2)
        await here.free(booked)
        opened = (await here.types())["slot.opened"]
        declined = await here.decline(first, here.clinic.own_token(1))
        assert declined.status is WaitlistStatus.WAITING
        assert await here.asked(first, second) == [1]
        assert (await here.hold_of(second)).slot_ids == booked.slot_ids
        assert await here.desk.seats() == [BUSY, FREE, FREE, FREE]
        told = await here.types()
        assert told["slot.opened"] == opened
        assert (told["waitlist.offer-declined"], told["waitlist.offered"]) == (1, 2)
        # The inbox hears of nothing new: the chain goes on by itself.
        await here.inbound.hears_itself()
        assert (await here.types())["waitlist.slot-available"] == 1


async def test_after_the_last_one_the_time_is_everybodys_and_told_once(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        booked = await here.book(0)
        entries = [await here.wait(1), await here.wait(2)]
        await here.free(booked)
        opened = (await here.types())["slot.opened"]
        for entry in entries:
            await here.decline(entry)
        assert await here.asked(*entries) == []
        assert await here.desk.seats() == [FREE] * 4
        told = await here.types()
        assert told["slot.opened"] == opened + 1
        assert told["waitlist.slot-available"] == 1
        await here.book(3)

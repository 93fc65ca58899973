"""Freed time is kept for one who waits after the other; nobody is booked by that."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from scheduling.domain.booking_request import Hold
from scheduling.domain.errors import (
    HoldExpired,
    InvalidStatusTransition,
    SlotNotAvailable,
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

"""Staff see who waits for a slot that is free, and offer it to one of them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from scheduling.application.ports.identity import StaffOnly
from scheduling.domain.errors import (
    BookingLimitReached,
    DomainError,
    InvalidInput,
    InvalidStatusTransition,
    OptimisticLockConflict,
    OutsideBookingWindow,
    SlotNotAvailable,
    SlotNotFound,
)
from scheduling.domain.identifiers import SlotId
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.slot import SlotStatus
from scheduling.domain.status import Status
from scheduling.domain.waitlist import WaitlistEntry, WaitlistStatus
from scheduling.domain.waitlist_offer import WAITLIST
from tests.builders import EIGHT, an_id, at
from tests.contracts.inbound import Hearing
from tests.contracts.offering import OFFERING, Offering, OpenOffering, offering_over

UNTIL = EIGHT + timedelta(minutes=10)
FREE, BUSY = (0, SlotStatus.FREE), (1, SlotStatus.BUSY)
BY_HAND = Settings(hold_minutes=10)
"""Nothing is offered but by staff."""

BOTH_WAYS = pytest.mark.parametrize("settings", [BY_HAND, OFFERING])


@pytest.fixture
def offering(hearing: Hearing) -> OpenOffering:
    return offering_over(hearing)


async def found(here: Offering, slot: int = 0) -> list[WaitlistEntry]:
    return [one.entry for one in await here.candidates(slot)]


async def test_who_waits_for_a_free_slot_is_found_best_first_by_name(
    offering: OpenOffering,
) -> None:
    async with offering(settings=BY_HAND) as here:
        older, newer = await here.wait(1), await here.wait(2)
        urgent = await here.wait(3, priority=1)
        await here.wait(4, earliest=at("09:15"))
        await here.book(5, 1)
        await here.wait(5, latest=at("09:30"), earliest=at("09:01"))
        await here.remove(await here.wait(0))
        assert await found(here) == [urgent, older, newer]
        names = [one.patient_name for one in await here.candidates()]
        assert names == [here.clinic.patients[number].name for number in (3, 1, 2)]


async def test_they_are_those_who_would_be_told_of_it(offering: OpenOffering) -> None:
    async with offering(settings=BY_HAND) as here:
        booked = await here.book(0)
        for patient in (1, 2, 3):
            await here.wait(patient, priority=patient % 2)
        await here.cancel(booked)
        (told,) = await here.inbound.told("waitlist.slot-available")
        ids = [one["waitlistEntryId"] for one in told["data"]["candidates"]]
        assert [str(one.id) for one in await found(here)] == ids


async def test_nobody_waits_for_what_cannot_be_booked(offering: OpenOffering) -> None:
    async with offering(settings=BY_HAND) as here:
        entry = await here.wait(1)
        await here.book(0)
        assert await found(here) == []
        assert await found(here, 1) == [entry]
        here.desk.now = here.clinic.slots[1].period.start
        assert await found(here, 1) == []
        assert await found(here, 2) == [entry]
        limited = Settings(minimum_notice_minutes=60)
        async with here.desk.storage.begin(here.caller) as work:
            stored = await work.settings.get()
            work.settings.save(stored.replaced_by(limited, now=EIGHT))
        assert await found(here, 2) == []


async def test_a_seat_is_free_as_soon_as_its_hold_has_run_out(
    offering: OpenOffering,
) -> None:
    async with offering(settings=BY_HAND) as here:
        entry = await here.wait(1)
        await here.desk.hold(0)
        assert await found(here) == []
        here.desk.now = UNTIL
        assert await found(here) == [entry]


async def test_who_has_an_offer_is_found_with_it(offering: OpenOffering) -> None:
    async with offering(settings=BY_HAND) as here:
        entry = await here.wait(1)
        offered = await here.offer(entry)
        [again] = await found(here, 1)
        assert again.offer == offered.offer


async def test_an_unknown_slot_is_nobodys(offering: OpenOffering) -> None:
    async with offering(settings=BY_HAND) as here:
        entry = await here.wait(1)
        unknown = replace(here.clinic.slots[0], id=SlotId(an_id()))
        here.desk.clinic = replace(here.clinic, slots=(unknown,))
        with pytest.raises(SlotNotFound):
            await here.candidates()
        with pytest.raises(SlotNotFound):
            await here.offer(entry)


@BOTH_WAYS
async def test_staff_offer_a_slot_whatever_the_organisation_has_set(
    offering: OpenOffering, settings: Settings
) -> None:
    async with offering(settings=settings) as here:
        best, chosen = await here.wait(1, priority=9), await here.wait(2)
        offered = await here.offer(chosen)
        assert (offered.version, offered.status) == (2, WaitlistStatus.WAITING)
        assert await here.asked(best, chosen) == [1]
        hold = await here.hold_of(chosen)
        assert (hold.status, hold.held_by) == (Status.PENDING, WAITLIST)
        assert hold.slot_ids == (here.clinic.slots[0].id,)
        assert hold.hold_expires_at == UNTIL
        (told,) = await here.inbound.told("waitlist.offered")
        assert told["subject"] == str(chosen.id)
        assert told["data"]["appointmentId"] == str(hold.id)
        done = await here.desk.storage.audit(here.caller)
        (record,) = [one for one in done if one.action == "waitlist-entry.offered"]
        assert (record.entity_id, record.actor) == (chosen.id, here.caller.subject)


async def test_what_staff_offer_is_accepted_as_any_offer(
    offering: OpenOffering,
) -> None:
    async with offering(settings=BY_HAND) as here:
        entry = await here.wait(1)
        await here.offer(entry)
        hold = await here.hold_of(entry)
        fulfilled, visit = await here.accept(entry, here.clinic.own_token(1))
        assert (visit.id, visit.status) == (hold.id, Status.BOOKED)
        assert fulfilled.status is WaitlistStatus.FULFILLED
        assert await here.desk.seats() == [BUSY, FREE, FREE, FREE]


@BOTH_WAYS
async def test_the_next_is_asked_only_where_the_organisation_does(
    offering: OpenOffering, settings: Settings
) -> None:
    async with offering(settings=settings) as here:
        entries = [await here.wait(number) for number in (1, 2, 3)]
        await here.offer(entries[1])
        await here.decline(entries[1])
        goes_on = settings.waitlist_offers
        assert await here.asked(*entries) == ([0] if goes_on else [])
        here.desk.now = UNTIL
        assert await here.expire() == goes_on
        assert await here.asked(*entries) == ([2] if goes_on else [])


async def test_an_offer_by_staff_that_nobody_answers_is_everybodys_again(
    offering: OpenOffering,
) -> None:
    async with offering(settings=BY_HAND) as here:
        entry, other = await here.wait(1), await here.wait(2)
        await here.offer(entry)
        here.desk.now = UNTIL
        assert await here.expire() == 1
        assert await here.desk.seats() == [FREE] * 4
        assert await here.asked(entry, other) == []
        told = await here.types()
        assert told["waitlist.offer-expired"] == told["hold.expired"] == 1
        (news,) = await here.inbound.told("waitlist.slot-available")
        told_of = [one["waitlistEntryId"] for one in news["data"]["candidates"]]
        assert told_of == [str(other.id)]


async def test_what_is_not_free_is_offered_to_nobody(offering: OpenOffering) -> None:
    async with offering(slots=6, settings=BY_HAND) as here:
        entry = await here.wait(1)
        await here.book(0)
        with pytest.raises(SlotNotAvailable):
            await here.offer(entry)
        for slot in (3, 4, 5):
            await here.desk.hold(1, slot)
        with pytest.raises(BookingLimitReached):
            await here.offer(entry, 1)
        here.desk.now = here.clinic.slots[1].period.start
        with pytest.raises(OutsideBookingWindow):
            await here.offer(entry, 1)
        assert (await here.types())["waitlist.offered"] == 0


async def test_time_that_was_not_wished_for_is_not_offered(
    offering: OpenOffering,
) -> None:
    async with offering(settings=BY_HAND) as here:
        late = await here.wait(1, earliest=at("09:15"))
        with pytest.raises(InvalidInput) as refused:
            await here.offer(late)
        assert refused.value.field == "slotId"
        assert await here.desk.seats() == [FREE] * 4
        await here.offer(late, 1)
        assert await here.asked(late) == [0]


async def test_one_entry_has_one_offer_and_none_after_it_waits_no_more(
    offering: OpenOffering,
) -> None:
    async with offering(settings=BY_HAND) as here:
        entry, gone = await here.wait(1), await here.wait(2)
        await here.offer(entry)
        await here.remove(gone)
        for one in (entry, gone):
            with pytest.raises(InvalidStatusTransition):
                await here.offer(one, 1)


async def test_an_offer_names_the_version_that_staff_saw(
    offering: OpenOffering,
) -> None:
    async with offering(settings=BY_HAND) as here:
        entry = await here.wait(1)
        await here.offer(entry)
        await here.decline(entry)
        with pytest.raises(OptimisticLockConflict):
            await here.offer(entry, version=1)
        await here.offer(entry, version=3)


async def test_a_patient_offers_nothing_and_sees_nobody(
    offering: OpenOffering,
) -> None:
    async with offering(settings=BY_HAND) as here:
        entry = await here.wait(1)
        own = here.clinic.own_token(1)
        with pytest.raises(StaffOnly):
            await here.offer(entry, caller=own)
        here.desk.clinic = replace(here.clinic, caller=own)
        with pytest.raises(StaffOnly):
            await here.candidates()


async def at_once(here: Offering, *offers: tuple[WaitlistEntry, int]) -> list[object]:
    done = await asyncio.gather(
        *(here.offer(entry, slot, version=1) for entry, slot in offers),
        return_exceptions=True,
    )
    refused = [one for one in done if isinstance(one, BaseException)]
    assert all(isinstance(one, DomainError) for one in refused), refused
    return list(refused)


@pytest.mark.parametrize(
    "settings", [OFFERING, replace(OFFERING, limits=Limits(per_practitioner_day=9))]
)
async def test_of_two_who_offer_one_seat_at_once_one_wins(
    offering: OpenOffering, settings: Settings
) -> None:
    async with offering(settings=settings) as here:
        entries = [await here.wait(number) for number in (1, 2, 3, 4)]
        refused = await at_once(here, *((entry, 0) for entry in entries))
        assert [type(one) for one in refused] == [SlotNotAvailable] * 3
        assert len(await here.asked(*entries)) == 1
        assert await here.desk.seats() == [BUSY, FREE, FREE, FREE]


async def test_of_two_slots_offered_to_one_at_once_one_is_kept(
    offering: OpenOffering,
) -> None:
    async with offering() as here:
        entry = await here.wait(1)
        refused = await at_once(here, *((entry, slot) for slot in range(4)))
        assert [type(one) for one in refused] == [OptimisticLockConflict] * 3
        assert (await here.types())["waitlist.offered"] == 1
        assert sum(booked for booked, _ in await here.desk.seats()) == 1

"""What the waitlist sends to PostgreSQL, whatever the number of rows."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from scheduling.application.commands.add_to_waitlist import AddToWaitlist
from scheduling.application.commands.decline_waitlist_offer import (
    DeclineWaitlistOffer,
)
from scheduling.application.commands.expire_holds import ExpireHolds
from scheduling.application.commands.fulfill_waitlist_entry import (
    FulfillWaitlistEntry,
)
from scheduling.application.commands.hold_slot import HoldSlot
from scheduling.application.commands.make_waitlist_offer import MakeWaitlistOffer
from scheduling.application.commands.remove_from_waitlist import RemoveFromWaitlist
from scheduling.application.ports.waitlist import WaitlistFilter
from scheduling.application.queries.find_waitlist_candidates import (
    FindWaitlistCandidates,
)
from scheduling.application.queries.get_waitlist import GetWaitlist
from scheduling.application.queries.get_waitlist_entry import GetWaitlistEntry
from scheduling.application.steps.offer_freed_time import find_who_takes_it, keep_for
from scheduling.domain.booking_request import ByStart
from scheduling.domain.freed_time import (
    GivenBack,
    TimeToOffer,
)
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.version import ExpectedVersion
from scheduling.domain.waitlist import (
    WaitlistStatus,
)
from tests.builders import EIGHT, an_id, open_clinic, slots_from
from tests.contracts.storages import postgres_storage
from tests.fakes.storage import MemoryStorage
from tests.integration.ear import BEGIN, COMMIT, READ, WRITE, Ear
from tests.waiting import (
    Reception,
    a_clinic,
    a_wish,
    an_entry,
    cancelled,
    entries_of,
    save,
)
from tests.waiting import announced as announced_to

FIRST = ExpectedVersion(1)


@pytest.fixture
async def ear(database_url: str) -> AsyncIterator[Ear]:
    async with postgres_storage(database_url, size=1) as storage:
        # asyncpg asks about types once, when it first meets them.
        clinic, reception = await a_clinic(storage)
        entry = await reception.wait(1)
        await reception.cancel(await reception.book(0))
        async with storage.begin(clinic.caller) as work:
            await work.waitlist.known(a_wish())
            await work.waitlist.page(WaitlistFilter())
            await work.waitlist.get(entry.id)
        ear = Ear(storage)
        async with storage.pool.acquire() as connection:
            connection.add_query_logger(ear.hear)
        yield ear


async def test_adding_is_one_reading_and_one_writing_whomever_it_names(
    ear: Ear,
) -> None:
    clinic, _ = await a_clinic(ear.storage)
    add = AddToWaitlist(ear.storage.begin, lambda: EIGHT)
    for count in (1, 40):
        other = [
            (await a_clinic(ear.storage, caller=clinic.caller, patients=0))[0]
            for _ in range(count)
        ]
        wish = a_wish(
            clinic.patients[0].id,
            practitioner_ids=tuple(one.practitioner.id for one in other),
            location_ids=tuple(one.location.id for one in other),
        )
        assert await ear.during(add(clinic.caller, wish)) == [READ, WRITE]


async def test_fulfilling_is_a_booking_and_one_reading(ear: Ear) -> None:
    clinic, reception = await a_clinic(ear.storage)
    entry = await reception.wait(1)
    fulfil = FulfillWaitlistEntry(ear.storage.begin, lambda: EIGHT)
    heard = await ear.during(
        fulfil(clinic.caller, entry.id, clinic.request(), expected=FIRST)
    )
    assert heard == [READ, READ, WRITE]


async def test_removing_is_one_reading_and_one_writing(ear: Ear) -> None:
    clinic, reception = await a_clinic(ear.storage)
    entry = await reception.wait(1)
    remove = RemoveFromWaitlist(ear.storage.begin, lambda: EIGHT)
    heard = await ear.during(remove(clinic.caller, entry.id, expected=FIRST))
    assert heard == [READ, WRITE]


@pytest.mark.parametrize("count", [1, 100])
async def test_a_page_is_one_reading_however_long_it_is(ear: Ear, count: int) -> None:
    clinic, _ = await a_clinic(ear.storage)
    patient = clinic.patients[0].id
    await save(ear.storage, clinic, *(an_entry(patient) for _ in range(count)))
    recorder = MemoryStorage().recorder
    show = GetWaitlist(ear.storage.begin, recorder)
    for wanted in (
        WaitlistFilter(),
        WaitlistFilter(status=WaitlistStatus.WAITING, patient_id=patient),
        WaitlistFilter(after=(EIGHT, an_id())),  # type: ignore[arg-type]  # any id
    ):
        assert await ear.during(show(clinic.caller, wanted)) == [READ]
    entry = (await show(clinic.caller, WaitlistFilter())).items[0].entry
    get = GetWaitlistEntry(ear.storage.begin, recorder)
    assert await ear.during(get(clinic.caller, entry.id)) == [READ]


@pytest.mark.parametrize("count", [0, 1, 100])
async def test_telling_who_waits_costs_a_cancel_one_reading(
    ear: Ear, count: int
) -> None:
    """Also where limits are set, which elsewhere cost a lock and a second look."""
    clinic, reception = await a_clinic(
        ear.storage, settings=Settings(limits=Limits(per_practitioner_day=9))
    )
    booked = await reception.book(0)
    patient = clinic.patients[1].id
    await save(ear.storage, clinic, *(an_entry(patient) for _ in range(count)))
    heard = await ear.during(reception.cancel(booked))
    assert heard == [BEGIN, READ, READ, WRITE, COMMIT]
    told = await announced_to(ear.storage, clinic.caller)
    assert [len(entries_of(one)) for one in told] == ([min(count, 20)] if count else [])


async def test_several_freed_times_cost_no_more_than_one(ear: Ear) -> None:
    clinic, reception = await a_clinic(ear.storage)
    await reception.wait(4)
    visits = [await reception.book(n, n) for n in range(3)]
    steps = [
        GivenBack(visit, cancelled(visit), (slot,))
        for visit, slot in zip(visits, clinic.slots, strict=True)
    ]

    async def look() -> None:
        async with ear.storage.begin(clinic.caller) as work:
            assert len(await work.waitlist.candidates(steps, EIGHT)) == 3

    assert await ear.during(look()) == [READ]


@pytest.mark.parametrize("count", [1, 20])
async def test_holds_are_swept_together_however_many_ran_out(
    ear: Ear, count: int
) -> None:
    """Which, locked; who waits for their time; all of it written; and nothing more."""
    clinic = await open_clinic(
        ear.storage.begin, *slots_from("09:00", count=count), patients=count
    )
    hold = HoldSlot(ear.storage.begin, lambda: EIGHT)
    for number in range(count):
        await hold(clinic.caller, clinic.request(number, number))
    later = EIGHT + timedelta(minutes=10)
    sweep = ExpireHolds(ear.storage.begin, lambda: later)
    heard = await ear.during(sweep(clinic.caller))
    assert heard == [READ, BEGIN, READ, READ, WRITE, COMMIT]
    assert await ear.during(sweep(clinic.caller)) == [READ]


@pytest.mark.parametrize("count", [1, 20])
async def test_declining_asks_the_next_at_the_same_cost_whoever_else_waits(
    ear: Ear, count: int
) -> None:
    clinic, _ = await a_clinic(
        ear.storage, patients=count + 2, settings=Settings(waitlist_offers=True)
    )
    entries = [an_entry(patient.id) for patient in clinic.patients]
    await save(ear.storage, clinic, *entries)
    ids = tuple(entry.id for entry in entries)
    slot = clinic.slots[0]
    when = ByStart(slot.practitioner_id, slot.location_id, slot.period)
    async with ear.storage.begin(clinic.caller) as work:
        found = await find_who_takes_it(
            work, TimeToOffer("news", ids, when, "consultation"), now=EIGHT
        )
        assert found is not None
        await keep_for(work, found, now=EIGHT)
    decline = DeclineWaitlistOffer(ear.storage.begin, lambda: EIGHT)
    heard = await ear.during(
        decline(clinic.caller, found[0].id, expected=ExpectedVersion(2))
    )
    # The entry; its hold; whether it goes on, to whom, their turn, the facts.
    reading = [READ, BEGIN, READ, READ, READ, READ, READ]
    assert heard == [*reading, WRITE, WRITE, COMMIT]


@pytest.mark.parametrize("count", [1, 20])
async def test_candidates_are_three_readings_however_many_there_are(
    ear: Ear, count: int
) -> None:
    """The slot, who waits for it, and their names with what is offered to them."""
    clinic, _ = await a_clinic(ear.storage, patients=count)
    await save(ear.storage, clinic, *(an_entry(one.id) for one in clinic.patients))
    find = FindWaitlistCandidates(
        ear.storage.begin, lambda: EIGHT, MemoryStorage().recorder
    )
    heard = await ear.during(find(clinic.caller, clinic.slots[0].id))
    assert heard == [READ] * 3
    assert len(await find(clinic.caller, clinic.slots[0].id)) == count


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize("goes_on", [False, True])
async def test_offering_costs_the_same_however_many_wait(
    ear: Ear, *, count: int, goes_on: bool
) -> None:
    clinic, _ = await a_clinic(
        ear.storage, patients=count, settings=Settings(waitlist_offers=goes_on)
    )
    entries = [an_entry(one.id) for one in clinic.patients]
    await save(ear.storage, clinic, *entries)
    offer = MakeWaitlistOffer(ear.storage.begin, lambda: EIGHT)
    heard = await ear.during(
        offer(
            clinic.caller,
            entries[0].id,
            clinic.slots[0].id,
            appointment_type="visit",
            expected=FIRST,
        )
    )
    # The entry, the settings; who comes next; the patient's turn; the facts.
    next_ones = [READ, READ] if goes_on else []
    assert heard == [READ, READ, *next_ones, BEGIN, READ, READ, WRITE, COMMIT]


async def test_time_that_nobody_can_book_any_more_costs_nothing(ear: Ear) -> None:
    clinic, reception = await a_clinic(ear.storage)
    booked = await reception.book(0)
    late = Reception(ear.storage.begin, clinic)
    heard = await ear.during(late.cancel(booked, now=booked.period.start))
    assert heard == [BEGIN, READ, WRITE, COMMIT]

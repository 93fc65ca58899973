"""A slot that no rule wants while somebody is in it: they stay, and nobody comes."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from scheduling.application.ports.appointment_lists import CalendarFilter, Whose
from scheduling.application.ports.availability import First, SlotFilter, SlotList
from scheduling.application.ports.schedule_lists import ScheduleSlotFilter
from scheduling.application.queries.explain_availability import ExplainAvailability
from scheduling.application.queries.get_settings import GetSettings
from scheduling.application.queries.search_available_slots import SearchAvailableSlots
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import Override
from scheduling.domain.errors import SlotNotAvailable
from scheduling.domain.explaining import Question, Reason
from scheduling.domain.local_days import LocalDays, Span
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot, SlotStatus
from tests.builders import at
from tests.contracts.storages import Storage
from tests.generating import Post, a_post
from tests.patterns import a_rule
from tests.waiting import an_entry

THE_DAY = Period(at("00:00"), at("00:00", day=1))
BUSY_UNAVAILABLE, BUSY = SlotStatus.BUSY_UNAVAILABLE, SlotStatus.BUSY

Kept = Callable[[int], Awaitable[tuple[Post, Slot, list[Appointment]]]]


@pytest.fixture
def kept(everywhere: Storage) -> Kept:
    async def open_with(booked: int) -> tuple[Post, Slot, list[Appointment]]:
        """Of three seats at nine so many are booked; then rules begin at ten."""
        post = await a_post(everywhere, a_rule("09:00", "11:00", 60, capacity=3))
        await post.generate()
        visits = [await post.book("09:00", patient=n) for n in range(booked)]
        await post.put(a_rule("10:00", "11:00", 60, capacity=3))
        run = await post.generate()
        assert run.retained == 1
        return post, await post.slot("09:00"), visits

    return open_with


@pytest.mark.parametrize(("booked", "status"), [(1, BUSY_UNAVAILABLE), (3, BUSY)])
async def test_all_lists_show_it_without_a_seat(
    kept: Kept, booked: int, status: SlotStatus
) -> None:
    post, slot, _ = await kept(booked)
    caller, now = post.clinic.caller, post.now
    async with post.storage.begin(caller) as work:
        of_owner = await work.availability.slots(
            SlotList(owner="location", id=slot.location_id, when=THE_DAY),
            First(10),
            settings=Settings(),
            now=now,
        )
        (day,) = await work.calendar.read(
            CalendarFilter(
                days=LocalDays("UTC", THE_DAY),
                whose=Whose(location_ids=(slot.location_id,)),
                now=now,
            )
        )
        wanted = ScheduleSlotFilter(schedule_id=slot.schedule_id, period=THE_DAY)
        of_schedule = await work.schedule_lists.slots(wanted, now)
        alone = await work.schedule_lists.slot(slot.id, now)
    (one,) = (one for one in of_owner if one.slot_id == slot.id)
    assert (one.status, one.remaining, one.booked) == (status, 0, booked)
    assert not one.offered
    (shown,) = (one for one in orjson.loads(day.slots) if one["id"] == str(slot.id))
    assert (shown["status"], shown["remaining"]) == (status, 0)
    (listed,) = (one for one in of_schedule if one.id == slot.id)
    for found in (listed, alone.slot):
        assert (found.shown_status, found.remaining) == (status, 0)


async def test_lists_of_a_status_know_it_by_what_they_show(kept: Kept) -> None:
    post, slot, _ = await kept(1)
    found = {}
    async with post.storage.begin(post.clinic.caller) as work:
        for status in (SlotStatus.FREE, BUSY, BUSY_UNAVAILABLE):
            wanted = ScheduleSlotFilter(
                schedule_id=slot.schedule_id, period=THE_DAY, status=status
            )
            some = await work.schedule_lists.slots(wanted, post.now)
            found[status] = [f"{one.period.start:%H}" for one in some]
    assert found == {SlotStatus.FREE: ["10"], BUSY: [], BUSY_UNAVAILABLE: ["09"]}


async def test_it_is_not_offered_and_explained_as_outside_hours(kept: Kept) -> None:
    post, slot, _ = await kept(1)
    begin = post.storage.begin
    day = Span(THE_DAY.start, THE_DAY.end)
    search = SearchAvailableSlots(begin, GetSettings(begin), post.clock)
    found = await search(post.clinic.caller, SlotFilter(), day, First(50))
    assert slot.id not in {one.slot_id for one in found.items}
    explain = ExplainAvailability(
        begin, GetSettings(begin), post.clock, post.storage.recorder
    )
    stretches = await explain(
        post.clinic.caller, slot.practitioner_id, None, Question(), day
    )
    (of_it,) = (one for one in stretches if one.slot_id == slot.id)
    assert Reason.OUTSIDE_HOURS in of_it.reasons


async def test_nobody_gets_a_seat_not_even_by_insisting(kept: Kept) -> None:
    post, slot, _ = await kept(1)
    with pytest.raises(SlotNotAvailable):
        await post.book_slot(slot, 3)
    with pytest.raises(SlotNotAvailable):
        await post.hold_slot(slot, 3)
    insisting = Override(reason="he cannot wait", allowed=True)
    with pytest.raises(SlotNotAvailable):
        await post.book_slot(slot, 3, override=insisting)


async def test_a_seat_given_back_is_nobodys_news(kept: Kept) -> None:
    post, _, visits = await kept(3)
    async with post.storage.begin(post.clinic.caller) as work:
        work.waitlist.save(an_entry(post.clinic.patients[3].id))
    await post.cancel(visits[0])
    told = await types_told(post)
    assert "appointment.cancelled" in told
    assert "waitlist.slot-available" not in told
    assert told.count("slot.opened") == 1, "that of the slot that staff made"
    slot = await post.slot("09:00")
    assert (slot.booked, slot.shown_status) == (2, BUSY_UNAVAILABLE)


async def test_a_seat_given_back_where_rules_want_it_is_news(kept: Kept) -> None:
    """The counterpart."""
    post, _, visits = await kept(3)
    await post.put(a_rule("09:00", "11:00", 60, capacity=3))
    await post.generate()
    async with post.storage.begin(post.clinic.caller) as work:
        work.waitlist.save(an_entry(post.clinic.patients[3].id))
    await post.cancel(visits[0])
    told = await types_told(post)
    assert "waitlist.slot-available" in told
    assert told.count("slot.opened") == 2


async def types_told(post: Post) -> list[Any]:
    outbox = await post.storage.outbox(post.clinic.caller)
    return [orjson.loads(envelope.body)["type"] for envelope in outbox]

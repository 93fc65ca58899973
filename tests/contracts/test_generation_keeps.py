"""What runs keep and go around: who is booked, what staff say, what is closed."""

from dataclasses import replace

import pytest

from scheduling.domain.errors import SlotNotAvailable
from scheduling.domain.schedule_exception import ExceptionKind
from scheduling.domain.slot import SlotStatus
from tests.builders import at, between
from tests.generating import MORNING, OpenPost, counts, told_of_type
from tests.patterns import a_rule, hours


async def test_cut_hours_retire_what_is_free_and_keep_what_is_booked(
    post: OpenPost,
) -> None:
    here = await post()
    await here.generate()
    kept = await here.book("10:30")
    await here.put(a_rule("09:00", "10:00"))
    run = await here.generate()
    assert counts(run) == {"unchanged": 6, "retired": 5, "retained": 1}
    assert run.kept_by_reason == {"BOOKED": 1}
    assert [one.appointment_ids for one in run.kept] == [(kept.id,)]
    assert run.affected == (kept.id,)
    assert await here.shown() == [
        "09:00-09:30 free",
        "09:30-10:00 free",
        "10:30-11:00 busy",
    ]


async def test_a_kept_slot_that_nobody_wants_is_sold_no_more(post: OpenPost) -> None:
    here = await post(replace(MORNING, capacity=2))
    await here.generate()
    kept = await here.book("10:30")
    await here.put(a_rule("09:00", "10:00", capacity=2))
    await here.generate()
    slot = await here.slot("10:30")
    assert (slot.shown_status, slot.remaining) == (SlotStatus.BUSY_UNAVAILABLE, 0)
    with pytest.raises(SlotNotAvailable):
        await here.book("10:30", patient=1)
    opened = len(await told_of_type(here, "slot.opened"))
    await here.cancel(kept)
    assert len(await told_of_type(here, "slot.opened")) == opened
    with pytest.raises(SlotNotAvailable):
        await here.book("10:30", patient=1)
    assert counts(await here.generate()) == {"unchanged": 6, "retired": 1}


async def test_a_kept_slot_that_is_wanted_again_is_sold_again(post: OpenPost) -> None:
    here = await post(replace(MORNING, capacity=2))
    await here.generate()
    await here.book("10:30")
    await here.put(a_rule("09:00", "10:00", capacity=2))
    await here.generate()
    await here.put(replace(MORNING, capacity=2))
    assert counts(await here.generate()) == {
        "created": 5,
        "updated": 1,
        "unchanged": 6,
    }
    await here.book("10:30", patient=1)


async def test_a_live_hold_keeps_its_slot(post: OpenPost) -> None:
    here = await post()
    await here.generate()
    await here.hold("10:30")
    await here.put(a_rule("09:00", "10:00"))
    assert (await here.generate()).kept_by_reason == {"HELD": 1}


async def test_what_staff_blocked_stays_blocked(post: OpenPost) -> None:
    here = await post()
    await here.generate()
    await here.block("09:00")
    await here.block("10:30")
    await here.put(a_rule("09:00", "10:00"))
    run = await here.generate()
    assert counts(run) == {"unchanged": 6, "retired": 5, "retained": 1}
    assert run.kept_by_reason == {"BLOCKED": 1}
    assert await here.shown() == [
        "09:00-09:30 busy-unavailable",
        "09:30-10:00 free",
        "10:30-11:00 busy-unavailable",
    ]


async def test_slots_that_staff_made_are_left_alone(post: OpenPost) -> None:
    here = await post()
    same = await here.open_by_hand(between("09:00", "09:30"), capacity=7)
    across = await here.open_by_hand(between("09:45", "10:15"))
    run = await here.generate()
    assert counts(run) == {"created": 9, "unchanged": 1, "conflicts": 2}
    assert run.kept_by_reason == {"STAFF_SLOT": 1}
    await here.put(a_rule("15:00", "16:00"))
    assert counts(await here.generate()) == {"created": 6, "retired": 9}
    assert {slot.id for slot in await here.slots(day=0)} >= {same.id, across.id}
    assert (await here.slot("09:00")).capacity == 7


async def test_another_grid_goes_around_who_is_booked(post: OpenPost) -> None:
    here = await post()
    await here.generate()
    await here.book("09:30")
    await here.put(a_rule("09:00", "11:00", 40))
    run = await here.generate()
    assert counts(run) == {
        "created": 7,
        "conflicts": 2,
        "retired": 11,
        "retained": 1,
    }
    assert run.kept_by_reason == {"BOOKED": 1}
    assert await here.shown() == ["09:30-10:00 busy", "10:20-11:00 free"]


async def test_what_is_on_now_is_in_the_way(post: OpenPost) -> None:
    here = await post()
    await here.generate()
    here.now = at("09:10")
    await here.put(a_rule("09:20", "11:20", 40))
    run = await here.generate()
    assert run.kept_by_reason == {"IN_PROGRESS": 1}
    assert counts(run) == {"created": 8, "conflicts": 1, "retired": 11}
    assert await here.shown() == [
        "09:00-09:30 free",
        "10:00-10:40 free",
        "10:40-11:20 free",
    ]


async def test_capacity_follows_the_rule_also_of_what_is_booked(post: OpenPost) -> None:
    here = await post(replace(MORNING, capacity=3))
    await here.generate()
    for patient in range(2):
        await here.book("09:00", patient=patient)
    await here.put(replace(MORNING, capacity=1))
    assert counts(await here.generate()) == {"updated": 12}
    slot = await here.slot("09:00")
    assert (slot.capacity, slot.booked, slot.remaining) == (1, 2, 0)
    assert slot.status is SlotStatus.BUSY
    await here.put(replace(MORNING, capacity=4))
    await here.generate()
    slot = await here.slot("09:00")
    assert (slot.remaining, slot.status) == (2, SlotStatus.FREE)


async def test_service_types_follow_but_of_what_is_booked(post: OpenPost) -> None:
    here = await post(replace(MORNING, capacity=2, service_types=("eyes",)))
    await here.generate()
    await here.book("09:00")
    await here.put(replace(MORNING, capacity=2, service_types=("ears",)))
    run = await here.generate()
    assert counts(run) == {"updated": 11, "conflicts": 1, "retained": 1}
    assert (await here.slot("09:30")).service_types == ("ears",)
    kept = await here.slot("09:00")
    assert (kept.service_types, kept.remaining) == (("eyes",), 0)


async def test_a_deactivated_role_loses_its_free_slots_only(post: OpenPost) -> None:
    here = await post()
    await here.generate()
    kept = await here.book("10:00")
    await here.put(MORNING, active=False)
    run = await here.generate()
    assert counts(run) == {"retired": 11, "retained": 1}
    assert run.affected == (kept.id,)
    assert [slot.period.start for slot in await here.slots()] == [kept.period.start]


async def test_what_an_exception_closes_is_kept_and_opens_with_it(
    post: OpenPost,
) -> None:
    here = await post()
    await here.generate()
    said = await here.say(ExceptionKind.CLOSED, day=1)
    run = await here.generate()
    assert counts(run) == {"unchanged": 8, "retained": 4}
    assert run.kept_by_reason == {"EXCEPTION": 4}
    await here.unsay(said)
    assert counts(await here.generate()) == {"unchanged": 12}
    assert {one[-4:] for one in await here.shown(day=1)} == {"free"}


async def test_what_rules_do_not_want_either_goes_from_closed_time(
    post: OpenPost,
) -> None:
    here = await post()
    await here.generate()
    await here.say(ExceptionKind.CLOSED, day=1)
    await here.put(a_rule("09:00", "10:00"))
    run = await here.generate()
    assert counts(run) == {"unchanged": 4, "retained": 2, "retired": 6}
    assert len(await here.shown(day=1)) == 2


async def test_extra_hours_are_wanted_and_not_made_twice(post: OpenPost) -> None:
    here = await post()
    await here.generate()
    said = await here.say(ExceptionKind.EXTRA, hours("14:00", "15:00"), day=1)
    assert counts(await here.generate()) == {"unchanged": 14}
    await here.unsay(said)
    assert counts(await here.generate()) == {"unchanged": 12}


async def test_extra_hours_that_a_run_made_go_with_their_exception(
    post: OpenPost,
) -> None:
    here = await post()
    said = await here.say(ExceptionKind.EXTRA, hours("14:00", "15:00"), day=1)
    await here.put(MORNING, active=False)
    await here.generate()
    assert await here.slots() == []
    await here.put(MORNING)
    await here.generate()
    assert len(await here.shown(day=1)) == 6
    await here.unsay(said)
    assert len(await here.shown(day=1)) == 4

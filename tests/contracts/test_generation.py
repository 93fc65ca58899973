"""What runs do to a calendar, in memory and in PostgreSQL."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from scheduling.application.commands.generate_slots import GenerateSlots
from scheduling.domain.errors import ScheduleNotFound, SlotNotAvailable
from scheduling.domain.generation import Action
from scheduling.domain.identifiers import ScheduleId
from scheduling.domain.schedule_exception import ExceptionKind
from scheduling.domain.slot import SlotStatus
from scheduling.domain.slot_difference import KeptBecause
from tests.builders import a_caller, an_id, at, between
from tests.contracts.storages import Storage
from tests.generating import MORNING, KnownHolidays, Post, a_post
from tests.patterns import MON, TUE, a_rule, hours

Open = Callable[..., Awaitable[Post]]


@pytest.fixture
def post(everywhere: Storage) -> Open:
    async def opened(*rules: Any, **told: Any) -> Post:  # noqa: ANN401
        return await a_post(everywhere, *rules, **told)

    return opened


def counts(run: Any) -> dict[str, int]:  # noqa: ANN401
    """Return what is not nothing."""
    names = ("created", "updated", "unchanged", "conflicts", "retired", "retained")
    assert run.desired == run.created + run.updated + run.unchanged + run.conflicts
    return {name: n for name in names if (n := getattr(run, name))}


async def test_a_first_run_makes_all_slots_up_to_the_horizons_last_day(
    post: Open,
) -> None:
    here = await post()
    run = await here.generate()
    assert counts(run) == {"created": 12}
    assert [await here.shown(day=day) for day in range(4)] == [
        ["09:00-09:30 free", "09:30-10:00 free", "10:00-10:30 free", "10:30-11:00 free"]
    ] * 3 + [[]]
    schedule = await here.calendar()
    for slot in await here.slots():
        assert (slot.practitioner_id, slot.location_id, slot.timezone) == (
            schedule.practitioner_id,
            schedule.location_id,
            schedule.timezone,
        )
        assert (slot.capacity, slot.booked, slot.version) == (1, 0, 1)


async def test_made_slots_can_be_booked(post: Open) -> None:
    here = await post()
    await here.generate()
    await here.book("09:30")
    assert (await here.slot("09:30")).booked == 1


async def test_the_same_event_again_returns_the_run_and_changes_nothing(
    post: Open,
) -> None:
    here = await post()
    run = await here.generate(source_event_id="news")
    await here.put(a_rule("09:00", "10:00"))
    events = len(await here.storage.outbox(here.clinic.caller))
    again = await here.generate(source_event_id="news")
    assert again == replace(run, repeated=True)
    assert len(await here.slots()) == 12
    assert len(await here.storage.outbox(here.clinic.caller)) == events


async def test_another_event_finds_nothing_to_do(post: Open) -> None:
    here = await post()
    first = await here.generate()
    before = await here.slots()
    second = await here.generate()
    assert counts(second) == {"unchanged": 12}
    assert second.digest == first.digest
    assert await here.slots() == before


async def test_news_older_than_what_was_followed_is_ignored(post: Open) -> None:
    here = await post()
    await here.put(a_rule("09:00", "10:00"))
    await here.put(a_rule("14:00", "15:00"))
    run = await here.follow(3)
    assert run is not None
    assert run.role_version == 3
    events = len(await here.storage.outbox(here.clinic.caller))
    assert await here.follow(2) is None
    assert await here.shown() == ["14:00-14:30 free", "14:30-15:00 free"]
    assert len(await here.storage.outbox(here.clinic.caller)) == events


async def test_early_news_follows_what_is_stored_now(post: Open) -> None:
    here = await post()
    await here.put(a_rule("14:00", "15:00"))
    run = await here.follow(1)
    assert run is not None
    assert run.role_version == 2
    assert await here.shown() == ["14:00-14:30 free", "14:30-15:00 free"]


async def test_cut_hours_retire_what_is_free_and_keep_what_is_booked(
    post: Open,
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


async def test_a_kept_slot_that_nobody_wants_is_sold_no_more(post: Open) -> None:
    here = await post(replace(MORNING, capacity=2))
    await here.generate()
    kept = await here.book("10:30")
    await here.put(a_rule("09:00", "10:00", capacity=2))
    await here.generate()
    slot = await here.slot("10:30")
    assert (slot.shown_status, slot.remaining) == (SlotStatus.BUSY_UNAVAILABLE, 0)
    with pytest.raises(SlotNotAvailable):
        await here.book("10:30", patient=1)
    opened = len(await _of_type(here, "slot.opened"))
    await here.cancel(kept)
    assert len(await _of_type(here, "slot.opened")) == opened
    with pytest.raises(SlotNotAvailable):
        await here.book("10:30", patient=1)
    assert counts(await here.generate()) == {"unchanged": 6, "retired": 1}


async def test_a_kept_slot_that_is_wanted_again_is_sold_again(post: Open) -> None:
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


async def test_a_live_hold_keeps_its_slot(post: Open) -> None:
    here = await post()
    await here.generate()
    await here.hold("10:30")
    await here.put(a_rule("09:00", "10:00"))
    assert (await here.generate()).kept_by_reason == {"HELD": 1}


async def test_what_staff_blocked_stays_blocked(post: Open) -> None:
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


async def test_slots_that_staff_made_are_left_alone(post: Open) -> None:
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


async def test_another_grid_goes_around_who_is_booked(post: Open) -> None:
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


async def test_what_is_on_now_is_in_the_way(post: Open) -> None:
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


async def test_capacity_follows_the_rule_also_of_what_is_booked(post: Open) -> None:
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


async def test_service_types_follow_but_of_what_is_booked(post: Open) -> None:
    here = await post(replace(MORNING, capacity=2, service_types=("eyes",)))
    await here.generate()
    await here.book("09:00")
    await here.put(replace(MORNING, capacity=2, service_types=("ears",)))
    run = await here.generate()
    assert counts(run) == {"updated": 11, "conflicts": 1, "retained": 1}
    assert (await here.slot("09:30")).service_types == ("ears",)
    kept = await here.slot("09:00")
    assert (kept.service_types, kept.remaining) == (("eyes",), 0)


async def test_a_deactivated_role_loses_its_free_slots_only(post: Open) -> None:
    here = await post()
    await here.generate()
    kept = await here.book("10:00")
    await here.put(MORNING, active=False)
    run = await here.generate()
    assert counts(run) == {"retired": 11, "retained": 1}
    assert run.affected == (kept.id,)
    assert [slot.period.start for slot in await here.slots()] == [kept.period.start]


async def test_what_an_exception_closes_is_kept_and_opens_with_it(post: Open) -> None:
    here = await post()
    await here.generate()
    said = await here.say(ExceptionKind.CLOSED, day=1)
    run = await here.generate()
    assert counts(run) == {"unchanged": 8, "retained": 4}
    assert run.kept_by_reason == {"EXCEPTION": 4}
    await here.unsay(said)
    assert counts(await here.generate()) == {"unchanged": 12}
    assert {one[-4:] for one in await here.shown(day=1)} == {"free"}


async def test_what_rules_do_not_want_either_goes_from_closed_time(post: Open) -> None:
    here = await post()
    await here.generate()
    await here.say(ExceptionKind.CLOSED, day=1)
    await here.put(a_rule("09:00", "10:00"))
    run = await here.generate()
    assert counts(run) == {"unchanged": 4, "retained": 2, "retired": 6}
    assert len(await here.shown(day=1)) == 2


async def test_extra_hours_are_wanted_and_not_made_twice(post: Open) -> None:
    here = await post()
    await here.generate()
    said = await here.say(ExceptionKind.EXTRA, hours("14:00", "15:00"), day=1)
    assert counts(await here.generate()) == {"unchanged": 14}
    await here.unsay(said)
    assert counts(await here.generate()) == {"unchanged": 12}


async def test_extra_hours_that_a_run_made_go_with_their_exception(post: Open) -> None:
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


async def test_a_shorter_horizon_retires_what_lies_behind_it(post: Open) -> None:
    here = await post(horizon=3)
    await here.generate()
    await here.book("10:00", day=3)
    await here.set(horizon_days=1)
    assert counts(await here.generate()) == {
        "unchanged": 8,
        "retired": 7,
        "retained": 1,
    }


async def test_the_calendars_own_horizon_counts(post: Open) -> None:
    here = await post(horizon=3)
    async with here.storage.begin(here.clinic.caller) as work:
        schedule = await work.schedules.of_role(here.role.id)
        assert schedule is not None
        shorter = replace(schedule, horizon_days=1, version=schedule.version + 1)
        work.schedules.save(shorter)
    run = await here.generate()
    assert counts(run) == {"created": 8}
    assert (run.last_day - run.first_day).days == 1


async def test_another_zone_of_the_location_moves_the_calendar(post: Open) -> None:
    here = await post()
    await here.generate()
    await here.place(timezone="Europe/Berlin")
    run = await here.generate()
    assert (await here.calendar()).timezone == "Europe/Berlin"
    # Nine o'clock in Berlin is eight here, and past; the last day's are wanted, too.
    assert await here.shown() == [
        "08:30-09:00 free",
        "09:00-09:30 free",
        "09:30-10:00 free",
    ]
    assert {slot.timezone for slot in await here.slots()} == {"Europe/Berlin"}
    assert run.created + run.updated == run.desired == 11


async def test_a_run_tells_what_it_did_once(post: Open) -> None:
    here = await post()
    run = await here.generate(source_event_id="news")
    (told,) = await _of_type(here, "slots.generation.completed")
    assert told["data"]["generationRunId"] == str(run.id)
    assert told["data"]["created"] == 12
    assert told["data"]["sourceEventId"] == "news"
    assert told["subject"] == str(run.schedule_id)
    assert await _of_type(here, "slot.opened") == [
        one
        for one in await _of_type(here, "slot.opened")
        if one["data"]["scheduleId"] != str(run.schedule_id)
    ]
    rows = await here.storage.audit(here.clinic.caller)
    (row,) = (row for row in rows if row.action == "slots.generated")
    assert (row.entity_type, row.entity_id) == ("schedule", run.schedule_id)
    assert row.changes["digest"] == (None, run.digest)
    assert row.changes["tzdataVersion"] == (None, "2030a")


async def test_runs_are_listed_newest_first_and_page_by_page(post: Open) -> None:
    here = await post()
    made = []
    for minute in range(5):
        here.now = at(f"08:0{minute}")
        made.append(await here.generate())
    async with here.storage.begin(here.clinic.caller) as work:
        id = (await here.calendar()).id
        page = await work.generation.runs(id, None, 3)
        last = page[-1]
        rest = await work.generation.runs(id, (last.started_at, last.id), 3)
        other = await work.generation.runs(ScheduleId(an_id()), None, 3)
    assert [*page, *rest] == made[::-1]
    assert list(other) == []


async def test_a_dry_run_tells_and_does_nothing(post: Open) -> None:
    here = await post()
    await here.generate()
    await here.book("10:30")
    await here.put(replace(a_rule("09:00", "10:10", 40), capacity=2))
    before = await here.slots()
    events = len(await here.storage.outbox(here.clinic.caller))
    told = await here.generate(dry_run=True)
    assert told.dry_run
    assert await here.slots() == before
    assert len(await here.storage.outbox(here.clinic.caller)) == events
    today = [one for one in told.changes if one.start < at("12:00")]
    assert [(one.action, one.start, one.reason) for one in today] == [
        (Action.RETIRE, at("09:00"), None),
        (Action.CREATE, at("09:00"), None),
        (Action.RETIRE, at("09:30"), None),
        (Action.RETIRE, at("10:00"), None),
        (Action.RETAIN, at("10:30"), KeptBecause.BOOKED),
    ]
    done = await here.generate()
    assert counts(done) == counts(told)
    assert (done.digest, done.kept, done.affected) == (
        told.digest,
        told.kept,
        told.affected,
    )


async def test_a_calendar_of_staff_follows_its_own_pattern(post: Open) -> None:
    here = await post()
    async with here.storage.begin(here.clinic.caller) as work:
        schedule = await work.schedules.get(here.clinic.schedule.id)
        run_before = await work.generation.facts_for(schedule, "news")
        assert run_before.role is None
        work.schedules.save(
            replace(schedule, availability=(MORNING,), version=schedule.version + 1)
        )
    make = GenerateSlots(here.storage.begin, here.clock, here.almanac)
    run = await make(here.clinic.caller, here.clinic.schedule.id)
    # 09:00 was made by hand.
    assert counts(run) == {"created": 11, "unchanged": 1}
    assert run.role_version is None


async def test_a_calendar_of_another_organisation_is_not_there(post: Open) -> None:
    here = await post()
    id = (await here.calendar()).id
    make = GenerateSlots(here.storage.begin, here.clock, here.almanac)
    for dry_run in (True, False):
        with pytest.raises(ScheduleNotFound):
            await make(a_caller(), id, dry_run=dry_run)


async def test_closed_days_of_the_location_have_no_hours_by_rule(post: Open) -> None:
    here = await post()
    here.almanac = KnownHolidays(frozenset({MON, TUE}))
    await here.place(closed_days=(TUE,), country="DE", observes_public_holidays=False)
    assert counts(await here.generate()) == {"created": 8}
    await here.place(closed_days=(), country="DE", observes_public_holidays=True)
    assert counts(await here.generate()) == {"unchanged": 4, "retired": 4}
    assert await here.shown(day=0) == await here.shown(day=1) == []


async def _of_type(here: Post, kind: str) -> list[Any]:
    outbox = await here.storage.outbox(here.clinic.caller)
    events = (orjson.loads(envelope.body) for envelope in outbox)
    return [one for one in events if one["type"] == kind]

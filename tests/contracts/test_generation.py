"""What runs do to a calendar, in memory and in PostgreSQL."""

from dataclasses import replace

import pytest

from scheduling.application.commands.generate_slots import GenerateSlots
from scheduling.domain.errors import ScheduleNotFound
from scheduling.domain.generation import Action
from scheduling.domain.identifiers import ScheduleId
from scheduling.domain.slot_difference import KeptBecause
from tests.builders import a_caller, an_id, at
from tests.generating import (
    MORNING,
    KnownHolidays,
    OpenPost,
    counts,
    told_of_type,
)
from tests.patterns import MON, TUE, a_rule


async def test_a_first_run_makes_all_slots_up_to_the_horizons_last_day(
    post: OpenPost,
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


async def test_made_slots_can_be_booked(post: OpenPost) -> None:
    here = await post()
    await here.generate()
    await here.book("09:30")
    assert (await here.slot("09:30")).booked == 1


async def test_the_same_event_again_returns_the_run_and_changes_nothing(
    post: OpenPost,
) -> None:
    here = await post()
    run = await here.generate(source_event_id="news")
    await here.put(a_rule("09:00", "10:00"))
    events = len(await here.storage.outbox(here.clinic.caller))
    again = await here.generate(source_event_id="news")
    assert again == replace(run, repeated=True)
    assert len(await here.slots()) == 12
    assert len(await here.storage.outbox(here.clinic.caller)) == events


async def test_another_event_finds_nothing_to_do(post: OpenPost) -> None:
    here = await post()
    first = await here.generate()
    before = await here.slots()
    second = await here.generate()
    assert counts(second) == {"unchanged": 12}
    assert second.digest == first.digest
    assert await here.slots() == before


async def test_news_older_than_what_was_followed_is_ignored(post: OpenPost) -> None:
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


async def test_early_news_follows_what_is_stored_now(post: OpenPost) -> None:
    here = await post()
    await here.put(a_rule("14:00", "15:00"))
    run = await here.follow(1)
    assert run is not None
    assert run.role_version == 2
    assert await here.shown() == ["14:00-14:30 free", "14:30-15:00 free"]


async def test_a_shorter_horizon_retires_what_lies_behind_it(post: OpenPost) -> None:
    here = await post(horizon=3)
    await here.generate()
    await here.book("10:00", day=3)
    await here.set(horizon_days=1)
    assert counts(await here.generate()) == {
        "unchanged": 8,
        "retired": 7,
        "retained": 1,
    }


async def test_the_calendars_own_horizon_counts(post: OpenPost) -> None:
    here = await post(horizon=3)
    async with here.storage.begin(here.clinic.caller) as work:
        schedule = await work.schedules.of_role(here.role.id)
        assert schedule is not None
        shorter = replace(schedule, horizon_days=1, version=schedule.version + 1)
        work.schedules.save(shorter)
    run = await here.generate()
    assert counts(run) == {"created": 8}
    assert (run.last_day - run.first_day).days == 1


async def test_another_zone_of_the_location_moves_the_calendar(post: OpenPost) -> None:
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


async def test_a_run_tells_what_it_did_once(post: OpenPost) -> None:
    here = await post()
    run = await here.generate(source_event_id="news")
    (told,) = await told_of_type(here, "slots.generation.completed")
    assert told["data"]["generationRunId"] == str(run.id)
    assert told["data"]["created"] == 12
    assert told["data"]["sourceEventId"] == "news"
    assert told["subject"] == str(run.schedule_id)
    assert await told_of_type(here, "slot.opened") == [
        one
        for one in await told_of_type(here, "slot.opened")
        if one["data"]["scheduleId"] != str(run.schedule_id)
    ]
    rows = await here.storage.audit(here.clinic.caller)
    (row,) = (row for row in rows if row.action == "slots.generated")
    assert (row.entity_type, row.entity_id) == ("schedule", run.schedule_id)
    assert row.changes["digest"] == (None, run.digest)
    assert row.changes["tzdataVersion"] == (None, "2030a")


async def test_runs_are_listed_newest_first_and_page_by_page(post: OpenPost) -> None:
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


async def test_a_dry_run_tells_and_does_nothing(post: OpenPost) -> None:
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


async def test_a_calendar_of_staff_follows_its_own_pattern(post: OpenPost) -> None:
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


async def test_a_calendar_of_another_organisation_is_not_there(post: OpenPost) -> None:
    here = await post()
    id = (await here.calendar()).id
    make = GenerateSlots(here.storage.begin, here.clock, here.almanac)
    for dry_run in (True, False):
        with pytest.raises(ScheduleNotFound):
            await make(a_caller(), id, dry_run=dry_run)


async def test_closed_days_of_the_location_have_no_hours_by_rule(
    post: OpenPost,
) -> None:
    here = await post()
    here.almanac = KnownHolidays(frozenset({MON, TUE}))
    await here.place(closed_days=(TUE,), country="DE", observes_public_holidays=False)
    assert counts(await here.generate()) == {"created": 8}
    await here.place(closed_days=(), country="DE", observes_public_holidays=True)
    assert counts(await here.generate()) == {"unchanged": 4, "retired": 4}
    assert await here.shown(day=0) == await here.shown(day=1) == []

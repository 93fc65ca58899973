"""Runs beside everybody who books, holds, moves and cancels in the same slots."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any
from uuid import uuid4

import pytest

from scheduling.application.commands.reschedule_appointment import (
    RescheduleAppointment,
)
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import BySlot
from scheduling.domain.errors import DomainError
from scheduling.domain.period import Period
from scheduling.domain.schedule import WeeklyRule
from scheduling.domain.slot import Slot, SlotStatus
from scheduling.domain.version import ExpectedVersion
from tests.builders import MONDAY
from tests.contracts.storages import PostgresStorage
from tests.generating import Post, a_post
from tests.patterns import a_rule

DAYS = 3
RULES = (
    a_rule("09:00", "12:00", 30),
    a_rule("09:00", "12:00", 45),
    a_rule("10:00", "13:00", 20, capacity=2),
    a_rule("09:00", "11:00", 30, capacity=3),
    a_rule("09:30", "12:30", 60),
)


def spans_of(rule: WeeklyRule) -> set[tuple[datetime, datetime]]:
    """Say what a rule wants of our days once more, without a zone and a library."""
    length = timedelta(minutes=rule.slot_minutes)
    found = set()
    for day in range(DAYS):
        at = MONDAY + timedelta(
            days=day, hours=rule.start.hour, minutes=rule.start.minute
        )
        closes = MONDAY + timedelta(
            days=day, hours=rule.end.hour, minutes=rule.end.minute
        )
        while at + length <= closes:
            found.add((at, at + length))
            at += length
    return found


def span(slot: Slot) -> tuple[datetime, datetime]:
    return slot.period.start, slot.period.end


@dataclass
class Desk:
    """Somebody who does whatever comes to mind with one patient."""

    post: Post
    patient: int
    random: random.Random
    standing: dict[Any, Appointment] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    async def work(self, over: asyncio.Event) -> None:
        while not over.is_set():
            what = self.random.choice(
                (self.book, self.book, self.book, self.hold, self.cancel, self.move)
            )
            try:
                await what()
            except DomainError as refusal:
                self.done[type(refusal).__name__] += 1

    async def some_slot(self) -> Slot:
        return self.random.choice(await self.post.slots())

    async def book(self) -> None:
        slot = await self.some_slot()
        booked = await self.post.book_slot(slot, self.patient)
        self.standing[booked.id] = booked
        self.done["booked"] += 1

    async def hold(self) -> None:
        held = await self.post.hold_slot(await self.some_slot(), self.patient)
        self.standing[held.id] = held
        self.done["held"] += 1

    async def cancel(self) -> None:
        if self.standing:
            id = self.random.choice(list(self.standing))
            await self.post.cancel(self.standing[id])
            del self.standing[id]
            self.done["cancelled"] += 1

    async def move(self) -> None:
        if self.standing:
            id = self.random.choice(list(self.standing))
            slot = await self.some_slot()
            move = RescheduleAppointment(self.post.storage.begin, self.post.clock)
            self.standing[id] = await self.post.tried(
                lambda: move(
                    self.post.clinic.caller,
                    id,
                    expected=ExpectedVersion(self.standing[id].version),
                    when=BySlot(slot.id),
                )
            )
            self.done["moved"] += 1


async def beside(desks: list[Desk], work: Awaitable[None]) -> None:
    """Do the work while the desks do theirs."""
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for desk in desks:
            group.create_task(desk.work(over))
        try:
            await work
        finally:
            over.set()


def desks_of(post: Post, seed: int) -> list[Desk]:
    """Open desks; from now on nobody may end in a deadlock, runs neither."""
    post.strict = True
    return [
        Desk(post, patient, random.Random(f"{seed}/{patient}"))  # noqa: S311
        for patient in range(len(post.clinic.patients))
    ]


async def nothing_is_lost(post: Post, desks: list[Desk], rule: WeeklyRule) -> None:
    """Ask storage only: who was told to be booked is, and the calendar is the rule's,
    but for what somebody is in.
    """
    caller = post.clinic.caller
    slots = {slot.id: slot for slot in await post.slots()}
    taken = [one for one in await post.storage.appointments(caller) if takes_time(one)]
    assert {one.id for one in taken} == {id for desk in desks for id in desk.standing}
    seats = Counter(id for one in taken for id in one.slot_ids)
    assert seats.keys() <= slots.keys(), "an appointment without its slot"
    for id, slot in slots.items():
        assert slot.booked == seats[id]
        assert slot.booked <= max(slot.capacity, 3)
    for one in taken:
        (held,) = (slots[id] for id in one.slot_ids)
        assert held.period == one.period
    wanted = spans_of(rule)
    unwanted = [slot for slot in slots.values() if span(slot) not in wanted]
    assert all(slot.booked > 0 for slot in unwanted)
    assert all(slot.remaining == 0 for slot in unwanted)
    there = {span(slot) for slot in slots.values()}
    for start, end in wanted - there:
        assert any(
            slot.period.start < end and start < slot.period.end for slot in unwanted
        )
    for slot in slots.values():
        if span(slot) in wanted:
            assert slot.capacity == rule.capacity
            full = slot.booked >= slot.capacity
            assert slot.status is (SlotStatus.BUSY if full else SlotStatus.FREE)
    free = [slot for slot in slots.values() if slot.booked == 0]
    for a, b in combinations(free, 2):
        assert not a.period.overlaps(b.period)


def takes_time(one: Appointment) -> bool:
    return one.status.takes_time


@pytest.mark.parametrize("seed", range(2))
async def test_rules_change_while_everybody_books_and_nobody_is_lost(
    on_postgres: PostgresStorage, seed: int
) -> None:
    post = await a_post(on_postgres, RULES[0], horizon=DAYS - 1, patients=8)
    await post.generate()
    desks = desks_of(post, seed)
    chance = random.Random(seed)  # noqa: S311

    async def rules_change() -> None:
        for _ in range(12):
            await post.put(chance.choice(RULES))
            run = await post.generate()
            assert run.desired == len(spans_of(post.role.availability[0]))

    await beside(desks, rules_change())
    await post.generate()
    await nothing_is_lost(post, desks, post.role.availability[0])
    done = sum((desk.done for desk in desks), Counter[str]())
    assert done["booked"] > 20, done
    assert done["held"] > 0, done
    assert done["moved"] > 0, done
    assert done["cancelled"] > 0, done


async def test_news_of_fifty_versions_in_any_order_and_twice_ends_with_the_last(
    on_postgres: PostgresStorage,
) -> None:
    post = await a_post(on_postgres, RULES[0], horizon=DAYS - 1, patients=4)
    chance = random.Random(50)  # noqa: S311
    waiting: list[int] = []
    outcomes: Counter[str] = Counter()

    async def deliver(version: int) -> None:
        run = await post.follow(version, f"version {version}")
        outcomes["stale" if run is None else "again" if run.repeated else "run"] += 1

    async def roles_change() -> None:
        """News comes late, in heaps, and each piece of it twice."""
        for version in range(2, 51):
            await post.put(chance.choice(RULES), specialties=(str(version),))
            assert post.role.version == version
            waiting.extend((version, version))
            if chance.random() < 0.2 or version == 50:
                chance.shuffle(waiting)
                now, later = waiting[::2], waiting[1::2]
                await asyncio.gather(*map(deliver, now))
                waiting[:] = later if version < 50 else []
                if version == 50:
                    await asyncio.gather(*map(deliver, later))

    await post.generate()
    desks = desks_of(post, 50)
    await beside(desks, roles_change())
    assert outcomes["stale"] > 5, outcomes
    assert outcomes["run"] > 5, outcomes
    async with on_postgres.begin(post.clinic.caller) as work:
        runs = await work.generation.runs((await post.calendar()).id, None, 200)
    followed = [run.role_version or 0 for run in runs]
    assert max(followed) == 50
    # Whom desks sent away after the last of them is looked at once more.
    await post.generate()
    await nothing_is_lost(post, desks, post.role.availability[0])


async def test_two_runs_for_one_event_are_one(on_postgres: PostgresStorage) -> None:
    post = await a_post(on_postgres)
    runs = await asyncio.gather(
        *(post.generate(source_event_id="news") for _ in range(8))
    )
    assert len({run.id for run in runs}) == 1
    assert [run.repeated for run in runs].count(False) == 1
    assert len(await post.slots()) == 12


async def test_runs_for_many_events_at_once_make_each_slot_once(
    on_postgres: PostgresStorage,
) -> None:
    post = await a_post(on_postgres)
    runs = await asyncio.gather(
        *(post.generate(source_event_id=str(uuid4())) for _ in range(8))
    )
    assert sorted(run.created for run in runs) == [0] * 7 + [12]
    assert len(await post.slots()) == 12


async def test_staff_who_open_slots_beside_a_run_lie_upon_nothing_it_made(
    on_postgres: PostgresStorage,
) -> None:
    post = await a_post(on_postgres, a_rule("09:00", "12:00", 30))
    quarters = [
        Period.of(MONDAY + timedelta(hours=9, minutes=minute), timedelta(minutes=15))
        for minute in range(0, 180, 20)
    ]
    await asyncio.gather(post.generate(), *map(post.open_by_hand, quarters))
    found = await post.slots(day=0)
    assert {slot.period for slot in found} >= set(quarters)
    again = await post.generate()
    assert (again.created, again.retired) == (0, 0)
    assert len(found) == len(await post.slots(day=0))

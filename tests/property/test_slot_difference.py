"""Whatever a calendar has, a run brings it to what it wants, and the next has nothing
to do.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations, count
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling.domain.desired_slots import DesiredSlot, DesiredSlots, Horizon
from scheduling.domain.identifiers import ScheduleExceptionId, SlotId
from scheduling.domain.period import Period
from scheduling.domain.schedule import NotAvailable, Schedule, WeeklyRule
from scheduling.domain.schedule_exception import ExceptionKind, ScheduleException
from scheduling.domain.settings import Settings
from scheduling.domain.slot import SlotStatus
from scheduling.domain.slot_difference import Difference, StoredSlot, difference
from tests.builders import EIGHT, MONDAY, a_role, a_schedule
from tests.patterns import a_rule, hours

QUARTER = timedelta(minutes=15)
TYPES = st.sampled_from(((), ("eyes",), ("ears", "eyes")))
CLOCKS = st.integers(0, 95).map(lambda n: f"{n // 4:02}:{n % 4 * 15:02}")
RULES = st.builds(
    a_rule,
    CLOCKS,
    CLOCKS,
    st.sampled_from((15, 30, 45, 60)),
    capacity=st.integers(1, 3),
    service_types=TYPES,
)


@st.composite
def stored_slots(draw: st.DrawFn) -> list[StoredSlot]:
    """Of two days from yesterday on; of each time one."""
    found: dict[tuple[int, int], StoredSlot] = {}
    for number in range(draw(st.integers(0, 12))):
        first = draw(st.integers(-8, 100))
        length = draw(st.sampled_from((1, 2, 3, 4)))
        start = MONDAY + timedelta(hours=8) + first * QUARTER
        status = draw(st.sampled_from(list(SlotStatus)))
        booked = draw(st.integers(1, 2)) if status is SlotStatus.BUSY else 0
        if status is SlotStatus.BUSY_UNAVAILABLE:
            booked = draw(st.integers(0, 1))
        closed = status is SlotStatus.BUSY_UNAVAILABLE and draw(st.booleans())
        found[first, length] = StoredSlot(
            id=SlotId(UUID(int=number)),
            start=start,
            end=start + length * QUARTER,
            timezone=draw(st.sampled_from(("UTC", "Europe/London"))),
            status=status,
            capacity=draw(st.integers(1, 3)),
            booked=booked,
            service_types=draw(TYPES),
            blocked_by=ScheduleExceptionId(UUID(int=1)) if closed else None,
            obsolete=draw(st.booleans()),
            own=draw(st.integers(0, 3)) > 0,
        )
    return sorted(found.values(), key=lambda slot: (slot.start, slot.id))


@st.composite
def exceptions(draw: st.DrawFn, schedule: Schedule) -> tuple[ScheduleException, ...]:
    said = []
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(list(ExceptionKind)))
        start = MONDAY + draw(st.integers(0, 120)) * QUARTER
        exactly = kind is ExceptionKind.CLOSED and draw(st.booleans())
        said.append(
            ScheduleException.added(
                schedule,
                kind=kind,
                on_date=None if exactly else start.date(),
                period=Period.of(start, 3 * QUARTER) if exactly else None,
                windows=()
                if kind is ExceptionKind.CLOSED
                else (hours(draw(CLOCKS), draw(CLOCKS), 30),),
                now=EIGHT,
            )
        )
    return tuple(said)


@st.composite
def calendars(draw: st.DrawFn) -> DesiredSlots:
    rules: tuple[WeeklyRule, ...] = tuple(draw(st.lists(RULES, max_size=2)))
    schedule = replace(a_schedule(), availability=rules)
    start = EIGHT + draw(st.integers(0, 100)) * QUARTER
    away = NotAvailable(period=Period.of(start, 5 * QUARTER))
    role = a_role(
        active=draw(st.integers(0, 5)) > 0,
        not_available=(away,) if draw(st.booleans()) else (),
    )
    return DesiredSlots(
        schedule=schedule,
        role=role,
        closed_days=[MONDAY.date()] if draw(st.integers(0, 5)) == 0 else [],
        exceptions=draw(exceptions(schedule)),
        horizon=Horizon.of(schedule, Settings(horizon_days=1), EIGHT),
    )


@dataclass
class Run:
    slots: list[StoredSlot]
    found: list[Difference]

    def number(self, name: str) -> int:
        return sum(len(getattr(one, name)) for one in self.found)

    @property
    def created(self) -> int:
        return sum(one.count_created for one in self.found)


def run(desired: DesiredSlots, slots: list[StoredSlot], at_once: int) -> Run:
    """Carry it out as storage would, without looking at anything but the difference."""
    now = desired.horizon.now
    before = [slot for slot in slots if slot.start <= now < slot.end]
    there = {slot.id: slot for slot in slots}
    ids = count(max([999, *(slot.id.int for slot in slots)]) + 1)
    done: list[Difference] = []
    for part in desired.parts(at_once):
        of_part = [
            slot
            for slot in slots
            if part.since <= slot.start
            and (part.until is None or slot.start < part.until)
        ]
        found = difference(part, of_part, before, desired)
        before = found.reaching_over
        for slot in found.retired:
            del there[slot.id]
        for slot in found.obsolete:
            there[slot.id] = slot._replace(obsolete=True)
        for slot, wanted in found.updated:
            there[slot.id] = updated(slot, wanted)
        for stretch in found.created:
            for wanted in stretch.slots():
                made = as_made(SlotId(UUID(int=next(ids))), wanted)
                there[made.id] = made
        wanted_here = found.count_created + len(found.updated) + len(found.conflicts)
        assert wanted_here + found.unchanged == len(part.slots)
        done.append(found)
    return Run(sorted(there.values(), key=lambda slot: (slot.start, slot.id)), done)


def updated(slot: StoredSlot, wanted: DesiredSlot) -> StoredSlot:
    status = slot.status
    blocked = status is SlotStatus.BUSY_UNAVAILABLE and slot.blocked_by is None
    if not blocked and status is not SlotStatus.BUSY_TENTATIVE:
        full = slot.booked >= wanted.capacity
        status = SlotStatus.BUSY if full else SlotStatus.FREE
    return slot._replace(
        timezone="UTC",
        status=status,
        capacity=wanted.capacity,
        service_types=wanted.service_types,
        blocked_by=None,
        obsolete=False,
    )


def as_made(id: SlotId, wanted: DesiredSlot) -> StoredSlot:
    return StoredSlot(
        id=id,
        start=wanted.start,
        end=wanted.end,
        timezone="UTC",
        status=SlotStatus.FREE,
        capacity=wanted.capacity,
        booked=0,
        service_types=wanted.service_types,
        blocked_by=None,
        obsolete=False,
        own=True,
    )


@settings(deadline=None, max_examples=300)
@given(calendars(), stored_slots(), st.integers(1, 4))
def test_a_run_brings_a_calendar_to_what_it_wants(
    desired: DesiredSlots, slots: list[StoredSlot], at_once: int
) -> None:
    now = desired.horizon.now
    first = run(desired, slots, at_once)
    wanted = {
        (slot.start, slot.end): slot
        for part in desired.parts(at_once)
        for slot in part.slots
    }

    # Nobody's slot has gone, moved or become something else.
    there = {slot.id: slot for slot in first.slots}
    for slot in slots:
        if not slot.own or slot.start <= now:
            assert there[slot.id] == slot
        elif slot.is_taken:
            after = there[slot.id]
            assert (after.start, after.end, after.booked, after.service_types) == (
                slot.start,
                slot.end,
                slot.booked,
                slot.service_types,
            )

    # What is sold by rule is wanted, and what is wanted is there but for conflicts.
    for slot in first.slots:
        sold = slot.status in {SlotStatus.FREE, SlotStatus.BUSY} and not slot.obsolete
        if slot.own and sold and slot.start > now:
            asked = wanted[slot.start, slot.end]
            assert slot.capacity == asked.capacity
            assert slot.service_types == asked.service_types
    missing = {
        (one.wanted.start, one.wanted.end) for d in first.found for one in d.conflicts
    }
    spans = {(slot.start, slot.end) for slot in first.slots}
    assert wanted.keys() - spans <= missing

    # What was made lies upon nothing that stays.
    made = [slot for slot in first.slots if slot.id.int >= 1000]
    others = [slot for slot in first.slots if slot.end > now and slot.keeps_others_out]
    for one in made:
        for other in others:
            assert one.id == other.id or not (
                one.start < other.end and other.start < one.end
            )
    assert not any(
        a.start < b.end and b.start < a.end for a, b in combinations(made, 2)
    )

    # The next run has nothing to do.
    second = run(desired, first.slots, at_once)
    assert second.slots == first.slots
    assert (second.created, second.number("updated"), second.number("retired")) == (
        0,
        0,
        0,
    )
    assert second.number("obsolete") == 0
    assert second.number("conflicts") == first.number("conflicts")
    assert second.number("retained") == first.number("retained")


@settings(deadline=None)
@given(calendars(), stored_slots(), st.integers(1, 3))
def test_in_how_many_parts_does_not_matter(
    desired: DesiredSlots, slots: list[StoredSlot], at_once: int
) -> None:
    whole, parts = run(desired, slots, 9), run(desired, slots, at_once)

    def seen(run: Run) -> list[StoredSlot]:
        return [slot._replace(id=SlotId(UUID(int=0))) for slot in run.slots]

    assert seen(whole) == seen(parts)

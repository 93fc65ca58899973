"""What a calendar has against what it is to have."""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from scheduling.domain.desired_slots import (
    DesiredSlot,
    DesiredSlots,
    DesiredStretch,
    Horizon,
    Part,
)
from scheduling.domain.events import KeptSlot
from scheduling.domain.generation import (
    MOST_SHOWN,
    MOST_TOLD,
    Action,
    Occupant,
    Tally,
)
from scheduling.domain.identifiers import ScheduleExceptionId, SlotId
from scheduling.domain.schedule import Schedule
from scheduling.domain.settings import Settings
from scheduling.domain.slot import SlotStatus
from scheduling.domain.slot_difference import (
    Conflict,
    Difference,
    KeptBecause,
    StoredSlot,
    difference,
)
from tests.builders import EIGHT, a_schedule, an_id, at
from tests.patterns import a_rule

AN_EXCEPTION = ScheduleExceptionId(UUID(int=1))


def wanted(start: str, end: str, **told: Any) -> DesiredSlot:  # noqa: ANN401
    return DesiredSlot(
        at(start), at(end), **{"capacity": 1, "service_types": (), **told}
    )


def stored(start: str, end: str, **told: Any) -> StoredSlot:  # noqa: ANN401
    return StoredSlot(
        start=at(start),
        end=at(end),
        **{
            "id": SlotId(uuid4()),
            "timezone": "UTC",
            "status": SlotStatus.FREE,
            "capacity": 1,
            "booked": 0,
            "service_types": (),
            "blocked_by": None,
            "obsolete": False,
            "own": True,
            **told,
        },
    )


def booked(start: str, end: str, **told: Any) -> StoredSlot:  # noqa: ANN401
    return stored(start, end, **{"booked": 1, "status": SlotStatus.BUSY, **told})


def by_staff(start: str, end: str, **told: Any) -> StoredSlot:  # noqa: ANN401
    return stored(start, end, own=False, **told)


def closed(start: str, end: str, **told: Any) -> StoredSlot:  # noqa: ANN401
    by = ScheduleExceptionId(uuid4())
    return stored(start, end, status=SlotStatus.BUSY_UNAVAILABLE, blocked_by=by, **told)


@dataclass
class Calendar:
    """`rules` say what closed time would have; what is wanted is said by hand."""

    wanted: tuple[DesiredSlot, ...] = ()
    rules: tuple[Any, ...] = ()
    schedule: Schedule = field(default_factory=a_schedule)

    def against(
        self, *slots: StoredSlot, before: tuple[StoredSlot, ...] = ()
    ) -> Difference:
        schedule = replace(self.schedule, availability=self.rules)
        desired = DesiredSlots(
            schedule=schedule,
            role=None,
            closed_days=(),
            exceptions=(),
            horizon=Horizon.of(schedule, Settings(), EIGHT),
        )
        stretches = [DesiredStretch.of_one(one) for one in self.wanted]
        whole = Part(EIGHT, None, stretches)
        found = difference(whole, slots, before, desired)
        done = found.count_created + len(found.updated) + len(found.conflicts)
        assert done + found.unchanged == len(self.wanted)
        return found


def wants(*some: DesiredSlot, rules: tuple[Any, ...] = ()) -> Calendar:
    return Calendar(some, rules)


def made(found: Difference) -> list[DesiredSlot]:
    return [slot for stretch in found.created for slot in stretch.slots()]


NINE = wanted("09:00", "09:30")


def test_what_is_missing_is_made() -> None:
    assert made(wants(NINE).against()) == [NINE]


def test_what_is_there_stays() -> None:
    found = wants(NINE).against(stored("09:00", "09:30"))
    assert found == Difference(unchanged=1)


@pytest.mark.parametrize(
    "other",
    [
        {"capacity": 2},
        {"service_types": ("eyes",)},
        {"timezone": "Europe/London"},
        {"obsolete": True},
        {"status": SlotStatus.BUSY_UNAVAILABLE, "blocked_by": AN_EXCEPTION},
    ],
    ids=str,
)
def test_what_is_not_quite_as_wanted_is_updated(other: Any) -> None:  # noqa: ANN401
    slot = stored("09:00", "09:30", **other)
    found = wants(NINE).against(slot)
    assert found.updated == [(slot, NINE)]
    assert found.touched == [slot]


def test_what_staff_blocked_is_as_wanted_as_far_as_rules_go() -> None:
    slot = stored("09:00", "09:30", status=SlotStatus.BUSY_UNAVAILABLE)
    assert wants(NINE).against(slot).unchanged == 1


def test_what_is_free_and_not_wanted_goes() -> None:
    slot = stored("09:00", "09:30")
    found = wants().against(slot)
    assert (found.retired, found.retained) == ([slot], [])


@pytest.mark.parametrize(
    "other",
    [
        {"booked": 1},
        {"booked": 1, "status": SlotStatus.BUSY},
        {"status": SlotStatus.BUSY},
        {"status": SlotStatus.BUSY_TENTATIVE},
        {"status": SlotStatus.BUSY_UNAVAILABLE},
        {"booked": 1, "status": SlotStatus.BUSY_UNAVAILABLE},
        {
            "booked": 1,
            "status": SlotStatus.BUSY_UNAVAILABLE,
            "blocked_by": AN_EXCEPTION,
        },
        {"status": SlotStatus.ENTERED_IN_ERROR},
    ],
    ids=str,
)
def test_what_somebody_is_in_or_blocked_stays_and_is_sold_no_more(
    other: Any,  # noqa: ANN401
) -> None:
    slot = stored("09:00", "09:30", **other)
    found = wants().against(slot)
    assert (found.retired, found.retained, found.obsolete) == ([], [slot], [slot])
    again = slot._replace(obsolete=True)
    found = wants().against(again)
    assert (found.retained, found.obsolete) == ([again], [])


def test_what_was_kept_goes_when_nobody_is_in_it() -> None:
    slot = stored("09:00", "09:30", obsolete=True)
    assert wants().against(slot).retired == [slot]


def test_what_only_an_exception_closes_is_kept_to_open_again() -> None:
    slot = closed("09:00", "09:30")
    hours = (a_rule("09:00", "10:00"),)
    found = wants(rules=hours).against(slot)
    assert (found.retained, found.obsolete, found.retired) == ([slot], [], [])
    # The counterpart: the rules do not want it either.
    assert wants(rules=(a_rule("10:00", "11:00"),)).against(slot).retired == [slot]


def test_who_is_booked_in_closed_time_is_kept_whatever_the_rules_want() -> None:
    slot = closed("09:00", "09:30", booked=1)
    found = wants(rules=(a_rule("09:00", "10:00"),)).against(slot)
    assert (found.retained, found.obsolete) == ([slot], [])
    found = wants().against(slot)
    assert (found.retained, found.obsolete) == ([slot], [slot])


def test_what_stays_is_in_the_way_of_what_is_wanted() -> None:
    slot = booked("09:15", "09:45")
    found = wants(NINE, wanted("09:30", "10:00"), wanted("10:00", "10:30")).against(
        slot
    )
    assert [one.wanted.start for one in found.conflicts] == [at("09:00"), at("09:30")]
    assert {one.in_the_way for one in found.conflicts} == {slot}
    assert [one.start for one in found.created] == [at("10:00")]


def test_what_only_touches_is_not_in_the_way() -> None:
    found = wants(NINE).against(booked("08:30", "09:00"), booked("09:30", "10:00"))
    assert made(found) == [NINE]


def test_what_goes_is_not_in_the_way() -> None:
    found = wants(NINE).against(stored("09:15", "09:45"))
    assert (made(found), len(found.retired)) == ([NINE], 1)


def test_what_an_exception_closes_is_not_in_the_way() -> None:
    slot = closed("09:15", "09:45")
    found = wants(NINE, rules=(a_rule("09:15", "09:45"),)).against(slot)
    assert (made(found), found.retained) == ([NINE], [slot])


def test_slots_of_staff_are_never_touched() -> None:
    same = by_staff("09:00", "09:30", capacity=5, service_types=("eyes",))
    other = by_staff("11:00", "12:00")
    found = wants(NINE, wanted("11:30", "12:00")).against(same, other)
    assert (found.unchanged, found.touched) == (1, [])
    assert found.conflicts == [Conflict(wanted("11:30", "12:00"), other)]
    assert found.retained == []


def test_who_is_booked_keeps_the_service_that_they_came_for() -> None:
    slot = booked("09:00", "09:30", service_types=("eyes",), capacity=3)
    ears = wanted("09:00", "09:30", service_types=("ears",), capacity=3)
    found = wants(ears).against(slot)
    assert found.conflicts == [Conflict(ears, slot)]
    assert (found.retained, found.obsolete, found.updated) == ([slot], [slot], [])


def test_booked_in_closed_time_with_other_services_is_a_conflict_too() -> None:
    """It makes room for other hours, and yet there is one slot of one time."""
    slot = closed("09:00", "09:30", booked=1, service_types=("eyes",))
    ears = wanted("09:00", "09:30", service_types=("ears",))
    found = wants(ears, rules=(a_rule("09:00", "09:30"),)).against(slot)
    assert found.conflicts == [Conflict(ears, slot)]


def test_capacity_follows_also_where_somebody_is_booked() -> None:
    slot = booked("09:00", "09:30", capacity=3)
    assert wants(NINE).against(slot).updated == [(slot, NINE)]


def test_what_reaches_over_is_in_the_way_of_the_next_part() -> None:
    first = Part(EIGHT, at("09:00"), ())
    long = booked("08:30", "09:30")
    desired = DesiredSlots(
        schedule=a_schedule(),
        role=None,
        closed_days=(),
        exceptions=(),
        horizon=Horizon.of(a_schedule(), Settings(), EIGHT),
    )
    found = difference(first, [long], [], desired)
    assert found.reaching_over == [long]
    after = wants(NINE).against(before=tuple(found.reaching_over))
    assert after.conflicts == [Conflict(NINE, long)]
    # What began before all parts is not ours to keep, and is told as in the way only.
    assert (after.retained, after.touched) == ([], [])


def test_touched_ones_come_by_start() -> None:
    late, early = stored("11:00", "11:30"), stored("09:00", "09:30", capacity=2)
    middle = booked("10:00", "10:30")
    found = wants(NINE).against(early, middle, late)
    assert found.touched == [early, middle, late]


@pytest.mark.parametrize(
    ("slot", "reason"),
    [
        (booked("07:30", "08:30"), KeptBecause.IN_PROGRESS),
        (by_staff("07:30", "08:30"), KeptBecause.IN_PROGRESS),
        (by_staff("09:00", "09:30", booked=1), KeptBecause.STAFF_SLOT),
        (booked("09:00", "09:30"), KeptBecause.BOOKED),
        (closed("09:00", "09:30", booked=1), KeptBecause.BOOKED),
        (closed("09:00", "09:30"), KeptBecause.EXCEPTION),
        (
            stored("09:00", "09:30", status=SlotStatus.BUSY_UNAVAILABLE),
            KeptBecause.BLOCKED,
        ),
    ],
)
def test_why_a_slot_stays(slot: StoredSlot, reason: KeptBecause) -> None:
    assert slot.why_kept(EIGHT, only_held=False) is reason
    if reason is KeptBecause.BOOKED:
        assert slot.why_kept(EIGHT, only_held=True) is KeptBecause.HELD


def tallied(found: Difference, *occupants: Occupant) -> Tally:
    tally = Tally(EIGHT, shows=True)
    tally.add(found, occupants)
    return tally


def test_a_kept_slot_is_told_once_with_who_is_in_it() -> None:
    slot = booked("09:15", "09:45")
    found = wants(NINE, wanted("09:30", "10:00")).against(slot)
    visit = an_id()
    tally = tallied(found, Occupant(visit, (slot.id,), is_hold=False))
    assert tally.by_reason == {"BOOKED": 1}
    assert tally.kept == [
        KeptSlot(slot_id=slot.id, reason="BOOKED", appointment_ids=(visit,))
    ]
    assert list(tally.affected) == [visit]
    assert (tally.conflicts, tally.retained) == (2, 1)


def test_only_held_is_held_and_one_that_is_booked_besides_is_booked() -> None:
    slot = booked("09:00", "09:30")
    hold = Occupant(an_id(), (slot.id,), is_hold=True)
    visit = Occupant(an_id(), (slot.id,), is_hold=False)
    found = wants().against(slot)
    assert tallied(found, hold).by_reason == {"HELD": 1}
    assert tallied(found, hold, visit).by_reason == {"BOOKED": 1}
    assert tallied(found).by_reason == {"BOOKED": 1}


def test_who_is_in_what_is_only_in_the_way_is_not_affected() -> None:
    slot = by_staff("09:15", "09:45", booked=1)
    found = wants(NINE).against(slot)
    tally = tallied(found, Occupant(an_id(), (slot.id,), is_hold=False))
    assert (list(tally.affected), tally.by_reason) == ([], {"STAFF_SLOT": 1})


def test_all_are_counted_and_the_first_are_told() -> None:
    many = [
        booked(f"{9 + n // 60:02}:{n % 60:02}", f"{9 + n // 60:02}:{n % 60:02}")
        for n in range(MOST_SHOWN + 50)
    ]
    found = Difference(retained=many)
    tally = tallied(found)
    assert tally.by_reason == {"BOOKED": MOST_SHOWN + 50}
    assert len(tally.kept) == MOST_TOLD
    assert len(tally.changes) == MOST_SHOWN
    assert [one.action for one in tally.changes[:2]] == [Action.RETAIN] * 2
    assert [one.start for one in tally.changes] == [s.start for s in many[:MOST_SHOWN]]

"""Rules read off the wall, against another library's reading of random walls."""

from bisect import bisect_right
from datetime import UTC, date, time, timedelta
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from scheduling.domain.pattern import Pattern
from scheduling.domain.schedule import WeeklyRule
from tests.property.walls import (
    LENGTHS,
    ODD_ZONES,
    TIMES,
    WEEK,
    days_and_zones,
    expected_hours,
)


@settings(deadline=None)
@given(days_and_zones(), TIMES, TIMES, LENGTHS)
@example((date(2026, 3, 8), "America/New_York"), time(2, 30), time(2, 45), 5)
@example((date(2026, 11, 1), "America/New_York"), time(1, 30), time(1, 45), 5)
@example((date(2011, 12, 29), "Pacific/Apia"), time(22), time(6), 60)
@example((date(2026, 10, 24), "Asia/Beirut"), time(23), time(0), 30)
def test_a_rule_is_what_another_library_reads_off_the_wall(
    when: tuple[date, str], start: time, end: time, minutes: int
) -> None:
    day, zone = when
    rule = WeeklyRule(
        days=(WEEK[day.weekday()],), start=start, end=end, slot_minutes=minutes
    )
    slots = Pattern(rules=(rule,), timezone=zone).slots(day, day)
    expected = expected_hours(day, start, end, zone)
    if expected is None:
        assert slots == []
        return
    opens, closes = expected
    length = timedelta(minutes=minutes)
    assert len(slots) == (closes - opens) // length
    for number, slot in enumerate(slots):
        assert slot.start == opens + number * length
        assert slot.end == slot.start + length <= closes
        assert slot.start.tzinfo is UTC


@st.composite
def rules(draw: st.DrawFn) -> tuple[WeeklyRule, ...]:
    bounds = st.none() | st.dates(date(2026, 3, 1), date(2026, 3, 20))
    return tuple(
        draw(
            st.lists(
                st.builds(
                    WeeklyRule,
                    days=st.lists(st.sampled_from(WEEK), min_size=1, unique=True).map(
                        tuple
                    ),
                    start=TIMES,
                    end=TIMES,
                    slot_minutes=st.sampled_from((25, 30, 45, 60, 240)),
                    capacity=st.integers(1, 3),
                    service_types=st.sampled_from(((), ("a",), ("b",), ("a", "b"))),
                    valid_from=bounds,
                    valid_to=bounds,
                ),
                max_size=4,
            )
        )
    )


FIRST, LAST = date(2026, 3, 5), date(2026, 3, 12)  # New York goes forward on the 8th


@settings(deadline=None)
@given(rules(), ODD_ZONES)
def test_slots_are_strictly_increasing_and_never_overlap(
    some: tuple[WeeklyRule, ...], zone: str
) -> None:
    slots = Pattern(rules=some, timezone=zone).slots(FIRST, LAST)
    assert all(one.end <= after.start for one, after in pairwise(slots))
    assert all(slot.start < slot.end for slot in slots)


@settings(deadline=None)
@given(rules(), ODD_ZONES, st.integers(0, 6))
def test_days_one_by_one_are_the_days_all_at_once(
    some: tuple[WeeklyRule, ...], zone: str, cut: int
) -> None:
    pattern = Pattern(rules=some, timezone=zone)
    middle = FIRST + timedelta(days=cut)
    parts = [
        *pattern.slots(FIRST, middle),
        *pattern.slots(middle + timedelta(days=1), LAST),
    ]
    assert sorted(parts) == pattern.slots(FIRST, LAST)


@settings(deadline=None)
@given(rules(), ODD_ZONES)
def test_every_slot_is_on_the_grid_of_a_rule_that_holds_on_its_day(
    some: tuple[WeeklyRule, ...], zone: str
) -> None:
    alone = {
        (slot.start, slot.end, slot.day)
        for rule in some
        for slot in Pattern(rules=(rule,), timezone=zone).slots(FIRST, LAST)
    }
    for slot in Pattern(rules=some, timezone=zone).slots(FIRST, LAST):
        assert (slot.start, slot.end, slot.day) in alone


@settings(deadline=None)
@given(rules(), ODD_ZONES)
def test_what_is_left_out_lies_on_something_that_is_there(
    some: tuple[WeeklyRule, ...], zone: str
) -> None:
    slots = Pattern(rules=some, timezone=zone).slots(FIRST, LAST)
    before = timedelta(days=2)
    around = Pattern(rules=some, timezone=zone).slots(FIRST - before, LAST)
    assert set(slots) <= set(around)
    for rule in some:
        for one in Pattern(rules=(rule,), timezone=zone).slots(FIRST, LAST):
            at = bisect_right(around, one.start, key=lambda slot: slot.end)
            assert around[at].start < one.end

"""Whatever is said and taken back, the slots are those that the pattern wants."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling.domain.pattern import Pattern
from scheduling.domain.period import Period
from scheduling.domain.schedule import WeeklyRule
from scheduling.domain.schedule_exception import ExceptionKind
from tests.builders import MONDAY
from tests.calendars import Calendar, every_day, hours

CLOCK = st.integers(0, 47).map(lambda n: f"{n // 2:02}:{n % 2 * 30:02}")
MINUTES = st.sampled_from((30, 60, 90))
# Rules of one grid: where those of two days lie across each other, a closed day makes
# room for other slots of rules, which their generation has to exchange.
RULES = st.one_of(
    st.lists(st.builds(every_day, CLOCK, CLOCK, MINUTES), max_size=1),
    st.lists(st.builds(every_day, CLOCK, CLOCK, st.just(30)), min_size=2, max_size=3),
).map(tuple)
HOURS = st.builds(hours, CLOCK, CLOCK, MINUTES)
FIRST = MONDAY.date() + timedelta(days=3)
DATES = st.integers(0, 2).map(lambda n: FIRST + timedelta(days=n))
PERIODS = st.builds(
    lambda start, length: Period.of(
        MONDAY + timedelta(days=3, minutes=30 * start), timedelta(minutes=30 * length)
    ),
    st.integers(0, 100),
    st.integers(1, 60),
)
SAYINGS = st.one_of(
    st.fixed_dictionaries({"kind": st.just(ExceptionKind.CLOSED), "on_date": DATES}),
    st.fixed_dictionaries({"kind": st.just(ExceptionKind.CLOSED), "period": PERIODS}),
    st.fixed_dictionaries(
        {
            "kind": st.just(ExceptionKind.REPLACE),
            "on_date": DATES,
            "windows": st.lists(HOURS, max_size=2).map(tuple),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just(ExceptionKind.EXTRA),
            "on_date": DATES,
            "windows": st.lists(HOURS, min_size=1, max_size=2).map(tuple),
        }
    ),
)
DAYS = 9


def laid_by(rules: tuple[WeeklyRule, ...]) -> Calendar:
    """A calendar with all slots of its rules, from three days before the first date."""
    calendar = Calendar(rules=rules)
    pattern = Pattern(rules=rules, timezone="UTC")
    start = FIRST - timedelta(days=3)
    slots = pattern.slots(start, start + timedelta(days=DAYS))
    return calendar.with_slots(*(slot.period for slot in slots))


def open_spans(calendar: Calendar) -> set[tuple[object, object]]:
    return {(s.period.start, s.period.end) for s in calendar.slots if s.is_open}


def wanted_spans(calendar: Calendar) -> set[tuple[object, object]]:
    start: date = FIRST - timedelta(days=3)
    pattern = Pattern(
        rules=calendar.rules,
        timezone="UTC",
        deviations=tuple(calendar.exceptions),
    )
    slots = pattern.slots(start, start + timedelta(days=DAYS))
    return {(slot.start, slot.end) for slot in slots}


@settings(deadline=None)
@given(RULES, st.lists(SAYINGS, max_size=5), st.randoms(use_true_random=False))
def test_what_is_open_is_what_the_pattern_wants(
    rules: tuple[WeeklyRule, ...], sayings: list[dict[str, object]], random: object
) -> None:
    calendar = laid_by(rules)
    at_first = open_spans(calendar)
    for saying in sayings:
        calendar.add(**saying)  # type: ignore[arg-type]
        _hold(calendar, at_first)
    some = list(calendar.exceptions)
    random.shuffle(some)  # type: ignore[attr-defined]
    for one in some:
        calendar.remove(one)
        _hold(calendar, at_first)
    assert open_spans(calendar) == at_first


def _hold(calendar: Calendar, at_first: set[tuple[object, object]]) -> None:
    """Nothing is open that is not wanted. What is wanted and not open is what rules
    alone want now and had no room for before: generation's to make.
    """
    opened, wanted = open_spans(calendar), wanted_spans(calendar)
    assert opened <= wanted
    assert not (wanted - opened) & at_first

"""What is asked for in days, and the clock by which they are counted."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.domain.errors import InvalidInput, InvalidPeriod
from scheduling.domain.local_days import LocalDays, Span
from scheduling.domain.period import Period, local_day
from tests.builders import at

MONDAY, TUESDAY = date(2030, 1, 7), date(2030, 1, 8)
HARD = (
    "UTC",
    "Africa/Cairo",
    "America/Havana",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_instants_are_the_same_in_every_zone() -> None:
    span = Span(at("09:00"), at("17:00"))
    for zone in HARD:
        assert span.in_zone(zone).period == Period(at("09:00"), at("17:00"))


def test_days_are_those_of_the_zone_and_the_last_is_not_asked_for() -> None:
    asked = Span(MONDAY, TUESDAY).in_zone("Asia/Kathmandu")
    assert asked.period == Period(
        instant("2030-01-06T18:15:00Z"), instant("2030-01-07T18:15:00Z")
    )
    assert asked.dates == (MONDAY,)


@pytest.mark.parametrize(
    ("start", "end"),
    [(MONDAY, MONDAY), (TUESDAY, MONDAY), (at("09:00"), at("09:00"))],
)
def test_nothing_is_asked_for_from_a_time_to_itself(
    start: date | datetime, end: date | datetime
) -> None:
    with pytest.raises(InvalidPeriod) as refused:
        Span(start, end)
    assert refused.value.field == "to"


@pytest.mark.parametrize(
    ("start", "end"), [(MONDAY, at("09:00", day=3)), (at("09:00"), TUESDAY)]
)
def test_a_day_and_an_instant_do_not_go_together(
    start: date | datetime, end: date | datetime
) -> None:
    with pytest.raises(InvalidPeriod):
        Span(start, end)


def test_a_span_of_days_is_measured_in_days_also_where_one_has_25_hours() -> None:
    october = Span(date(2030, 10, 1), date(2030, 11, 1))
    assert october.in_zone("Europe/Berlin").period.length == timedelta(days=31, hours=1)
    october.demand_days(31)
    with pytest.raises(InvalidInput) as refused:
        october.demand_days(30)
    assert refused.value.field == "to"


def test_a_period_touches_the_days_of_its_first_and_its_last_moment() -> None:
    asked = LocalDays("UTC", Period(at("23:00"), at("00:00", day=2)))
    assert asked.dates == (MONDAY, TUESDAY)
    asked = LocalDays("Pacific/Kiritimati", asked.period)
    assert asked.dates == (TUESDAY, date(2030, 1, 9))


def test_a_clock_that_does_not_change_is_told_in_one_line() -> None:
    (offset,) = LocalDays("Asia/Kathmandu", Period(at("00:00"), at("12:00"))).offsets()
    assert offset.since == at("00:00")
    assert offset.ahead == timedelta(hours=5, minutes=45)


def test_a_change_is_told_to_the_second() -> None:
    year = Span(date(2030, 1, 1), date(2031, 1, 1)).in_zone("Europe/Berlin")
    assert [(one.since, one.ahead) for one in year.offsets()] == [
        (instant("2029-12-31T23:00:00Z"), timedelta(hours=1)),
        (instant("2030-03-31T01:00:00Z"), timedelta(hours=2)),
        (instant("2030-10-27T01:00:00Z"), timedelta(hours=1)),
    ]


@given(
    zone=st.sampled_from(HARD),
    start=st.datetimes(
        datetime(2009, 1, 1),  # noqa: DTZ001  # hypothesis puts the zone on
        datetime(2031, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    days=st.integers(1, 366),
    part=st.floats(0, 1, exclude_max=True),
    before=st.integers(0, 28),
)
def test_the_offsets_read_the_wall_as_the_zone_does(
    zone: str, start: datetime, days: int, part: float, before: int
) -> None:
    asked = LocalDays(zone, Period.of(start, timedelta(days=days)))
    looking_back = timedelta(hours=before)
    first = start - looking_back
    moment = first + (asked.period.end - first) * part
    offsets = asked.offsets(before=looking_back)
    assert [one.since for one in offsets] == sorted(one.since for one in offsets)
    ahead = [one.ahead for one in offsets if one.since <= moment][-1]
    wall = moment.astimezone(ZoneInfo(zone))
    assert moment + ahead == wall.replace(tzinfo=UTC)
    if moment >= start:
        assert local_day(moment, zone) in asked.dates

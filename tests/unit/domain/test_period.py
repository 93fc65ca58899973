"""Local days against the calendar of another library, where clocks do odd things."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from whenever import ZonedDateTime

from scheduling.domain.errors import InvalidPeriod
from scheduling.domain.period import Period, day_in, local_day
from tests.builders import at, between

ODD_ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Scoresbysund",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "UTC",
)


def first_instant(timezone: str, day: date) -> datetime:
    noon = ZonedDateTime(day.year, day.month, day.day, 12, tz=timezone)
    return noon.start_of("day").to_instant().to_stdlib()


@pytest.mark.parametrize("timezone", ODD_ZONES)
def test_every_day_of_three_years_is_the_oracles_day(timezone: str) -> None:
    day = date(2025, 1, 1)
    expected = first_instant(timezone, day)
    while day.year < 2028:
        after = day + timedelta(days=1)
        start, expected = expected, first_instant(timezone, after)
        assert day_in(timezone, day) == Period(start, expected)
        day = after


@pytest.mark.parametrize(
    ("timezone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 7, 1), 24),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Africa/Cairo", date(2026, 4, 24), 23),
        ("America/Havana", date(2026, 3, 8), 23),
        ("America/Santiago", date(2026, 9, 6), 23),
        ("Asia/Beirut", date(2026, 3, 29), 23),
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(
    timezone: str, day: date, hours: float
) -> None:
    assert day_in(timezone, day).length == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("timezone", "day"),
    [
        ("Africa/Cairo", date(2026, 4, 24)),
        ("America/Havana", date(2026, 3, 8)),
        ("America/Santiago", date(2026, 9, 6)),
        ("Asia/Beirut", date(2026, 3, 29)),
    ],
)
def test_a_day_without_midnight_begins_at_its_first_instant(
    timezone: str, day: date
) -> None:
    start = day_in(timezone, day).start
    assert start.astimezone(ZoneInfo(timezone)).hour == 1
    assert local_day(start, timezone) == day
    assert local_day(start - timedelta(microseconds=1), timezone) < day


def test_of_two_midnights_the_first_begins_the_day() -> None:
    # In Havana the hour from midnight came twice on 1 November 2026.
    day = day_in("America/Havana", date(2026, 11, 1))
    assert day.start == datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert day.length == timedelta(hours=25)


def test_a_week_over_a_change_of_clocks_is_seven_days() -> None:
    week = day_in("Europe/Berlin", date(2026, 3, 23), days=7)
    assert week.length == timedelta(days=7, hours=-1)


def test_the_same_instant_is_of_two_days() -> None:
    instant = at("10:30")
    assert local_day(instant, "Pacific/Kiritimati") == date(2030, 1, 8)
    assert local_day(instant, "Pacific/Pago_Pago") == date(2030, 1, 6)


def test_a_period_ends_after_it_starts() -> None:
    for end in (at("09:00"), at("08:59")):
        with pytest.raises(InvalidPeriod) as refused:
            Period(at("09:00"), end)
        assert refused.value.field == "end"


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(InvalidPeriod):
        Period(datetime(2030, 1, 7, 9), at("10:00"))  # noqa: DTZ001  # on purpose


@pytest.mark.parametrize(
    ("other", "overlap"),
    [
        (between("08:30", "09:00"), False),
        (between("08:30", "09:01"), True),
        (between("09:10", "09:20"), True),
        (between("08:00", "10:00"), True),
        (between("09:29", "10:00"), True),
        (between("09:30", "10:00"), False),
    ],
)
def test_an_end_is_not_part_of_its_period(
    other: Period,
    overlap: bool,  # noqa: FBT001
) -> None:
    half_past = between("09:00", "09:30")
    assert half_past.overlaps(other) is other.overlaps(half_past) is overlap


def test_a_period_keeps_its_instants_in_another_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    local = Period.of(at("09:00").astimezone(berlin), timedelta(minutes=30))
    assert local.in_utc() == local == between("09:00", "09:30")
    assert local.in_utc().start.tzinfo is UTC

"""What a wall shows, where clocks skip an hour or show one twice."""

import json
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scheduling.domain.pattern import Pattern
from scheduling.domain.schedule import Day, WeeklyRule
from scheduling.domain.wall_clock import hours_on, shown

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "wall_clock.json").read_text()
)
NEW_YORK = ZoneInfo("America/New_York")
BEIRUT = ZoneInfo("Asia/Beirut")
FORWARD, BACK = date(2026, 3, 8), date(2026, 11, 1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours(
    day: date, start: str, end: str, zone: ZoneInfo = NEW_YORK
) -> tuple[datetime, datetime] | None:
    return hours_on(day, time.fromisoformat(start), time.fromisoformat(end), zone)


def told(vector: dict[str, Any]) -> str:
    return f"{vector['tz']} {vector['day']} {vector['start']}-{vector['end']}"


@pytest.mark.parametrize("vector", VECTORS, ids=told)
def test_hours_on_the_wall_are_the_instants_of_the_vectors(
    vector: dict[str, Any],
) -> None:
    found = hours(
        date.fromisoformat(vector["day"]),
        vector["start"],
        vector["end"],
        ZoneInfo(vector["tz"]),
    )
    assert found is not None
    assert found == (
        datetime.fromisoformat(vector["utc_start"]),
        datetime.fromisoformat(vector["utc_end"]),
    )
    assert found[1] - found[0] == timedelta(minutes=vector["minutes"])


@pytest.mark.parametrize("vector", VECTORS, ids=told)
def test_a_rule_makes_the_slots_of_the_vectors(vector: dict[str, Any]) -> None:
    day = date.fromisoformat(vector["day"])
    rule = WeeklyRule(
        days=tuple(Day),
        start=time.fromisoformat(vector["start"]),
        end=time.fromisoformat(vector["end"]),
        slot_minutes=15,
        valid_from=day,
        valid_to=day,
    )
    slots = Pattern(rules=(rule,), timezone=vector["tz"]).slots(day, day)
    assert slots[0].start == datetime.fromisoformat(vector["utc_start"])
    assert slots[-1].end == datetime.fromisoformat(vector["utc_end"])
    assert len(slots) == vector["minutes"] // 15
    assert all(one.end == after.start for one, after in pairwise(slots))


def test_a_time_that_is_shown_once_is_one_instant() -> None:
    found = shown(datetime(2026, 1, 5, 9), NEW_YORK)  # noqa: DTZ001  # a wall has no zone
    assert found == (utc("2026-01-05T14:00"), utc("2026-01-05T14:00"))


def test_a_time_that_is_shown_twice_is_two_instants() -> None:
    found = shown(datetime(2026, 11, 1, 1, 30), NEW_YORK)  # noqa: DTZ001
    assert found == (utc("2026-11-01T05:30"), utc("2026-11-01T06:30"))


@pytest.mark.parametrize("minute", [0, 1, 30, 59])
def test_a_time_that_is_never_shown_is_when_the_gap_ends(minute: int) -> None:
    found = shown(datetime(2026, 3, 8, 2, minute), NEW_YORK)  # noqa: DTZ001
    assert found == (utc("2026-03-08T07:00"), utc("2026-03-08T07:00"))


def test_in_a_fold_a_start_takes_the_first_and_an_end_the_second() -> None:
    assert hours(BACK, "01:30", "03:00") == (
        utc("2026-11-01T05:30"),
        utc("2026-11-01T08:00"),
    )
    assert hours(BACK, "00:30", "01:30") == (
        utc("2026-11-01T04:30"),
        utc("2026-11-01T06:30"),
    )


def test_an_end_that_is_shown_once_is_that_one_though_the_fold_ends_there() -> None:
    assert hours(BACK, "01:00", "02:00") == (
        utc("2026-11-01T05:00"),
        utc("2026-11-01T07:00"),
    )


def test_hours_wholly_in_a_gap_are_none() -> None:
    assert hours(FORWARD, "02:00", "03:00") is None
    assert hours(FORWARD, "02:15", "02:45") is None


def test_hours_to_the_end_of_a_day_that_shows_its_last_hour_twice_have_both() -> None:
    """Beirut goes back from 24:00 to 23:00."""
    saturday = date(2026, 10, 24)
    assert hours(saturday, "22:00", "00:00", BEIRUT) == (
        utc("2026-10-24T19:00"),
        utc("2026-10-24T22:00"),
    )


def test_of_two_midnights_the_first_ends_the_day() -> None:
    """Havana goes back from 01:00 to 00:00: the day before is no longer for it."""
    havana = ZoneInfo("America/Havana")
    saturday, sunday = date(2026, 10, 31), date(2026, 11, 1)
    assert hours(saturday, "20:00", "00:00", havana) == (
        utc("2026-11-01T00:00"),
        utc("2026-11-01T04:00"),
    )
    assert hours(sunday, "00:00", "00:00", havana) == (
        utc("2026-11-01T04:00"),
        utc("2026-11-02T05:00"),
    )


def test_a_day_that_a_zone_skipped_has_no_hours() -> None:
    apia = ZoneInfo("Pacific/Apia")
    skipped = date(2011, 12, 30)
    assert hours(skipped, "09:00", "17:00", apia) is None
    assert hours(skipped, "22:00", "06:00", apia) is None
    assert hours(skipped, "00:00", "00:00", apia) is None
    assert hours(date(2011, 12, 29), "22:00", "00:00", apia) == (
        utc("2011-12-30T08:00"),
        utc("2011-12-30T10:00"),
    )


def test_the_same_start_and_end_are_a_whole_day_round() -> None:
    assert hours(date(2026, 3, 7), "09:00", "09:00") == (
        utc("2026-03-07T14:00"),
        utc("2026-03-08T13:00"),
    )

"""Weekly rules, and the slots that they want."""

import time as clocks
from datetime import date, timedelta
from itertools import pairwise

import pytest

from scheduling.domain.period import Period, day_in
from scheduling.domain.schedule import Day
from tests.patterns import (
    MON,
    SAT,
    SUN,
    TUE,
    a_pattern,
    a_rule,
    clock,
)


def test_slots_are_laid_from_the_start_and_the_last_ends_at_closing() -> None:
    slots = a_pattern(a_rule("09:00", "11:00")).slots(MON, MON)
    assert clock(slots) == [
        "07T09:00-09:30",
        "07T09:30-10:00",
        "07T10:00-10:30",
        "07T10:30-11:00",
    ]


def test_what_does_not_fit_before_closing_is_not_laid() -> None:
    slots = a_pattern(a_rule("09:00", "10:00", 25)).slots(MON, MON)
    assert clock(slots) == ["07T09:00-09:25", "07T09:25-09:50"]


def test_a_window_from_half_past_twelve_offers_half_past_twelve() -> None:
    slots = a_pattern(a_rule("12:30", "14:00", 45)).slots(MON, MON)
    assert clock(slots) == ["07T12:30-13:15", "07T13:15-14:00"]


@pytest.mark.parametrize(
    "zone",
    ["Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham", "Australia/Lord_Howe"],
)
def test_nine_is_nine_on_the_wall_of_odd_zones(zone: str) -> None:
    slots = a_pattern(a_rule("09:00", "10:00"), zone=zone).slots(MON, MON)
    assert clock(slots, zone) == ["07T09:00-09:30", "07T09:30-10:00"]


def test_who_works_in_two_zones_works_by_two_walls() -> None:
    rule = a_rule("09:00", "10:00", 60)
    lisbon, azores = (
        a_pattern(rule, zone=zone).slots(MON, MON)[0]
        for zone in ("Europe/Lisbon", "Atlantic/Azores")
    )
    assert azores.start - lisbon.start == timedelta(hours=1)


def test_only_days_that_a_rule_names_have_its_slots() -> None:
    rule = a_rule("09:00", "10:00", 60, days=(Day.MON, Day.SAT))
    assert clock(a_pattern(rule).slots(MON, SUN)) == [
        "07T09:00-10:00",
        "12T09:00-10:00",
    ]


def test_a_rule_holds_from_and_to_its_dates_inclusive() -> None:
    rule = a_rule(
        "09:00", "10:00", 60, valid_from=TUE, valid_to=TUE + timedelta(days=2)
    )
    days = [slot.day.day for slot in a_pattern(rule).slots(MON, SUN)]
    assert days == [8, 9, 10]


def test_there_is_nothing_without_rules_or_on_no_days() -> None:
    assert a_pattern().slots(MON, SUN) == []
    assert a_pattern(a_rule("09:00", "17:00")).slots(TUE, MON) == []


# Clocks that change


def test_nine_stays_nine_on_the_wall_when_clocks_change() -> None:
    pattern = a_pattern(a_rule("09:00", "10:00", 60), zone="Europe/Berlin")
    slots = pattern.slots(date(2026, 3, 28), date(2026, 3, 30))
    assert [slot.start.hour for slot in slots] == [8, 7, 7]
    assert clock(slots, "Europe/Berlin") == [
        "28T09:00-10:00",
        "29T09:00-10:00",
        "30T09:00-10:00",
    ]


@pytest.mark.parametrize(
    ("zone", "day", "half_hours"),
    [
        ("America/New_York", date(2026, 3, 8), 46),
        ("America/New_York", date(2026, 11, 1), 50),
        ("Australia/Lord_Howe", date(2026, 10, 4), 47),
        ("Australia/Lord_Howe", date(2026, 4, 5), 49),
        ("Africa/Cairo", date(2026, 4, 24), 46),
        ("UTC", MON, 48),
    ],
)
def test_a_day_round_the_clock_has_as_many_slots_as_it_has_time(
    zone: str, day: date, half_hours: int
) -> None:
    slots = a_pattern(a_rule("00:00", "00:00"), zone=zone).slots(day, day)
    assert len(slots) == half_hours
    assert Period(slots[0].start, slots[-1].end) == day_in(zone, day)
    assert all(one.end == after.start for one, after in pairwise(slots))


def test_a_slot_is_elapsed_minutes_also_over_a_gap() -> None:
    pattern = a_pattern(a_rule("01:30", "04:00", 60), zone="America/New_York")
    slots = pattern.slots(date(2026, 3, 8), date(2026, 3, 8))
    assert clock(slots, "America/New_York") == ["08T01:30-03:30"]


@pytest.mark.parametrize("machine", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_zone_of_the_machine_changes_nothing(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pattern = a_pattern(a_rule("22:00", "06:00"), zone="America/Havana")
    before = pattern.slots(date(2026, 3, 7), date(2026, 3, 9))
    try:
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("TZ", machine)
            clocks.tzset()
            assert pattern.slots(date(2026, 3, 7), date(2026, 3, 9)) == before
    finally:
        clocks.tzset()


# Midnight


def test_a_night_is_on_both_dates_and_belongs_to_the_day_it_starts_on() -> None:
    rule = a_rule("22:00", "06:00", 120, days=(Day.SAT,))
    slots = a_pattern(rule).slots(SAT, SAT)
    assert clock(slots) == [
        "12T22:00-00:00",
        "13T00:00-02:00",
        "13T02:00-04:00",
        "13T04:00-06:00",
    ]
    assert {slot.day for slot in slots} == {SAT}
    assert a_pattern(rule).slots(SUN, SUN) == []


def test_a_slot_over_midnight_exists_once() -> None:
    pattern = a_pattern(a_rule("23:45", "00:15"))
    slots = pattern.slots(MON, TUE)
    assert clock(slots) == ["07T23:45-00:15", "08T23:45-00:15"]
    assert [*pattern.slots(MON, MON), *pattern.slots(TUE, TUE)] == slots


def test_a_window_to_the_end_of_the_day_offers_its_last_half_hour() -> None:
    assert clock(a_pattern(a_rule("22:30", "00:00")).slots(MON, MON)) == [
        "07T22:30-23:00",
        "07T23:00-23:30",
        "07T23:30-00:00",
    ]


# Rules that overlap


def test_what_two_rules_both_want_is_there_once_with_the_larger_capacity() -> None:
    slots = a_pattern(
        a_rule("09:00", "10:30", capacity=1, service_types=("a",)),
        a_rule("10:00", "11:00", capacity=4, service_types=("b",)),
    ).slots(MON, MON)
    assert [(s.start.hour, s.start.minute, s.capacity) for s in slots] == [
        (9, 0, 1),
        (9, 30, 1),
        (10, 0, 4),
        (10, 30, 4),
    ]
    assert [s.service_types for s in slots] == [("a",), ("a",), ("a", "b"), ("b",)]


def test_of_both_services_and_any_is_any() -> None:
    one, other = (
        a_rule("09:00", "09:30"),
        a_rule("09:00", "09:30", service_types=("b",)),
    )
    for rules in ((one, other), (other, one)):
        (slot,) = a_pattern(*rules).slots(MON, MON)
        assert slot.service_types == ()


def test_who_starts_first_keeps_the_grid() -> None:
    slots = a_pattern(a_rule("09:15", "12:00", 60), a_rule("09:00", "11:00", 30)).slots(
        MON, MON
    )
    assert clock(slots) == [
        "07T09:00-09:30",
        "07T09:30-10:00",
        "07T10:00-10:30",
        "07T10:30-11:00",
    ]


def test_of_rules_that_start_together_the_first_said_keeps_the_grid() -> None:
    long, short = a_rule("09:00", "10:00", 60), a_rule("09:00", "11:00", 20)
    assert clock(a_pattern(long, short).slots(MON, MON)) == [
        "07T09:00-10:00",
        "07T10:00-10:20",
        "07T10:20-10:40",
        "07T10:40-11:00",
    ]
    assert len(a_pattern(short, long).slots(MON, MON)) == 6


def test_what_starts_later_fills_what_is_left_between() -> None:
    slots = a_pattern(
        a_rule("09:00", "09:30"),
        a_rule("09:20", "11:20", 20),
        a_rule("09:10", "09:20", 10),
    ).slots(MON, MON)
    assert clock(slots)[:2] == ["07T09:00-09:30", "07T09:40-10:00"]


def test_a_night_and_the_morning_after_merge_over_midnight() -> None:
    pattern = a_pattern(
        a_rule("22:00", "07:00", 60, days=(Day.MON,)),
        a_rule("06:00", "08:00", 60, days=(Day.TUE,), capacity=3),
    )
    slots = pattern.slots(MON, TUE)
    assert clock(slots)[-3:] == ["08T05:00-06:00", "08T06:00-07:00", "08T07:00-08:00"]
    assert slots[-2].capacity == 3
    assert slots[-2].day == MON
    assert clock(pattern.slots(TUE, TUE)) == ["08T07:00-08:00"]
    assert pattern.slots(MON, MON) == slots[:-1]

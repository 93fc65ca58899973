"""Exceptions from weekly rules, and the slots that are left or wanted besides."""

from datetime import timedelta

import pytest

from scheduling.domain.errors import InvalidInput
from scheduling.domain.period import Period, day_in
from scheduling.domain.schedule import Day
from scheduling.domain.schedule_exception import Deviation, ExceptionKind
from tests.patterns import (
    MON,
    TUE,
    a_pattern,
    a_rule,
    besides,
    clock,
    closed,
    closed_from,
    hours,
    instead,
    utc,
)

NINE_TO_TEN = a_rule("09:00", "10:00", 30)


def test_a_closed_date_has_no_slots_and_its_neighbours_keep_theirs() -> None:
    slots = a_pattern(NINE_TO_TEN, but=(closed(TUE),)).slots(MON, TUE + (TUE - MON))
    assert {slot.day.day for slot in slots} == {7, 9}


def test_a_closed_date_takes_its_whole_night_and_leaves_the_night_before() -> None:
    night = a_rule("22:00", "06:00", 240)
    slots = a_pattern(night, but=(closed(TUE),)).slots(MON, TUE + timedelta(days=1))
    assert clock(slots) == [
        "07T22:00-02:00",
        "08T02:00-06:00",
        "09T22:00-02:00",
        "10T02:00-06:00",
    ]


def test_time_that_is_closed_exactly_takes_every_slot_that_it_touches() -> None:
    slots = a_pattern(
        a_rule("09:00", "11:00"), but=(closed_from("07T09:45", "07T10:30"),)
    ).slots(MON, MON)
    assert clock(slots) == ["07T09:00-09:30", "07T10:30-11:00"]


def test_closed_for_a_service_leaves_the_others() -> None:
    rules = (
        a_rule("09:00", "09:30", service_types=("x-ray",)),
        a_rule("10:00", "10:30", service_types=("x-ray", "cast")),
        a_rule("11:00", "11:30"),
    )
    for but in (closed(MON, "x-ray"), closed_from("07T00:00", "08T00:00", "x-ray")):
        slots = a_pattern(*rules, but=(but,)).slots(MON, MON)
        assert [slot.start.hour for slot in slots] == [10, 11]


def test_a_replacement_is_instead_of_the_rules_of_that_date_only() -> None:
    but = instead(TUE, hours("14:00", "15:00", 20, capacity=2))
    slots = a_pattern(NINE_TO_TEN, but=(but,)).slots(MON, TUE)
    assert clock(slots) == [
        "07T09:00-09:30",
        "07T09:30-10:00",
        "08T14:00-14:20",
        "08T14:20-14:40",
        "08T14:40-15:00",
    ]
    assert slots[-1].capacity == 2


def test_an_empty_replacement_closes_the_date() -> None:
    assert a_pattern(NINE_TO_TEN, but=(instead(MON),)).slots(MON, MON) == []


def test_the_last_replacement_said_stands() -> None:
    but = (instead(MON, hours("14:00", "15:00")), instead(MON, hours("16:00", "16:30")))
    slots = a_pattern(NINE_TO_TEN, but=but).slots(MON, MON)
    assert clock(slots) == ["07T16:00-16:30"]


def test_extra_hours_are_besides_what_there_is() -> None:
    but = besides(MON, hours("09:30", "10:30"))
    slots = a_pattern(NINE_TO_TEN, but=(but,)).slots(MON, MON)
    assert clock(slots) == ["07T09:00-09:30", "07T09:30-10:00", "07T10:00-10:30"]


def test_extra_hours_are_besides_a_replacement_too_whichever_was_said_first() -> None:
    one, other = besides(MON, hours("18:00", "18:30")), instead(MON)
    for but in ((one, other), (other, one)):
        slots = a_pattern(NINE_TO_TEN, but=but).slots(MON, MON)
        assert clock(slots) == ["07T18:00-18:30"]


def test_closed_wins_over_extra_hours_whichever_was_said_first() -> None:
    one, other = besides(MON, hours("18:00", "18:30")), closed(MON)
    for but in ((one, other), (other, one)):
        assert a_pattern(NINE_TO_TEN, but=but).slots(MON, MON) == []


def test_the_windows_of_a_day_are_its_hours_as_they_stand() -> None:
    pattern = a_pattern(
        a_rule("13:00", "17:00", days=(Day.MON,)),
        a_rule("08:00", "12:00", days=(Day.MON,)),
        but=(closed_from("07T09:00", "07T10:00"), closed(TUE)),
    )
    windows = pattern.windows_on(MON)
    assert [window.period for window in windows] == [
        Period(utc("07T08:00"), utc("07T12:00")),
        Period(utc("07T13:00"), utc("07T17:00")),
    ]
    assert [window.count for window in windows] == [8, 8]
    assert pattern.windows_on(TUE) == ()
    assert pattern.count(MON, TUE) == 16


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"kind": ExceptionKind.EXTRA, "on_date": None}, "date"),
        ({"kind": ExceptionKind.EXTRA}, "windows"),
        ({"windows": (hours("09:00", "10:00"),)}, "windows"),
        ({"kind": ExceptionKind.REPLACE, "service_types": ("a",)}, "serviceTypes"),
        (
            {"period": Period(utc("01T00:00"), utc("01T00:00").replace(2031, 1, 3))},
            "end",
        ),
    ],
)
def test_an_exception_that_makes_no_sense_is_refused(
    told: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        Deviation(
            **{  # type: ignore[arg-type]
                "kind": ExceptionKind.CLOSED,
                "on_date": MON,
                "period": day_in("UTC", MON),
                **told,
            }
        )
    assert refused.value.field == field

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from scheduling.entrypoints.http import shapes
from scheduling.entrypoints.http.windows import WindowBody, window_view

NINE = {
    "daysOfWeek": ["mon"],
    "startTime": "09:00",
    "endTime": "17:00",
    "slotMinutes": 30,
}


def taken(kind: Any, value: object) -> Any:  # noqa: ANN401
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2030-01-07T09:00:00Z", datetime(2030, 1, 7, 9, tzinfo=UTC)),
        ("2030-01-07T09:00:00-03:00", datetime(2030, 1, 7, 12, tzinfo=UTC)),
        ("2030-01-07t09:00:00z", datetime(2030, 1, 7, 9, tzinfo=UTC)),
        ("2030-01-07T09:00:00.5Z", datetime(2030, 1, 7, 9, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_an_instant_has_an_offset_and_is_kept_in_utc(
    text: str, instant: datetime
) -> None:
    kept = taken(shapes.Instant, text)
    assert kept == instant
    assert kept.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "2030-01-07T09:00:00",
        "2030-01-07",
        "2030-01-07 09:00:00Z",
        "2030-01-07T09:00:60Z",
        "2030-01-07T24:00:00Z",
        "2030-02-30T09:00:00Z",
        "10000-01-01T00:00:00Z",
        "1899-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "2030-01-07T09:00Z",
        "2030-W02-1T09:00:00Z",
        "1893488400",
        1893488400,
        None,
        True,
    ],
)
def test_anything_else_is_no_instant(value: object) -> None:
    with pytest.raises(ValidationError):
        taken(shapes.Instant, value)


def test_a_day_is_a_day_and_no_instant() -> None:
    assert taken(shapes.Day, "2030-01-31") == date(2030, 1, 31)
    for value in ("2030-01-31T00:00:00", "20300131", "2030-02-30", 7, None):
        with pytest.raises(ValidationError):
            taken(shapes.Day, value)


@pytest.mark.parametrize(
    "name", ["posixrules", "../etc/passwd", "localtime", "Factory", "", "utc", "+03:00"]
)
def test_a_zone_is_one_of_iana(name: str) -> None:
    with pytest.raises(ValidationError):
        taken(shapes.Zone, name)
    assert taken(shapes.Zone, "America/Sao_Paulo")


@pytest.mark.parametrize("text", ["", " ", "\t", "a\nb", "a\0b", "\ud800", "x" * 201])
def test_a_line_is_one_and_not_blank(text: str) -> None:
    with pytest.raises(ValidationError):
        taken(shapes.Line, text)
    assert taken(shapes.Line, " João 陈 ")


@pytest.mark.parametrize("value", ["5", 5.5, float("inf"), True, None])
def test_whole_numbers_are_numbers(value: object) -> None:
    with pytest.raises(ValidationError):
        taken(shapes.Whole, value)


def test_a_number_is_whole_however_json_writes_it() -> None:
    assert taken(shapes.Whole, 5.0) == taken(shapes.Whole, 5) == 5
    assert isinstance(taken(shapes.Whole, 5.0), int)
    with pytest.raises(ValidationError):
        taken(shapes.Version, 1e300)


@pytest.mark.parametrize(
    ("told", "end"), [("17:00", "17:00"), ("00:00", "24:00"), ("24:00", "24:00")]
)
def test_a_window_ends_at_the_latest_with_its_day(told: str, end: str) -> None:
    rule = WindowBody.model_validate(NINE | {"endTime": told}).to_rule()
    assert window_view(rule)["endTime"] == end
    assert rule.start == time(9)


@pytest.mark.parametrize(
    "told",
    [
        {"endTime": "09:20"},
        {"endTime": "24:01"},
        {"startTime": "24:00"},
        {"startTime": "9:00"},
        {"slotMinutes": 4},
        {"capacity": 0},
        {"daysOfWeek": []},
        {"daysOfWeek": ["mon", "mon"]},
        {"daysOfWeek": ["monday"]},
        {"validFrom": "2030-01-02", "validTo": "2030-01-01"},
    ],
)
def test_a_window_that_makes_no_slots_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WindowBody.model_validate(NINE | told)


def test_an_overnight_window_is_long_enough() -> None:
    WindowBody.model_validate(NINE | {"startTime": "23:00", "endTime": "01:00"})

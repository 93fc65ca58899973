from datetime import UTC, datetime, timedelta

import pytest

from scheduling.domain.availability import BookingWindow
from scheduling.domain.booking import (
    decide_booking,
)
from scheduling.domain.errors import OutsideBookingWindow
from scheduling.domain.settings import Settings
from tests.builders import a_request, a_slot, at, between, facts

TEN = at("10:00")
SECOND = timedelta(seconds=1)


def window(settings: Settings, timezone: str = "UTC") -> BookingWindow:
    return BookingWindow.of(settings, now=TEN, timezone=timezone)


def test_what_begins_now_has_begun() -> None:
    assert not window(Settings()).admits(TEN)
    assert window(Settings()).admits(TEN + SECOND)
    assert window(Settings()).admits(at("10:15"))


def test_the_end_of_the_notice_is_bookable() -> None:
    an_hour = window(Settings(minimum_notice_minutes=60))
    assert an_hour.admits(at("11:00"))
    assert not an_hour.admits(at("10:59"))


def test_the_last_day_of_the_horizon_is_bookable_to_its_end() -> None:
    a_week = window(Settings(horizon_days=7))
    assert a_week.admits(at("23:59", day=7))
    assert not a_week.admits(at("00:00", day=8))


def test_a_horizon_of_no_days_is_the_rest_of_today() -> None:
    today = window(Settings(horizon_days=0))
    assert today.admits(at("23:59"))
    assert not today.admits(at("00:00", day=1))


def test_the_horizon_ends_with_the_clinics_day() -> None:
    in_auckland = window(Settings(horizon_days=1), "Pacific/Auckland")
    # There it is 23:00 on Monday, 13 hours ahead.
    assert in_auckland.admits(at("10:59", day=1))
    assert not in_auckland.admits(at("11:00", day=1))
    in_honolulu = window(Settings(horizon_days=1), "Pacific/Honolulu")
    # There it is midnight, 10 hours behind.
    assert in_honolulu.admits(at("09:59", day=2))
    assert not in_honolulu.admits(at("10:00", day=2))


def test_notice_is_elapsed_time_over_a_night_that_lost_an_hour() -> None:
    evening = datetime(2030, 3, 30, 20, tzinfo=UTC)  # 21:00 in Berlin
    a_day = BookingWindow.of(
        Settings(minimum_notice_minutes=24 * 60), now=evening, timezone="Europe/Berlin"
    )
    assert not a_day.admits(evening + timedelta(hours=23, minutes=59))
    assert a_day.admits(evening + timedelta(hours=24))


def test_notice_beyond_the_horizon_admits_nothing() -> None:
    never = window(Settings(horizon_days=1, minimum_notice_minutes=3 * 24 * 60))
    assert not any(never.admits(at("12:00", day=day)) for day in range(10))


@pytest.mark.parametrize("start", ["09:59", "10:00"])
def test_a_booking_asks_the_window(start: str) -> None:
    slot = a_slot(between(start, "10:30"))
    with pytest.raises(OutsideBookingWindow):
        decide_booking(a_request(slot), facts(slot), now=TEN)

from datetime import UTC, date, datetime

import pytest

from scheduling.domain.availability import Taken, monday_of
from scheduling.domain.booking import (
    week_of,
)
from scheduling.domain.errors import BookingLimitReached
from scheduling.domain.period import Period
from scheduling.domain.settings import Limits, Settings
from tests.builders import a_booking, a_slot, at, between

DAILY = Settings(limits=Limits(per_practitioner_day=2))
WEEKLY = Settings(limits=Limits(per_practitioner_week=2))


def test_what_is_under_the_limit_is_booked_and_what_reaches_it_is_not() -> None:
    a_booking(settings=DAILY, taken=(at("14:00"),))
    with pytest.raises(BookingLimitReached):
        a_booking(settings=DAILY, taken=(at("14:00"), at("15:00")))


def test_another_day_of_the_week_does_not_count_for_the_day() -> None:
    tomorrow = (at("14:00", day=1), at("15:00", day=1))
    a_booking(settings=DAILY, taken=tomorrow)
    with pytest.raises(BookingLimitReached):
        a_booking(settings=WEEKLY, taken=tomorrow)


def test_a_day_is_the_clinics_day() -> None:
    slot = a_slot(between("20:00", "20:30"), timezone="Pacific/Auckland")
    monday_there = (at("09:00"), at("10:59"))
    tuesday_there = (at("11:00"), at("23:00"))
    a_booking(slot, settings=DAILY, taken=monday_there)
    with pytest.raises(BookingLimitReached):
        a_booking(slot, settings=DAILY, taken=tuesday_there)


def test_a_week_runs_from_monday_across_the_end_of_a_month() -> None:
    thursday = datetime(2030, 1, 31, 9, tzinfo=UTC)
    friday = datetime(2030, 2, 1, 9, tzinfo=UTC)
    sunday = datetime(2030, 2, 3, 23, 59, tzinfo=UTC)
    next_monday = datetime(2030, 2, 4, tzinfo=UTC)
    taken = Taken.of((thursday, friday), "UTC")
    assert taken.reaches(WEEKLY.limits, sunday.date())
    assert not taken.reaches(WEEKLY.limits, next_monday.date())
    assert monday_of(sunday.date()) == monday_of(thursday.date()) == date(2030, 1, 28)


def test_the_week_of_a_slot_is_its_clinics_week() -> None:
    slot = a_slot(between("08:00", "08:30"), timezone="Pacific/Honolulu")
    # There it is Sunday, 22:00: the week before.
    assert week_of(slot) == Period(at("10:00", day=-7), at("10:00"))
    assert week_of(a_slot()) == Period(at("00:00"), at("00:00", day=7))


def test_no_limit_is_never_reached() -> None:
    a_booking(taken=(at("14:00"),) * 1000)
    assert not Limits().any
    assert Limits(per_practitioner_week=1).any

"""In the morning practitioners are told whom they see, by the clock of the place."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduling.domain.day_sheet import USEFUL_FOR, day_sheets, day_to_tell
from scheduling.domain.events import NotificationRequested
from scheduling.domain.identifiers import PractitionerId
from scheduling.domain.status import Status
from tests.builders import EIGHT, a_location, an_appointment, an_id, between

# On these days clocks change in the night before, forward and back.
DAYS_OF_CHANGE = [
    ("Europe/Berlin", date(2030, 3, 31)),
    ("Europe/Berlin", date(2030, 10, 27)),
    ("America/New_York", date(2030, 3, 10)),
    ("America/New_York", date(2030, 11, 3)),
    ("Australia/Lord_Howe", date(2030, 10, 6)),
    ("Africa/Cairo", date(2030, 4, 26)),
]


@pytest.mark.parametrize(("timezone", "day"), DAYS_OF_CHANGE)
def test_it_is_told_at_eight_on_the_wall_also_when_clocks_have_changed(
    timezone: str, day: date
) -> None:
    eight = datetime(day.year, day.month, day.day, 8, tzinfo=ZoneInfo(timezone))
    due = eight.astimezone(UTC)
    assert day_to_tell(timezone, due - timedelta(seconds=1)) is None
    assert day_to_tell(timezone, due) == day


@pytest.mark.parametrize("timezone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_day_is_that_of_the_place(timezone: str) -> None:
    """At both ends of the world it is not the same day when it is eight."""
    there = datetime(2030, 1, 7, 8, tzinfo=ZoneInfo(timezone))
    assert day_to_tell(timezone, there.astimezone(UTC)) == date(2030, 1, 7)


def test_who_could_not_be_told_for_long_is_told_no_more() -> None:
    assert day_to_tell("UTC", EIGHT + USEFUL_FOR - timedelta.resolution) is not None
    assert day_to_tell("UTC", EIGHT + USEFUL_FOR) is None


def test_asked_again_and_again_for_a_year_it_is_each_day_once() -> None:
    told: list[date] = []
    now = datetime(2030, 1, 1, tzinfo=UTC)
    while now < datetime(2031, 1, 1, tzinfo=UTC):
        day = day_to_tell("Africa/Cairo", now)
        if day is not None and (not told or told[-1] != day):
            told.append(day)
        now += timedelta(minutes=30)
    assert told == sorted(set(told))
    assert len(told) == 365


def sheets_for(*visits: object) -> tuple[NotificationRequested, ...]:
    return day_sheets(
        a_location(timezone="Asia/Kathmandu"),
        date(2030, 1, 7),
        visits,  # type: ignore[arg-type]
        source_event_id="daily-schedule:1",
        now=EIGHT,
    )


def test_each_practitioner_gets_one_with_how_many_and_from_when_until_when() -> None:
    one, other = PractitionerId(an_id()), PractitionerId(an_id())
    told = sheets_for(
        an_appointment(practitioner_id=one, period=between("11:00", "11:30")),
        an_appointment(practitioner_id=other, period=between("10:00", "10:30")),
        an_appointment(practitioner_id=one, period=between("09:00", "09:30")),
    )
    assert {sheet.recipient_id for sheet in told} == {one, other}
    (mine,) = [sheet for sheet in told if sheet.recipient_id == one]
    assert mine.template == "practitioner.daily-schedule"
    assert mine.recipient_type == "practitioner"
    assert mine.source_event_id == "daily-schedule:1"
    assert mine.references["appointments"] == "2"
    assert mine.references["date"] == "2030-01-07"
    assert mine.references["timezone"] == "Asia/Kathmandu"
    assert mine.references["firstStart"] == "2030-01-07T09:00:00Z"
    assert mine.references["lastEnd"] == "2030-01-07T11:30:00Z"


def test_what_is_only_held_is_no_visit() -> None:
    held = an_appointment(
        status=Status.PENDING, hold_expires_at=EIGHT + timedelta(minutes=10)
    )
    waiting_for_staff = an_appointment(status=Status.PENDING)
    assert sheets_for(held) == ()
    assert len(sheets_for(held, waiting_for_staff)) == 1

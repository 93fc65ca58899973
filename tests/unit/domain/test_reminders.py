from datetime import UTC, datetime, timedelta

import pytest

from scheduling.domain.directory import ContactPreferences
from scheduling.domain.reminder import Reminder, reminders_for
from scheduling.domain.settings import Settings
from tests.builders import a_booking, a_slot, at, between

SMS = ContactPreferences(sms=True)


def planned(
    start: datetime, now: datetime, settings: Settings | None = None
) -> tuple[Reminder, ...]:
    return reminders_for(
        start, settings=settings or Settings(), preferences=SMS, now=now
    )


def test_a_day_and_two_hours_before() -> None:
    due = [(r.offset_minutes, r.due_at) for r in planned(at("9:00", day=3), at("8:00"))]
    assert due == [(24 * 60, at("9:00", day=2)), (2 * 60, at("7:00", day=3))]


def test_booked_23_hours_ahead_only_the_later_one_is_left() -> None:
    start = at("09:00", day=1)
    (only,) = planned(start, start - timedelta(hours=23))
    assert only.offset_minutes == 2 * 60


def test_one_that_is_due_now_is_too_late() -> None:
    start = at("09:00", day=1)
    assert len(planned(start, start - timedelta(hours=24))) == 1
    assert planned(start, start - timedelta(hours=2)) == ()
    assert len(planned(start, start - timedelta(hours=24, seconds=1))) == 2


def test_24_hours_are_elapsed_over_a_night_that_lost_one() -> None:
    start = datetime(2030, 3, 31, 7, tzinfo=UTC)  # 09:00 in Berlin, summer since 2:00
    first, _ = planned(start, start - timedelta(days=3))
    assert first.due_at == start - timedelta(hours=24)


def test_an_organisation_chooses_when_to_remind() -> None:
    weekly = Settings(reminder_offsets_minutes=(7 * 24 * 60,))
    (only,) = planned(at("09:00", day=8), at("08:00"), weekly)
    assert only.due_at == at("09:00", day=1)
    assert planned(at("9:00"), at("8:00"), Settings(reminder_offsets_minutes=())) == ()


@pytest.mark.parametrize(
    ("preferences", "channel"),
    [
        (ContactPreferences(whatsapp=True, sms=True, email=True), "whatsapp"),
        (ContactPreferences(sms=True, email=True), "sms"),
        (ContactPreferences(email=True), "email"),
        (ContactPreferences(), None),
    ],
)
def test_whatsapp_comes_before_sms_and_sms_before_email(
    preferences: ContactPreferences, channel: str | None
) -> None:
    assert preferences.channel() == channel
    slot = a_slot(between("09:00", "09:30", day=3))
    told = {r.channel for r in a_booking(slot, preferences=preferences).reminders}
    assert told == {channel}


def test_without_a_way_they_wait_and_say_why() -> None:
    preferences = ContactPreferences()
    slot = a_slot(between("09:00", "09:30", day=3))
    planned = a_booking(slot, preferences=preferences).reminders
    assert [(one.offset_minutes, one.reason) for one in planned] == [
        (24 * 60, "NO_CHANNEL"),
        (2 * 60, "NO_CHANNEL"),
    ]
    by_sms = a_booking(slot, preferences=SMS).reminders
    assert {one.reason for one in by_sms} == {None}

from datetime import UTC, datetime
from string import Template

import pytest

from scheduling.domain.reminder_text import WORDINGS, render

MORNING = datetime(2030, 1, 7, 8, tzinfo=UTC)


def said(start: datetime, timezone: str, language: str | None = "en") -> str:
    text = render(start, timezone=timezone, clinic="Clinic", language=language)
    return f"{text.subject}\n{text.body}"


@pytest.mark.parametrize(
    ("timezone", "time", "day", "zone"),
    [
        ("UTC", "08:00", "Monday, 7 January 2030", "UTC, UTC+00:00"),
        ("Asia/Yangon", "14:30", "Monday, 7 January 2030", "UTC+06:30"),
        ("Asia/Kathmandu", "13:45", "Monday, 7 January 2030", "UTC+05:45"),
        ("Pacific/Pago_Pago", "21:00", "Sunday, 6 January 2030", "UTC-11:00"),
        ("Pacific/Kiritimati", "22:00", "Monday, 7 January 2030", "UTC+14:00"),
    ],
)
def test_it_is_said_in_the_clinics_time_with_its_zone(
    timezone: str, time: str, day: str, zone: str
) -> None:
    text = said(MORNING, timezone)
    assert f"on {day} at {time}" in text
    assert zone in text
    assert timezone in text


def test_of_an_hour_that_comes_twice_it_says_which() -> None:
    first = datetime(2030, 10, 27, 0, 30, tzinfo=UTC)
    second = datetime(2030, 10, 27, 1, 30, tzinfo=UTC)
    assert "at 02:30 (Europe/Berlin, UTC+02:00)" in said(first, "Europe/Berlin")
    assert "at 02:30 (Europe/Berlin, UTC+01:00)" in said(second, "Europe/Berlin")


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        ("en", "en"),
        ("en-GB", "en"),
        ("my", "my"),
        ("my-MM", "my"),
        ("MY", "my"),
        ("de", "en"),
        (None, "en"),
        ("", "en"),
    ],
)
def test_a_language_that_we_do_not_speak_is_english(
    language: str | None, spoken: str
) -> None:
    text = render(MORNING, timezone="UTC", clinic="Clinic", language=language)
    assert text.language == spoken


def test_in_burmese_day_and_time_have_its_digits() -> None:
    text = said(MORNING, "Asia/Yangon", "my")
    assert "၂၀၃၀ ခုနှစ်၊ ဇန်နဝါရီလ ၇ ရက်၊ တနင်္လာနေ့" in text
    assert "၁၄:၃၀" in text
    assert "(Asia/Yangon, UTC+06:30)" in text


@pytest.mark.parametrize("language", WORDINGS)
def test_a_wording_is_whole(language: str) -> None:
    wording = WORDINGS[language]
    assert (len(wording.weekdays), len(wording.months)) == (7, 12)
    assert len(set(wording.weekdays)) == 7
    assert len(set(wording.months)) == 12
    assert len(wording.digits) == 10
    needed = {"clinic", "day", "time", "zone"}
    assert set(wording.body.get_identifiers()) == needed
    assert set(wording.subject.get_identifiers()) <= needed
    assert set(wording.day.get_identifiers()) == {"weekday", "day", "month", "year"}
    for template in (wording.subject, wording.body, wording.day):
        assert isinstance(template, Template)
        assert template.is_valid()


def test_a_clinics_name_is_one_line_and_nothing_is_filled_into_it() -> None:
    text = render(
        MORNING, timezone="UTC", clinic="Clinic\r\nBcc: x $day", language="en"
    )
    assert "at Clinic Bcc: x $day on Monday" in text.body
    assert "\n" not in text.subject

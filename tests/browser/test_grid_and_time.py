"""The grid on the clinic's clock, whoever looks at it from wherever."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from tests.browser.clinic import SOUZA, THU, WEISS, Clinic
from tests.browser.conftest import Enter, Keep
from tests.browser.grid import entry, middle, top

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("viewer", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
async def test_a_viewer_elsewhere_sees_the_clinics_time_and_is_told(
    enter: Enter, clinic: Clinic, screenshot: Keep, viewer: str
) -> None:
    await clinic.booked("Maria Silva", SOUZA, 1, "09:00")
    page = await enter("front-desk", clinic.address("day", 1), timezone_id=viewer)
    await expect(entry(page, SOUZA, "09:00", "Maria")).to_be_visible()
    head = page.get_by_role("banner")
    await expect(head).to_contain_text("Clinic time: Europe/Berlin")
    await expect(head).to_contain_text(f"You are in {viewer}")
    now = datetime.now(BERLIN)
    minutes = {f"{now + timedelta(minutes=late):%H:%M}" for late in (-1, 0, 1)}
    told = await head.get_by_text("You are in").inner_text()
    assert any(f"it is {one} there" in told for one in minutes), told
    # Each free time is where the wall of the clinic has it, whatever the viewer's has.
    nine, ten = entry(page, SOUZA, "09:00"), entry(page, SOUZA, "10:00")
    assert await top(ten) - await top(nine) == pytest.approx(112, abs=2)
    hours = page.locator(".ec-sidebar time", has_text="10:00")
    assert abs((await middle(hours))[1] - await top(ten)) < 12
    await screenshot(page, f"grid-seen-from-{viewer.split('/')[1].lower()}")


async def test_a_viewer_in_the_clinics_zone_is_told_of_no_other(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter("front-desk", clinic.address("day", 1))
    await expect(page.get_by_role("banner")).to_contain_text("Europe/Berlin")
    await expect(page.get_by_text("You are in")).to_have_count(0)


async def test_the_line_of_now_follows_the_clinics_clock(
    enter: Enter, clinic: Clinic, screenshot: Keep
) -> None:
    page = await enter(
        "front-desk", clinic.address("day", 1), timezone_id="America/New_York"
    )
    await page.clock.install(time=clinic.instant(1, "10:00"))
    await page.reload()
    line = page.locator(".ec-now-indicator")
    await expect(line).to_be_visible()
    await page.clock.run_for(2000)
    ten = page.locator(".ec-sidebar time", has_text="10:00")
    assert abs((await middle(ten))[1] - await top(line)) < 12
    await screenshot(page, "grid-now")


async def hours_of_night(clinic: Clinic, first: date) -> None:
    """Dr. Weiß works the night that begins on that day, too."""
    answer = await clinic.desk.post(
        f"/v1/schedules/{clinic.schedules[WEISS]['id']}/exceptions",
        {
            "kind": "extra",
            "date": str(first),
            "windows": [{"startTime": "23:30", "endTime": "01:00", "slotMinutes": 30}],
        },
    )
    assert answer.status_code == 201, answer.text


async def test_a_night_is_seen_on_both_of_its_days(
    enter: Enter, clinic: Clinic, screenshot: Keep
) -> None:
    await hours_of_night(clinic, clinic.day(1))
    page = await enter("front-desk", clinic.address("day", 1))
    await expect(entry(page, WEISS, "23:30", "Free")).to_have_count(1)
    await page.goto(f"/calendar/{clinic.address('day', 2)}")
    for time in ("00:00", "00:30"):
        await expect(entry(page, WEISS, time, "Free")).to_have_count(1)
    await expect(entry(page, WEISS, "23:30", "Free")).to_have_count(0)
    await entry(page, WEISS, "00:00", "Free").scroll_into_view_if_needed()
    await screenshot(page, "grid-night")


async def test_a_day_on_which_the_clocks_change_is_read_off_the_wall(
    enter: Enter, clinic: Clinic
) -> None:
    """Nine is at nine before and after the change, also for a viewer whose own clocks
    change on another day.
    """
    changes = next(
        day
        for ahead in range(400)
        if (day := clinic.day(ahead)).month in {3, 10}
        and _offset(day) != _offset(day + timedelta(days=1))
    )
    page = await enter(
        "front-desk", clinic.address("day", 1), timezone_id="America/New_York"
    )
    await clinic.desk.settings(horizonDays=365, timezone="Europe/Berlin")
    path = f"/v1/schedules/{clinic.schedules[SOUZA]['id']}/generate"
    made = await clinic.desk.post(path, {})
    assert made.status_code == 200, made.text
    found = {}
    for day in (changes, changes + timedelta(days=1)):
        place = f"clinic={clinic.locations['Berlin']}"
        await page.goto(f"/calendar/#/day?{place}&date={day}")
        nine = entry(page, SOUZA, "09:00", "Free")
        await expect(nine).to_be_visible()
        hours = page.locator(".ec-sidebar time", has_text="09:00")
        found[day] = (await middle(hours))[1] - await top(nine)
    assert all(abs(away) < 12 for away in found.values()), found


def _offset(day: date) -> timedelta | None:
    return datetime(day.year, day.month, day.day, tzinfo=BERLIN).utcoffset()


async def test_a_clinic_in_another_zone_is_shown_on_its_own_clock(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter("front-desk", clinic.address("day", 1))
    await expect(entry(page, SOUZA, "08:00", "Free")).to_be_visible()
    clinics = page.get_by_role("combobox", name="Clinic")
    await clinics.select_option("Linden Clinic Yangon")
    await expect(entry(page, THU, "09:00", "Free")).to_be_visible()
    await expect(page.get_by_role("banner")).to_contain_text("Asia/Yangon")
    heads = page.locator(".ec-col-head")
    await expect(heads).to_have_count(1)
    nine = page.locator(".ec-sidebar time", has_text="09:00")
    first = entry(page, THU, "09:00", "Free")
    assert abs((await middle(nine))[1] - await top(first)) < 12

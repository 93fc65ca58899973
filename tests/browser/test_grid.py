"""The grid of a day and of a week: for eyes, keys and screen readers alike."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.browser.clinic import SANDER, SOUZA, WEISS, Clinic
from tests.browser.conftest import Enter, Judge, Keep
from tests.browser.grid import entry, middle, top

FOCUSED = "[data-entry]:focus"


async def into_the_grid(page: Page) -> Locator:
    """Go on by Tab until an entry has the focus."""
    await page.locator("#main").focus()
    here = page.locator(FOCUSED)
    for _ in range(20):
        if await here.count():
            return here
        await page.keyboard.press("Tab")
    raise AssertionError("Tab does not come to the grid")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["day", "week"])
async def test_axe_has_nothing_against_it(
    enter: Enter,
    clinic: Clinic,
    no_axe_findings: Judge,
    screenshot: Keep,
    view: str,
    scheme: str,
) -> None:
    visit = await clinic.booked("Maria Silva", SOUZA, 1, "09:00")
    await clinic.booked("José Álvarez Núñez", WEISS, 1, "09:20")
    await clinic.booked("Sam O'Neill", SANDER, 1, "10:00")
    await clinic.booked("သီရိမေ", SANDER, 1, "10:00")
    answer = await clinic.desk.post(
        f"/v1/appointments/{visit['id']}/status",
        {"status": "confirmed", "version": visit["version"]},
    )
    assert answer.status_code == 200, answer.text
    page = await enter("front-desk", clinic.address(view, 1), color_scheme=scheme)
    await expect(entry(page, SOUZA, "09:00", "Confirmed", "Maria")).to_be_visible()
    await no_axe_findings(page)
    await screenshot(page, f"grid-{view}-{scheme}")


async def test_high_contrast_and_small_screens_have_all_of_it(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    await clinic.booked("Maria Silva", SOUZA, 1, "09:00")
    small = {"viewport": {"width": 1024, "height": 768}}
    page = await enter("front-desk", clinic.address("day", 1), **small)
    await expect(entry(page, SOUZA, "09:00", "Maria")).to_be_visible()
    await no_axe_findings(page)
    await screenshot(page, "grid-small")
    await page.emulate_media(forced_colors="active", contrast="more")
    await no_axe_findings(page)
    await screenshot(page, "grid-high-contrast")
    free = page.locator(".ec-event", has=entry(page, SOUZA, "09:30", "Free"))
    booked = page.locator(".ec-event", has=entry(page, SOUZA, "09:00", "Maria"))
    lines = [
        await one.evaluate("one => getComputedStyle(one).borderTopStyle")
        for one in (free, booked)
    ]
    assert lines == ["dashed", "solid"]


async def test_an_entry_says_time_status_patient_type_and_practitioner(
    enter: Enter, clinic: Clinic
) -> None:
    await clinic.booked("Maria Silva", SOUZA, 1, "09:00")
    page = await enter("front-desk", clinic.address("day", 1))
    said = re.compile(
        rf"^09:00\s*–09:30\s+Booked\s+Maria Silva\s+consultation\s*, {SOUZA}$"
    )
    await expect(page.get_by_role("button", name=said)).to_be_visible()
    seats = entry(page, SANDER, "10:00", "8 of 8 seats left")
    await expect(seats).to_be_visible()


async def test_arrows_go_about_and_tab_comes_back_to_where_one_was(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter("front-desk", clinic.address("day", 1))
    await expect(entry(page, SOUZA, "08:00", "Free")).to_be_visible()
    here = await into_the_grid(page)
    for key, time, who in (
        ("Home", "08:00", SOUZA),
        ("ArrowDown", "08:30", SOUZA),
        ("ArrowRight", "09:00", WEISS),
        ("ArrowRight", "10:00", SANDER),
        ("End", "15:00", SANDER),
        ("ArrowLeft", "15:00", WEISS),
        ("ArrowUp", "14:40", WEISS),
    ):
        await page.keyboard.press(key)
        await expect(here).to_contain_text(time)
        await expect(here).to_contain_text(who)
    await page.keyboard.press("Shift+Tab")
    await expect(here).to_have_count(0)
    await page.keyboard.press("Tab")
    await expect(here).to_contain_text("14:40")
    await expect(page.locator("[data-entry][tabindex='0']")).to_have_count(1)


async def test_what_has_the_focus_is_not_hidden_below_heads_and_hours(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter("front-desk", clinic.address("day", 1))
    await expect(entry(page, SOUZA, "08:00", "Free")).to_be_visible()
    here = await into_the_grid(page)
    for key in ("End", "Home", "End", "Home"):
        await page.keyboard.press(key)
        x, y = await middle(here)
        hit = await page.evaluate(
            "([x, y]) => Boolean(document.elementFromPoint(x, y).closest("
            "'[data-entry]:focus'))",
            [x, y],
        )
        assert hit, f"after {key} it is below something else"


async def test_the_focus_stays_while_others_change_the_day(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter("front-desk", clinic.address("day", 1))
    await entry(page, SOUZA, "09:00", "Free").focus()
    here = page.locator(FOCUSED)
    await clinic.booked("José Álvarez Núñez", SOUZA, 1, "11:00")
    await expect(entry(page, SOUZA, "11:00", "José")).to_be_visible()
    await expect(here).to_contain_text("09:00")
    # Its own entry is drawn anew, once as another and once as itself.
    visit = await clinic.booked("Maria Silva", WEISS, 1, "09:00")
    mine = entry(page, WEISS, "09:00", "Maria")
    await mine.focus()
    answer = await clinic.desk.post(
        f"/v1/appointments/{visit['id']}/status",
        {"status": "confirmed", "version": visit["version"]},
    )
    assert answer.status_code == 200, answer.text
    await expect(entry(page, WEISS, "09:00", "Confirmed")).to_be_focused()


async def test_who_has_gone_elsewhere_is_not_brought_back(
    enter: Enter, clinic: Clinic
) -> None:
    """The counterpart: the grid takes no focus that it has not lost."""
    page = await enter("front-desk", clinic.address("day", 1))
    await entry(page, SOUZA, "09:00", "Free").focus()
    await page.get_by_label("Date", exact=True).focus()
    await clinic.booked("Maria Silva", SOUZA, 1, "09:00")
    await expect(entry(page, SOUZA, "09:00", "Maria")).to_be_visible()
    await expect(page.get_by_label("Date", exact=True)).to_be_focused()


async def test_a_visit_of_a_few_minutes_has_room_for_its_line(
    enter: Enter, clinic: Clinic, screenshot: Keep
) -> None:
    answer = await clinic.desk.post(
        f"/v1/schedules/{clinic.schedules[WEISS]['id']}/exceptions",
        {
            "kind": "replace",
            "date": str(clinic.day(1)),
            "windows": [{"startTime": "09:00", "endTime": "10:00", "slotMinutes": 5}],
        },
    )
    assert answer.status_code == 201, answer.text
    page = await enter("front-desk", clinic.address("day", 1))
    short = entry(page, WEISS, "09:05", "Free")
    await expect(short).to_be_visible()
    box = await short.bounding_box()
    assert box is not None
    line = await short.evaluate("one => parseFloat(getComputedStyle(one).lineHeight)")
    assert box["height"] >= line
    fits = await short.evaluate("one => one.scrollHeight <= one.clientHeight + 1")
    assert fits
    await screenshot(page, "grid-short")


async def test_twenty_practitioners_scroll_beside_each_other(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    for number in range(17):
        practitioner = await clinic.desk.a_practitioner(name=f"Dr. Number {number:02}")
        hours = {"startTime": "08:00", "endTime": "12:00", "slotMinutes": 30}
        every = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        await clinic.desk.a_role(
            practitioner,
            clinic.locations["Berlin"],
            availability=[{"daysOfWeek": every, **hours}],
        )
    page = await enter("front-desk", clinic.address("day", 1))
    heads = page.locator(".ec-col-head")
    await expect(heads).to_have_count(20)
    await expect(entry(page, "Dr. Number 16", "08:00", "Free")).to_be_attached()
    # Heads are drawn anew with what is below them: wait for those that stay.
    await page.wait_for_function(
        "() => [...document.querySelectorAll('.ec-col-head')]"
        ".every(head => head.getBoundingClientRect().width >= 9 * 16)"
    )
    grid = page.locator(".ec-main")
    await grid.evaluate("one => one.scrollTo(1500, 300)")
    side = page.locator(".ec-body .ec-sidebar")
    outer = await grid.bounding_box()
    inner = await side.bounding_box()
    assert outer is not None
    assert inner is not None
    assert inner["x"] == pytest.approx(outer["x"], abs=1)
    assert await top(heads.last) == pytest.approx(outer["y"], abs=2)
    await no_axe_findings(page)
    await screenshot(page, "grid-twenty")


async def test_what_is_cut_off_can_be_read_by_pointing_at_it(
    enter: Enter, clinic: Clinic
) -> None:
    long = "follow-up after physiotherapy of both knees, the left one first " * 2
    await clinic.booked(
        "Zoë Müller-Lüdenscheidt", WEISS, 1, "09:20", appointmentType=long[:90]
    )
    await clinic.booked("Maria Silva", SOUZA, 1, "09:30")
    page = await enter("front-desk", clinic.address("day", 1))
    cut = entry(page, WEISS, "09:20", "Zoë")
    await cut.hover()
    around = page.locator(".ec-event", has=cut)
    await expect(around).to_have_attribute("title", re.compile("Zoë.*left one"))
    whole = entry(page, SOUZA, "09:30", "Maria")
    await whole.hover()
    await expect(page.locator(".ec-event", has=whole)).to_have_attribute("title", "")


async def test_a_very_full_day_is_drawn_to_its_last_entry(
    enter: Enter, clinic: Clinic
) -> None:
    """More than is drawn at once: what is in sight comes first, the rest by itself."""
    wanted = 900
    begins = clinic.instant(1, "06:00")

    async def fuller(route: Route) -> None:
        answer = await route.fetch()
        told = await answer.json()
        [day] = told["days"]
        one = day["slots"][0]
        day["slots"] = [
            {**one, "id": str(uuid4()), "practitionerId": who, "start": at, "end": till}
            for who in (clinic.practitioners[name] for name in (SOUZA, WEISS, SANDER))
            for minute in range(wanted // 3)
            for at, till in [
                (
                    (begins + timedelta(minutes=3 * minute)).isoformat(),
                    (begins + timedelta(minutes=3 * minute + 3)).isoformat(),
                )
            ]
        ]
        await route.fulfill(response=answer, json=told)

    page = await enter("front-desk", clinic.address("waitlist", 1))
    await page.route("**/v1/calendar?*", fuller)
    await page.get_by_role("link", name="Day", exact=True).click()
    await expect(page.locator(".ec-event")).to_have_count(wanted, timeout=60_000)
    await expect(page.locator("[data-entry][tabindex='0']")).to_have_count(1)

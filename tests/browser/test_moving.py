"""Moving visits in the grid: dragged with the mouse, or aimed with the keys."""

import re
from datetime import datetime, timedelta

from playwright.async_api import Locator, Page, Request, expect

from tests.acceptance.desk import Thing
from tests.browser.clinic import SOUZA, WEISS, Clinic
from tests.browser.conftest import Enter, Judge, Keep
from tests.browser.grid import drag, entry

MARIA = "Maria Silva"


def bar(page: Page) -> Locator:
    return page.get_by_role("group", name="Moving a visit")


def moves_of(page: Page) -> list[Request]:
    """Return a list that grows with each move that the page asks for."""
    asked: list[Request] = []
    page.on(
        "request", lambda one: asked.append(one) if "/reschedule" in one.url else None
    )
    return asked


async def now_at(clinic: Clinic, visit: Thing) -> tuple[datetime, str]:
    answer = await clinic.desk.get(f"/v1/appointments/{visit['id']}")
    found = answer.json()
    return datetime.fromisoformat(found["start"]), found["practitionerId"]


async def test_a_visit_is_dragged_to_another_time(
    enter: Enter, clinic: Clinic, screenshot: Keep
) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    await drag(page, entry(page, SOUZA, "09:00", MARIA), entry(page, SOUZA, "10:30"))
    await expect(entry(page, SOUZA, "10:30", "Booked", MARIA)).to_be_visible()
    await expect(entry(page, SOUZA, "09:00", "Free")).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text=MARIA)).to_contain_text(
        "10:30"
    )
    await screenshot(page, "moved")
    at = (clinic.instant(1, "10:30"), clinic.practitioners[SOUZA])
    assert await now_at(clinic, visit) == at


async def test_a_visit_is_dragged_to_somebody_else_and_keeps_its_length(
    enter: Enter, clinic: Clinic
) -> None:
    """Weiß has slots of 20 minutes: half an hour takes two of them."""
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    await drag(page, entry(page, SOUZA, "09:00", MARIA), entry(page, WEISS, "10:20"))
    await expect(entry(page, WEISS, "10:20–10:50", MARIA)).to_be_visible()
    at = (clinic.instant(1, "10:20"), clinic.practitioners[WEISS])
    assert await now_at(clinic, visit) == at


async def test_a_drop_a_little_beside_goes_to_the_free_time_next_to_it(
    enter: Enter, clinic: Clinic
) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    there = entry(page, SOUZA, "10:30")
    await drag(page, entry(page, SOUZA, "09:00", MARIA), there, lower=14)
    await expect(entry(page, SOUZA, "10:30", MARIA)).to_be_visible()
    assert (await now_at(clinic, visit))[0] == clinic.instant(1, "10:30")


async def test_what_is_dropped_where_it_was_asks_for_nothing(
    enter: Enter, clinic: Clinic
) -> None:
    await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    asked = moves_of(page)
    visit = entry(page, SOUZA, "09:00", MARIA)
    await visit.scroll_into_view_if_needed()
    before = await visit.bounding_box()
    await drag(page, visit, visit, lower=10)
    await expect(page.get_by_role("status").filter(has_text="stays")).to_be_attached()
    assert await visit.bounding_box() == before
    assert not asked


async def test_a_refused_drop_is_told_in_words_and_put_back(
    enter: Enter, clinic: Clinic, screenshot: Keep, no_axe_findings: Judge
) -> None:
    """The time is free, the patient is not: only the server knows."""
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    await clinic.booked(MARIA, WEISS, 1, "10:20")
    page = await enter(address=clinic.address("day", 1))
    dragged = entry(page, SOUZA, "09:00", MARIA)
    await dragged.scroll_into_view_if_needed()
    before = await dragged.bounding_box()
    await drag(page, dragged, entry(page, SOUZA, "10:00"))
    await expect(page.get_by_role("alert")).to_have_text(re.compile("is taken"))
    assert await dragged.bounding_box() == before
    await expect(entry(page, SOUZA, "10:00", "Free")).to_be_visible()
    assert (await now_at(clinic, visit))[0] == clinic.instant(1, "09:00")
    await no_axe_findings(page)
    await screenshot(page, "move-refused")


async def test_a_move_is_undone(enter: Enter, clinic: Clinic) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    await drag(page, entry(page, SOUZA, "09:00", MARIA), entry(page, WEISS, "11:00"))
    await page.get_by_role("button", name="Undo").click()
    await expect(entry(page, SOUZA, "09:00–09:30", MARIA)).to_be_visible()
    at = (clinic.instant(1, "09:00"), clinic.practitioners[SOUZA])
    assert await now_at(clinic, visit) == at


async def test_what_a_viewer_elsewhere_drops_goes_to_the_clinics_time(
    enter: Enter, clinic: Clinic
) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1), timezone_id="Pacific/Auckland")
    await drag(page, entry(page, SOUZA, "09:00", MARIA), entry(page, SOUZA, "11:00"))
    await expect(entry(page, SOUZA, "11:00", MARIA)).to_be_visible()
    assert (await now_at(clinic, visit))[0] == clinic.instant(1, "11:00")


async def test_a_visit_is_moved_with_the_keys_alone(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    await clinic.booked("Sam O'Neill", SOUZA, 1, "09:30")
    page = await enter(address=clinic.address("day", 1))
    await entry(page, SOUZA, "09:00", MARIA).focus()
    said = page.locator("[aria-live=polite]").first
    await page.keyboard.press("m")
    await expect(said).to_contain_text("Escape puts back")
    await page.keyboard.press("ArrowDown")
    await expect(said).to_contain_text(re.compile(f"{SOUZA}.*09:30: not free"))
    await page.keyboard.press("Shift+ArrowDown")
    await expect(said).to_contain_text(re.compile(f"{SOUZA}.*10:00: free"))
    await page.keyboard.press("ArrowRight")
    await expect(said).to_contain_text(re.compile(f"{WEISS}.*10:00: free"))
    await expect(bar(page)).to_contain_text("10:00: free")
    await no_axe_findings(page)
    await screenshot(page, "moving")
    await page.keyboard.press("Enter")
    moved = entry(page, WEISS, "10:00–10:30", MARIA)
    await expect(moved).to_be_focused()
    await expect(bar(page)).to_be_hidden()
    at = (clinic.instant(1, "10:00"), clinic.practitioners[WEISS])
    assert await now_at(clinic, visit) == at


async def test_escape_puts_back_what_is_being_moved(
    enter: Enter, clinic: Clinic
) -> None:
    await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    asked = moves_of(page)
    visit = entry(page, SOUZA, "09:00", MARIA)
    await visit.focus()
    for key in ("m", "ArrowDown", "ArrowRight"):
        await page.keyboard.press(key)
    await expect(bar(page)).to_contain_text(WEISS)
    await page.keyboard.press("Escape")
    await expect(bar(page)).to_be_hidden()
    await expect(visit).to_be_focused()
    assert not asked


async def test_a_refused_move_by_keys_leaves_the_focus_on_the_visit(
    enter: Enter, clinic: Clinic
) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    await clinic.booked(MARIA, WEISS, 1, "09:40")
    page = await enter(address=clinic.address("day", 1))
    here = entry(page, SOUZA, "09:00", MARIA)
    await here.focus()
    for key in ("m", "ArrowDown", "Enter"):
        await page.keyboard.press(key)
    await expect(page.get_by_role("alert")).to_contain_text("is taken")
    await expect(here).to_be_focused()
    await expect(bar(page)).to_be_hidden()
    assert (await now_at(clinic, visit))[0] == clinic.instant(1, "09:00")


async def test_keys_move_a_visit_to_another_day(enter: Enter, clinic: Clinic) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    here = entry(page, SOUZA, "09:00", MARIA)
    await here.focus()
    await page.keyboard.press("m")
    await page.keyboard.press("PageDown")
    await expect(bar(page)).to_contain_text(re.compile("09:00: free"))
    await page.keyboard.press("Escape")
    await expect(here).to_be_focused()
    await page.keyboard.press("m")
    await page.keyboard.press("PageDown")
    await expect(bar(page)).to_contain_text("09:00: free")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(entry(page, SOUZA, "09:30", "Booked", MARIA)).to_be_focused()
    assert (await now_at(clinic, visit))[0] == clinic.instant(2, "09:30")


async def test_in_a_week_keys_go_from_day_to_day(enter: Enter, clinic: Clinic) -> None:
    """From a Tuesday, so that neighbours are in the week whatever today is."""
    to_tuesday = (1 - clinic.day().weekday()) % 7 or 7
    visit = await clinic.booked(MARIA, SOUZA, to_tuesday, "09:00")
    page = await enter(address=clinic.address("week", to_tuesday))
    await entry(page, SOUZA, "09:00", MARIA).focus()
    day = clinic.day(to_tuesday) + timedelta(days=1)
    await page.keyboard.press("m")
    await page.keyboard.press("ArrowRight")
    await expect(bar(page)).to_contain_text(f"Wed, {day.day}")
    await page.keyboard.press("Enter")
    await expect(bar(page)).to_be_hidden()
    await expect(entry(page, SOUZA, "09:00", MARIA)).to_be_focused()
    assert (await now_at(clinic, visit))[0] == clinic.instant(to_tuesday + 1, "09:00")


async def test_a_visit_is_taken_up_in_its_panel_and_set_down_by_a_click(
    enter: Enter, clinic: Clinic
) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    await entry(page, SOUZA, "09:00", MARIA).click()
    await page.get_by_role("button", name="Move…").click()
    await page.get_by_role("button", name="Choose in the calendar").click()
    await expect(bar(page)).to_contain_text(MARIA)
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await entry(page, WEISS, "09:20", "Free").click()
    await expect(entry(page, WEISS, "09:20", MARIA)).to_be_visible()
    assert (await now_at(clinic, visit))[0] == clinic.instant(1, "09:20")


async def test_what_has_begun_stays_where_it_is(enter: Enter, clinic: Clinic) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    path = f"/v1/appointments/{visit['id']}/check-in"
    assert (await clinic.desk.post(path, {"version": 1})).status_code == 200
    page = await enter(address=clinic.address("day", 1))
    asked = moves_of(page)
    arrived = entry(page, SOUZA, "09:00", "Arrived", MARIA)
    await drag(page, arrived, entry(page, SOUZA, "10:00"))
    await page.keyboard.press("Escape")  # in case it was taken for a click
    await arrived.focus()
    await page.keyboard.press("m")
    said = page.locator("[aria-live=polite]").first
    await expect(said).to_contain_text("cannot be moved")
    assert not asked

"""Why is nothing free: asked at a practitioner's column, answered in words."""

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.clinic import DAYS, SOUZA, Clinic
from tests.browser.conftest import Enter, Judge, Keep


def stretch(page: Page, start: str) -> Locator:
    rows = page.get_by_role("dialog").get_by_role("listitem")
    return rows.filter(has_text=re.compile(f"^\\s*{start}"))


async def ask(page: Page, practitioner: str = SOUZA) -> None:
    await page.get_by_role(
        "button", name=f"Why is nothing free? {practitioner}"
    ).click()
    dialog = page.get_by_role("dialog", name="Why is nothing free?")
    await expect(dialog).to_contain_text(practitioner)


async def test_each_stretch_of_the_day_says_why_it_is_free_or_not(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    await clinic.booked("Maria Silva", SOUZA, 1, "09:00")
    blocked = await clinic.slot(SOUZA, 1, "10:00")
    answer = await clinic.desk.post(
        f"/v1/slots/{blocked['id']}/block", {"version": blocked["version"]}
    )
    assert answer.status_code == 200, answer.text
    page = await enter(address=clinic.address("day", 1))
    await ask(page)
    await expect(stretch(page, "00:00")).to_contain_text("Outside working hours.")
    await expect(stretch(page, "08:00")).to_contain_text("2 free times")
    await expect(stretch(page, "09:00")).to_contain_text("Booked.")
    await expect(stretch(page, "10:00")).to_contain_text("Closed, blocked")
    await no_axe_findings(page)
    await screenshot(page, "explain")
    # It follows what happens meanwhile, and leads to what can be done.
    await clinic.booked("Sam O'Neill", SOUZA, 1, "09:30")
    await expect(stretch(page, "09:00")).to_contain_text("10:00")
    await stretch(page, "10:00").get_by_role("button", name="Open this time").click()
    await expect(page.get_by_role("dialog")).to_contain_text("10:00")
    await expect(page.get_by_role("dialog", name="Why is nothing free?")).to_be_hidden()


async def test_a_free_time_among_them_is_booked_from_there(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", 1))
    await ask(page)
    await stretch(page, "08:00").get_by_role("button", name="Book").click()
    form = page.get_by_role("dialog", name="Book an appointment")
    await expect(form.get_by_role("combobox", name="Patient")).to_be_focused()
    await expect(form).to_contain_text("08:00")


async def test_the_day_after_the_last_is_too_far_and_no_button_promises_more(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", DAYS))
    await ask(page)
    dialog = page.get_by_role("dialog")
    await expect(stretch(page, "08:00")).to_contain_text("free times")
    await dialog.get_by_role("button", name="Later").click()
    await expect(stretch(page, "08:00")).to_contain_text("Too far ahead to book.")
    await expect(stretch(page, "08:00")).to_contain_text("settings say so")
    await expect(stretch(page, "08:00").get_by_role("button")).to_have_count(0)
    await expect(dialog).to_contain_text("Nothing is free.")


async def test_it_is_asked_by_keys_and_the_focus_comes_back(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter("practitioner", clinic.address("day", 1))
    why = page.get_by_role("button", name=f"Why is nothing free? {SOUZA}")
    await why.wait_for()
    await page.locator("body").press("Tab")
    while not await why.evaluate("one => one === document.activeElement"):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    # Who may not change hours is told who may, and gets no button for it.
    await expect(stretch(page, "00:00")).to_contain_text("Who manages calendars")
    await expect(stretch(page, "00:00").get_by_role("button")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(why).to_be_focused()
    hours = page.get_by_role("button", name=re.compile("^Closed or extra hours"))
    await expect(hours).to_have_count(0)


async def test_a_week_of_one_practitioner_is_explained_day_by_day(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    page = await enter(address=clinic.address("week", 7))
    await ask(page)
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("list")).to_have_count(7)
    await no_axe_findings(page)
    await screenshot(page, "explain-week")


async def test_hours_are_changed_from_the_column_too(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", 1))
    await page.get_by_role("button", name=f"Closed or extra hours: {SOUZA}").click()
    await expect(page.get_by_role("dialog")).to_be_visible()

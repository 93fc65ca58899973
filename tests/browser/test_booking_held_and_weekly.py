"""A time that is held while somebody thinks, and one that is booked week by week."""

import re

from playwright.async_api import expect

from tests.browser.booking import entry, fill, open_free, visits
from tests.browser.clinic import SOUZA, Clinic
from tests.browser.conftest import Enter, Keep, Looked


async def test_a_held_time_is_booked_by_who_holds_it(
    enter: Enter, clinic: Clinic, looked_at: Looked
) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form)
    await form.get_by_role("button", name="Hold while you talk").click()
    await expect(form.get_by_role("timer")).to_have_text(re.compile("^(10:00|9:5\\d)$"))
    await expect(form.get_by_role("combobox", name="Patient")).to_be_disabled()
    await expect(entry(page, SOUZA, "09:00", "Held")).to_be_attached()
    await looked_at(page, "booking-held")
    [held] = await visits(clinic, "Maria Silva")
    assert held["status"] == "pending"
    await form.get_by_role("button", name="Book", exact=True).click()
    await expect(form).to_be_hidden()
    await expect(entry(page, SOUZA, "09:00", "Booked", "Maria Silva")).to_be_visible()
    [visit] = await visits(clinic, "Maria Silva")
    assert (visit["id"], visit["status"]) == (held["id"], "booked")


async def test_closing_gives_a_held_time_back(enter: Enter, clinic: Clinic) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form)
    await form.get_by_role("button", name="Hold while you talk").click()
    await expect(entry(page, SOUZA, "09:00", "Held")).to_be_attached()
    await page.keyboard.press("Escape")
    await expect(form).to_be_hidden()
    await expect(entry(page, SOUZA, "09:00", "Free")).to_be_visible()


async def test_the_end_of_a_hold_is_counted_down_and_said(
    enter: Enter, clinic: Clinic, screenshot: Keep
) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form)
    await page.clock.install()
    await form.get_by_role("button", name="Hold while you talk").click()
    said = form.get_by_role("status").filter(has_text=re.compile("hold|Held"))
    await expect(said).to_contain_text("Held until")
    await page.clock.fast_forward("09:02")
    await expect(form.get_by_role("timer")).to_have_text(re.compile("^0:5\\d$"))
    await expect(said).to_have_text("The hold ends in 60 seconds.")
    await page.clock.fast_forward("00:31")
    await expect(said).to_have_text("The hold ends in 30 seconds.")
    await page.clock.fast_forward("00:31")
    await expect(said).to_contain_text("The hold has run out.")
    await expect(form.get_by_role("timer")).to_be_hidden()
    await expect(form.get_by_role("combobox", name="Patient")).to_be_enabled()
    await screenshot(page, "booking-hold-ran-out")


async def test_a_series_is_booked_whole_or_not_at_all(
    enter: Enter, clinic: Clinic, looked_at: Looked
) -> None:
    """Slots reach two weeks: the third time, in two weeks and a day, is too far."""
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form)
    await form.get_by_label("Repeat weekly").check()
    await form.get_by_label("How many times").fill("3")
    await form.get_by_role("button", name="Book all").click()
    third = clinic.day(15)
    alert = form.get_by_role("alert")
    await expect(alert).to_contain_text("Nothing was booked. Number 3 of 3")
    await expect(alert).to_contain_text(f"{third:%-d %B %Y}")
    await looked_at(page, "booking-series")
    assert await visits(clinic, "Maria Silva") == []
    await form.get_by_label("How many times").fill("2")
    await form.get_by_role("button", name="Book all").click()
    await expect(form).to_be_hidden()
    await expect(entry(page, SOUZA, "09:00", "Maria Silva")).to_be_visible()
    assert len(await visits(clinic, "Maria Silva")) == 2

"""The day on paper."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.browsing import ARTEFACTS
from tests.browser.clinic import SANDER, SOUZA, WEISS, Clinic
from tests.browser.conftest import Enter, Keep


async def booked(clinic: Clinic) -> None:
    await clinic.booked("Maria Silva", SOUZA, 1, "09:00", notes="afraid of needles")
    await clinic.booked("Łukasz Żak", SOUZA, 1, "11:00")
    await clinic.booked("သီရိမေ", WEISS, 1, "09:20")
    gone = await clinic.booked("Sam O'Neill", SANDER, 1, "10:00")
    assert (await clinic.desk.cancel(gone)).status_code == 200


async def shown(page: Page) -> str:
    return await page.locator("body").inner_text()


@pytest.mark.parametrize("view", ["day", "today", "week"])
async def test_paper_has_a_table_for_each_practitioner_and_nothing_to_click(
    enter: Enter, clinic: Clinic, screenshot: Keep, view: str
) -> None:
    await booked(clinic)
    page = await enter("front-desk", clinic.address(view, 1))
    if view == "week":  # of one practitioner, unless more are chosen
        chosen = f"&with={clinic.practitioners[SOUZA]},{clinic.practitioners[WEISS]}"
        await page.goto(f"/calendar/{clinic.address(view, 1)}{chosen}")
    await expect(page.get_by_role("button", name="Maria Silva").first).to_be_visible()
    assert await page.get_by_role("table").count() == 0
    await page.emulate_media(media="print")
    paper = page.get_by_role("region", name="The day on paper")
    await expect(paper.get_by_role("table")).to_have_count(2)
    await expect(paper.get_by_role("heading")).to_have_text([SOUZA, WEISS])
    await expect(paper.get_by_role("row")).to_contain_text(
        ["Time", "Maria Silva", "Łukasz Żak", "Time", "သီရိမေ"]
    )
    await expect(paper).to_contain_text("Linden Clinic Berlin")
    await expect(paper).to_contain_text(f"{clinic.day(1):%A}, {clinic.day(1).day} ")
    await expect(paper).to_contain_text("Clinic time: Europe/Berlin")
    assert "needles" not in await shown(page)
    assert "Sam O'Neill" not in await shown(page)
    await expect(page.get_by_role("button")).to_have_count(0)
    await screenshot(page, f"paper-{view}", full_page=True)


async def test_each_practitioner_has_a_page(enter: Enter, clinic: Clinic) -> None:
    await booked(clinic)
    page = await enter("front-desk", clinic.address("day", 1))
    await expect(page.get_by_role("button", name="Maria Silva").first).to_be_visible()
    await page.emulate_media(media="print")
    await expect(page.get_by_role("table")).to_have_count(2)
    pdf = await page.pdf(path=ARTEFACTS / "paper.pdf", format="A4")
    assert pdf.count(b"/Type /Page\n") == 2


async def test_a_day_without_anybody_says_so(enter: Enter, clinic: Clinic) -> None:
    page = await enter("front-desk", clinic.address("day", 2))
    await expect(page.get_by_role("button", name="Free").first).to_be_visible()
    await page.emulate_media(media="print")
    await expect(page.get_by_text("no appointments")).to_be_visible()


async def test_the_screen_is_as_it_was_after_printing(
    enter: Enter, clinic: Clinic
) -> None:
    await booked(clinic)
    page = await enter("front-desk", clinic.address("day", 1))
    entry = page.get_by_role("button", name="Maria Silva").first
    await expect(entry).to_be_visible()
    await page.emulate_media(media="print")
    await expect(page.get_by_role("table").first).to_be_visible()
    await page.emulate_media(media="screen")
    await expect(entry).to_be_visible()
    await expect(page.get_by_role("table")).to_have_count(0)

"""What the page says to everybody: heard and within reach, whatever lies over it."""

import asyncio

from playwright.async_api import Locator, Page, Route, expect

from tests.browser.booking import fill, open_free
from tests.browser.clinic import SOUZA, Clinic
from tests.browser.conftest import Enter, Looked
from tests.browser.grid import entry

MARIA = "Maria Silva"


async def confirmed(page: Page) -> Locator:
    """Confirm Maria's visit; return its panel, over which that is told."""
    await entry(page, SOUZA, "09:00", MARIA).click()
    panel = page.get_by_role("dialog", name=MARIA)
    await panel.get_by_role("button", name="Confirm", exact=True).click()
    await expect(messages(page)).to_contain_text("Confirmed")
    return panel


def messages(page: Page) -> Locator:
    return page.get_by_role("region", name="Messages")


async def test_a_message_over_an_open_dialog_is_heard_and_dismissed_there(
    enter: Enter, clinic: Clinic, looked_at: Looked
) -> None:
    await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    panel = await confirmed(page)
    # What is not in a modal dialog is inert: no screen reader says it, no click comes.
    await expect(
        panel.get_by_role("status").filter(has_text="Confirmed")
    ).not_to_have_count(0)
    await looked_at(page, "message-over-panel")
    await messages(page).get_by_role("button", name="Dismiss").click()
    await expect(messages(page).get_by_role("button")).to_have_count(0)
    await expect(panel).to_be_visible()


async def test_a_message_goes_by_itself_but_not_from_under_the_focus(
    enter: Enter, clinic: Clinic
) -> None:
    await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    await page.clock.install()
    panel = await confirmed(page)
    place = panel.get_by_role("button", name="Check in", exact=True)
    await place.focus()
    dismiss = messages(page).get_by_role("button", name="Dismiss")
    await dismiss.focus()
    await page.clock.fast_forward("00:30")
    await expect(dismiss).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(dismiss).to_be_hidden()
    await expect(place).to_be_focused()

    await panel.get_by_role("button", name="Check in", exact=True).click()
    await expect(messages(page)).to_contain_text("Arrived")
    await page.clock.fast_forward("00:30")
    await expect(dismiss).to_be_hidden()


async def test_text_that_is_marked_with_the_mouse_may_end_beside_the_dialog(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    reason = form.get_by_label("Reason")
    await reason.fill("Back pain")
    box = await reason.bounding_box()
    assert box
    await page.mouse.move(box["x"] + 60, box["y"] + box["height"] / 2)
    await page.mouse.down()
    await page.mouse.move(10, box["y"] + box["height"] / 2)
    await page.mouse.up()
    await expect(reason).to_have_value("Back pain")
    await page.mouse.click(10, 400)
    await expect(form).to_be_hidden()


async def test_what_is_refused_after_the_dialog_was_closed_is_said_by_the_page(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form)
    asked, answer = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        asked.set()
        await answer.wait()
        await route.continue_()

    await page.route("**/v1/appointments", late)
    await form.get_by_role("button", name="Book", exact=True).click()
    await asyncio.wait_for(asked.wait(), 15)
    await clinic.booked("Sam O'Neill", SOUZA, 1, "09:00")
    await page.keyboard.press("Escape")
    await expect(form).to_be_hidden()
    answer.set()
    await expect(messages(page).get_by_role("alert")).to_be_visible()


async def test_who_is_refused_by_keys_has_the_focus_where_it_was(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form)
    await clinic.booked("Sam O'Neill", SOUZA, 1, "09:00")
    book = form.get_by_role("button", name="Book", exact=True)
    await book.focus()
    await page.keyboard.press("Enter")
    await expect(form.get_by_role("alert").first).to_be_visible()
    await expect(book).to_be_focused()


async def test_what_was_said_to_one_is_not_shown_to_the_next(
    enter: Enter, clinic: Clinic
) -> None:
    await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    await confirmed(page)
    await page.keyboard.press("Escape")
    await expect(messages(page)).to_contain_text(MARIA)
    await page.get_by_role("button", name="Signed in as").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("button", name="Front desk")).to_be_visible()
    await expect(page.get_by_text(MARIA)).to_have_count(0)

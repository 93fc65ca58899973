"""What the page says to everybody: heard and within reach, whatever lies over it."""

from playwright.async_api import Locator, Page, expect

from tests.browser.booking import open_free
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

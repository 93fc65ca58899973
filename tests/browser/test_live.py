"""What others do is seen while it happens: by two windows, and over a restart."""

from playwright.async_api import Page, expect

from tests.acceptance.product import Product
from tests.browser.browsing import Watch
from tests.browser.clinic import SOUZA, WEISS, Clinic
from tests.browser.conftest import Enter
from tests.browser.grid import drag, entry

MARIA = "Maria Silva"


async def live(page: Page) -> None:
    """Wait until the line to the server stands, and mark the page: a reload would lose
    the mark.
    """
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await page.evaluate("window.marked = true")


async def test_two_windows_see_each_others_changes(
    enter: Enter, clinic: Clinic
) -> None:
    await clinic.booked(MARIA, SOUZA, 1, "09:00")
    desk = await enter("front-desk", clinic.address("day", 1))
    doctor = await enter("practitioner", clinic.address("day", 1))
    for page in (desk, doctor):
        await live(page)

    await drag(desk, entry(desk, SOUZA, "09:00", MARIA), entry(desk, WEISS, "10:20"))
    moved = entry(doctor, WEISS, "10:20", "Booked", MARIA)
    await expect(moved).to_be_visible()
    await expect(entry(doctor, SOUZA, "09:00", "Free")).to_be_visible()

    await moved.click()
    panel = doctor.get_by_role("dialog", name=MARIA)
    await panel.get_by_role("button", name="Check in").click()
    await expect(entry(desk, WEISS, "10:20", "Arrived", MARIA)).to_be_visible()
    for page in (desk, doctor):
        assert await page.evaluate("window.marked")


async def test_the_focus_stays_while_others_change_things(
    enter: Enter, clinic: Clinic
) -> None:
    await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    await live(page)
    mine = entry(page, SOUZA, "09:00", MARIA)
    await mine.focus()
    await clinic.booked("Sam O'Neill", SOUZA, 1, "10:00")
    await expect(entry(page, SOUZA, "10:00", "Sam O'Neill")).to_be_visible()
    await expect(mine).to_be_focused()


async def test_a_move_under_way_outlives_what_others_change(
    enter: Enter, clinic: Clinic
) -> None:
    await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    await live(page)
    await entry(page, SOUZA, "09:00", MARIA).focus()
    await page.keyboard.press("m")
    await page.keyboard.press("ArrowDown")
    bar = page.get_by_role("group", name="Moving a visit")
    await expect(bar).to_contain_text("09:30: free")
    await clinic.booked("Sam O'Neill", SOUZA, 1, "09:30")
    await expect(bar).to_contain_text("09:30: not free")
    await page.keyboard.press("Shift+ArrowDown")
    await page.keyboard.press("Enter")
    await expect(entry(page, SOUZA, "10:00", MARIA)).to_be_focused()


async def test_the_page_goes_on_when_the_server_comes_back(
    enter: Enter, clinic: Clinic, product: Product, watch: Watch
) -> None:
    page = await enter(address=clinic.address("day", 1))
    await live(page)
    watch.forgive(
        "ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|Failed to fetch|network error"
    )
    product.kill_api()
    try:
        lost = page.get_by_text("Reconnecting…")
        await expect(lost).to_be_visible()
    finally:
        product.start_api()
        product.until_ready()
    # While the page is not listening yet: it must hear of it afterwards.
    await clinic.booked(MARIA, SOUZA, 1, "09:00")
    await expect(entry(page, SOUZA, "09:00", "Booked", MARIA)).to_be_visible()
    await expect(lost).to_be_hidden()
    await clinic.booked("Sam O'Neill", SOUZA, 1, "10:00")
    await expect(entry(page, SOUZA, "10:00", "Sam O'Neill")).to_be_visible()
    assert await page.evaluate("window.marked")

"""Coming to a clinic by its address, and what is there when the server is not."""

from playwright.async_api import Page, Route, expect

from tests.browser.browsing import Watch
from tests.browser.clinic import SOUZA, Clinic
from tests.browser.clinic import THU as OF_YANGON
from tests.browser.conftest import Enter
from tests.browser.grid import entry


async def test_back_leads_to_the_other_clinic_with_its_own_practitioners(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", 1))
    await expect(entry(page, SOUZA, "09:00", "Free")).to_be_visible()
    chosen = page.get_by_role("combobox", name="Clinic")
    await chosen.select_option("Linden Clinic Yangon")
    await expect(entry(page, OF_YANGON, "09:00", "Free")).to_be_visible()
    await page.go_back()
    await expect(chosen).to_have_value(clinic.locations["Berlin"])
    await expect(entry(page, SOUZA, "09:00", "Free")).to_be_visible()


async def test_a_page_that_finds_no_server_can_try_again(
    enter: Enter, clinic: Clinic, watch: Watch
) -> None:
    watch.forgive("status of 503")
    page = await enter(address=clinic.address("day", 1))

    async def away(route: Route) -> None:
        await route.fulfill(status=503, json={"code": "SERVICE_UNAVAILABLE"})

    await page.route("**/v1/locations?*", away)
    await page.reload()
    again = page.get_by_role("button", name="Try again")
    await again.wait_for()
    await page.unroute("**/v1/locations?*")
    await again.click()
    await expect(entry(page, SOUZA, "09:00", "Free")).to_be_visible()


async def test_a_line_that_was_refused_is_asked_for_again(
    enter: Enter, clinic: Clinic, watch: Watch
) -> None:
    watch.forgive("status of 503")
    page = await enter(address=clinic.address("day", 1))

    async def refused(route: Route) -> None:
        await route.fulfill(status=503, json={"code": "SERVICE_UNAVAILABLE"})

    await page.route("**/v1/events/stream?*", refused)
    await page.reload()
    await expect(page.get_by_text("Reconnecting…")).to_be_visible()
    await clinic.booked("Maria Silva", SOUZA, 1, "09:00")
    await page.unroute("**/v1/events/stream?*")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await seen_while_it_happens(page, clinic)


async def seen_while_it_happens(page: Page, clinic: Clinic) -> None:
    await expect(entry(page, SOUZA, "09:00", "Maria Silva")).to_be_visible()
    await clinic.booked("Sam O'Neill", SOUZA, 1, "10:00")
    await expect(entry(page, SOUZA, "10:00", "Sam O'Neill")).to_be_visible()


async def test_a_token_that_the_server_takes_no_more_is_renewed_without_a_word(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", 1))
    await expect(entry(page, SOUZA, "09:00", "Free")).to_be_visible()

    async def once(route: Route) -> None:
        await route.fulfill(status=401, json={"code": "UNAUTHENTICATED"})

    await page.route("**/v1/calendar?*", once, times=1)
    async with page.expect_response(lambda one: one.url.endswith("/token")):
        await page.get_by_role("button", name="Next day").click()
    await expect(entry(page, SOUZA, "09:00", "Free")).to_be_visible()
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_who_begins_to_work_here_is_seen_without_a_reload(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", 1))
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    hours = {"startTime": "09:00", "endTime": "12:00", "slotMinutes": 30}
    every = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    await clinic.desk.a_role(
        await clinic.desk.a_practitioner(name="Dr. New"),
        clinic.locations["Berlin"],
        availability=[{"daysOfWeek": every, **hours}],
    )
    await expect(entry(page, "Dr. New", "09:00", "Free")).to_be_visible()

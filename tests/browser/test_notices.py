"""The bell: what a practitioner is told of their visits, while it happens."""

from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.acceptance.desk import Thing
from tests.browser.clinic import SOUZA, WEISS, Clinic
from tests.browser.conftest import Enter, Judge, Keep


def bell(page: Page, text: str = "Notifications") -> Locator:
    return page.get_by_role("button", name=text)


def notices(page: Page) -> Locator:
    return page.get_by_role("region", name="Notifications").get_by_role("listitem")


async def cancelled(clinic: Clinic, visit: Thing) -> None:
    answer = await clinic.desk.post(
        f"/v1/appointments/{visit['id']}/cancel",
        {
            "reasonCode": "patient",
            "initiatedBy": "patient",
            "version": visit["version"],
        },
    )
    assert answer.status_code == 200, answer.text


async def unread(clinic: Clinic, practitioner: str) -> list[Any]:
    there = f"/v1/practitioners/{clinic.practitioners[practitioner]}/notifications"
    answer = await clinic.desk.get(there, params={"unread": "true"})
    items: list[Any] = answer.json()["items"]
    return items


async def test_a_practitioner_sees_what_happens_to_their_visits_while_it_happens(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    page = await enter("practitioner", clinic.address("day", 1))
    await expect(bell(page, "none unread")).to_be_visible()
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    visit = await clinic.booked("Maria Silva", SOUZA, 1, "10:00")
    await expect(bell(page, "1 unread")).to_be_visible()
    await expect(
        page.get_by_role("status").filter(has_text="New notif")
    ).to_be_attached()
    await cancelled(clinic, visit)
    await expect(bell(page, "2 unread")).to_be_visible()
    await clinic.booked("Łukasz Żak", WEISS, 1, "10:00")  # is told to Dr. Weiß alone
    await bell(page).click()
    await expect(notices(page)).to_have_count(2)
    await expect(notices(page).nth(0)).to_contain_text("Appointment cancelled")
    await expect(notices(page).nth(1)).to_contain_text("New appointment")
    await expect(notices(page).nth(1)).to_contain_text("10:00")
    await no_axe_findings(page)
    await screenshot(page, "notices")
    await page.keyboard.press("Escape")
    await expect(bell(page)).to_be_focused()
    await expect(notices(page)).to_have_count(0)


async def test_a_notice_leads_to_its_visit_and_is_read_by_that(
    enter: Enter, clinic: Clinic
) -> None:
    await clinic.booked("Maria Silva", SOUZA, 2, "10:00")
    page = await enter("practitioner", clinic.address("waitlist"))
    await bell(page, "1 unread").click()
    await notices(page).get_by_role("link").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Maria Silva")
    assert f"date={clinic.day(2)}" in page.url
    await expect(bell(page, "none unread")).to_be_attached()
    assert await unread(clinic, SOUZA) == []
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_the_link_that_others_are_given_opens_the_visit(
    enter: Enter, clinic: Clinic
) -> None:
    await clinic.booked("Maria Silva", SOUZA, 1, "10:00")
    page = await enter("practitioner", clinic.address("day", 1))
    await expect(bell(page, "1 unread")).to_be_visible()
    [notice] = await unread(clinic, SOUZA)
    path, mark, address = notice["link"].partition("#")
    assert path == "/calendar/"
    other = await enter("front-desk", mark + address)
    await expect(other.get_by_role("dialog")).to_contain_text("Maria Silva")


async def test_one_and_all_are_marked_as_read(enter: Enter, clinic: Clinic) -> None:
    for time in ("10:00", "11:00", "12:00"):
        await clinic.booked("Maria Silva", SOUZA, 1, time)
    page = await enter("practitioner", clinic.address("day", 1))
    await bell(page, "3 unread").click()
    first = notices(page).nth(0)
    await first.get_by_role("button", name="Mark as read").click()
    await expect(bell(page, "2 unread")).to_be_visible()
    await expect(first.get_by_role("button", name="Mark as read")).to_be_hidden()
    assert len(await unread(clinic, SOUZA)) == 2
    await page.get_by_role("button", name="Mark all as read").click()
    await expect(bell(page, "none unread")).to_be_visible()
    assert await unread(clinic, SOUZA) == []
    await expect(notices(page)).to_have_count(3)


async def test_the_desk_sees_those_of_the_one_practitioner_it_shows(
    enter: Enter, clinic: Clinic, screenshot: Keep, no_axe_findings: Judge
) -> None:
    await clinic.booked("Maria Silva", WEISS, 1, "10:00")
    page = await enter("front-desk", clinic.address("day", 1))
    await bell(page).click()
    await expect(page.get_by_text("Show one practitioner alone")).to_be_visible()
    await page.keyboard.press("Escape")
    alone = f"{clinic.address('day', 1)}&with={clinic.practitioners[WEISS]}"
    page = await enter("front-desk", alone, locale="my-MM", color_scheme="dark")
    badge = page.locator(".bell .count")
    await expect(badge).to_be_visible()
    await page.locator(".bell button").click()
    await expect(page.get_by_text("ရက်ချိန်းအသစ်", exact=False).last).to_be_visible()
    await no_axe_findings(page)
    await screenshot(page, "notices-burmese-dark")

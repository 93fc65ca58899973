"""Hours in the calendar: one time blocked, days closed, other hours, more hours."""

import re
from collections.abc import Callable

from playwright.async_api import Locator, Page, expect

from tests.browser.clinic import SANDER, SOUZA, WEISS, Clinic
from tests.browser.conftest import Enter, Judge, Keep


def entry(page: Page, practitioner: str, time: str) -> Locator:
    """What stands in the grid at that time, by the words that screen readers say."""
    return page.get_by_role("button", name=re.compile(f"^{time}.*{practitioner}"))


def exceptions_of(page: Page, practitioner: str) -> Locator:
    return page.get_by_role("button", name=f"Closed or extra hours: {practitioner}")


async def test_a_free_time_is_blocked_and_given_back(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    page = await enter("front-desk", clinic.address("day", 1))
    free = entry(page, SOUZA, "10:00")
    await free.click()
    await page.get_by_role("button", name="Block this time").click()
    dialog = page.get_by_role("dialog", name="Block this time")
    await expect(dialog).to_contain_text("10:00–10:30")
    await dialog.get_by_label("Reason").fill("Team meeting")
    await no_axe_findings(page)
    await screenshot(page, "block")
    await dialog.get_by_role("button", name="Block it").click()
    await expect(dialog).to_be_hidden()
    blocked = entry(page, SOUZA, "10:00").filter(has_text="Blocked")
    await expect(blocked).to_be_visible()
    slot = await clinic.slot(SOUZA, 1, "10:00")
    assert slot["status"] == "busy-unavailable"

    await blocked.click()
    dialog = page.get_by_role("dialog", name="Blocked time")
    await no_axe_findings(page)
    await screenshot(page, "unblock")
    await dialog.get_by_role("button", name="Give it back").click()
    await expect(entry(page, SOUZA, "10:00").filter(has_text="Free")).to_be_visible()


async def test_who_blocks_what_somebody_changed_is_told_so_and_can_go_on(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter("front-desk", clinic.address("day", 1))
    await entry(page, SOUZA, "10:00").click()
    await page.get_by_role("button", name="Block this time").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Reason").fill("Team meeting")
    slot = await clinic.slot(SOUZA, 1, "10:00")
    there = f"/v1/slots/{slot['id']}"
    first = await clinic.desk.post(f"{there}/block", {"version": slot["version"]})
    assert first.status_code == 200, first.text
    await dialog.get_by_role("button", name="Block it").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("changed this meanwhile")
    # It is blocked already, and so what is to be done now is the other thing.
    await dialog.get_by_role("button", name="Give it back").click()
    await expect(dialog).to_be_hidden()
    assert (await clinic.slot(SOUZA, 1, "10:00"))["status"] == "free"


async def test_a_time_that_an_exception_closes_is_not_said_to_be_free(
    enter: Enter, clinic: Clinic
) -> None:
    closed = await clinic.desk.post(
        f"/v1/schedules/{clinic.schedules[SOUZA]['id']}/exceptions",
        {"kind": "closed", "date": str(clinic.day(1))},
    )
    assert closed.status_code == 201, closed.text
    page = await enter("front-desk", clinic.address("day", 1))
    await entry(page, SOUZA, "10:00").filter(has_text="Blocked").click()
    dialog = page.get_by_role("dialog", name="Blocked time")
    await dialog.get_by_role("button", name="Give it back").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("exception")
    await dialog.get_by_role("button", name="whole days").click()
    await expect(
        page.get_by_role("dialog", name=f"Exceptions: {SOUZA}")
    ).to_be_visible()


async def test_a_closed_day_lists_whose_visits_keep_their_time(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    await clinic.booked("Maria Silva", WEISS, 1, "09:20")
    await clinic.booked("အောင်ကျော်မိုး", WEISS, 1, "11:00")
    await clinic.booked("Łukasz Żak", WEISS, 2, "11:00")
    page = await enter("front-desk", clinic.address("day", 1))
    await exceptions_of(page, WEISS).click()
    dialog = page.get_by_role("dialog", name=f"Exceptions: {WEISS}")
    await expect(dialog).to_contain_text("None: the usual hours hold")
    preview = dialog.get_by_role("region", name="What it would do")
    await expect(preview).to_contain_text("24 now, 0 with it. Closed.")
    await expect(preview).to_contain_text("goes away: 2")
    await dialog.get_by_label("Reason").fill("Congress")
    await no_axe_findings(page)
    await screenshot(page, "exception")
    await dialog.get_by_role("button", name="Add the exception").click()

    report = dialog.get_by_role("region", name="Done")
    await expect(report).to_be_focused()
    await expect(report).to_contain_text("no longer be booked: 24")
    affected = dialog.get_by_role("region", name="Affected appointments")
    await expect(affected.get_by_role("listitem")).to_have_count(2)
    await expect(affected).to_contain_text("အောင်ကျော်မိုး")
    await expect(affected).not_to_contain_text("Łukasz")
    await no_axe_findings(page)
    await screenshot(page, "affected")

    # One is looked at; the list is there for the next.
    await affected.get_by_role("button", name="Maria Silva").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Maria Silva")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await exceptions_of(page, WEISS).click()
    await expect(affected.get_by_role("listitem")).to_have_count(2)
    await expect(dialog.get_by_role("region", name="around this day")).to_contain_text(
        "Congress"
    )


async def test_part_of_a_day_is_closed_on_the_clinics_clock(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(
        "front-desk", clinic.address("day", 1), timezone_id="Pacific/Kiritimati"
    )
    await exceptions_of(page, SOUZA).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("checkbox", name="All day").uncheck()
    await dialog.get_by_label("From").fill("12:00")
    await dialog.get_by_label("To", exact=True).fill("14:00")
    preview = dialog.get_by_role("region", name="What it would do")
    await expect(preview).to_contain_text("20 now, 16 with it")
    await expect(preview).to_contain_text("08:00–12:00, 14:00–18:00")
    await dialog.get_by_role("button", name="Add the exception").click()
    await expect(dialog.get_by_role("region", name="Done")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(entry(page, SOUZA, "11:30")).to_be_visible()
    for gone in ("12:00", "13:30"):
        await expect(entry(page, SOUZA, gone)).to_contain_text("Blocked")


async def test_other_hours_stand_in_the_place_of_the_usual_ones(
    enter: Enter, clinic: Clinic, screenshot: Keep, no_axe_findings: Judge
) -> None:
    page = await enter("front-desk", clinic.address("day", 1))
    await exceptions_of(page, SOUZA).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("radio", name="Other hours").check()
    first = dialog.get_by_role("group", name="Hours 1")
    await expect(first.get_by_label("From")).to_have_value("08:00")
    await first.get_by_label("To").fill("09:00")
    await dialog.get_by_role("button", name="More hours").click()
    second = dialog.get_by_role("group", name="Hours 2")
    await dialog.get_by_role("button", name="Add the exception").click()
    await expect(
        dialog.get_by_role("alert").filter(has_text="Each row")
    ).to_be_visible()
    await second.get_by_label("From").fill("15:00")
    await second.get_by_label("To").fill("16:00")
    await second.get_by_label("Minutes").fill("20")
    await expect(dialog.get_by_role("region", name="What it would do")).to_contain_text(
        "20 now, 5 with it"
    )
    await no_axe_findings(page)
    await screenshot(page, "other-hours")
    await dialog.get_by_role("button", name="Add the exception").click()
    await expect(dialog.get_by_role("region", name="Done")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(entry(page, SOUZA, "15:20")).to_be_visible()
    await expect(entry(page, SOUZA, "10:00")).to_contain_text("Blocked")


async def test_an_exception_is_removed_after_it_was_said_twice(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter("front-desk", clinic.address("day", 1))
    await exceptions_of(page, SANDER).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Add the exception").click()
    listed = dialog.get_by_role("region", name="around this day")
    await expect(listed.get_by_role("listitem")).to_have_count(1)
    remove = listed.get_by_role("button", name=re.compile("^Remove"))
    sure = listed.get_by_role("button", name=re.compile("^Really remove"))
    await remove.click()
    await expect(sure).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(remove).to_be_focused()
    await expect(listed.get_by_role("listitem")).to_have_count(1)
    await remove.click()
    await sure.click()
    await expect(listed.get_by_role("listitem")).to_have_count(0)
    await expect(dialog.get_by_role("region", name="Done")).to_contain_text(
        "can be booked now: 6"
    )


async def test_who_may_not_manage_hours_is_not_offered_it(
    enter: Enter, clinic: Clinic
) -> None:
    await clinic.desk.get("/v1/settings")
    desk = await enter("front-desk", clinic.address("day", 1))
    doctor = await enter("practitioner", clinic.address("day", 1))
    seen: dict[str, Callable[[], Locator]] = {
        "desk": lambda: exceptions_of(desk, SOUZA),
        "doctor": lambda: exceptions_of(doctor, SOUZA),
    }
    await expect(seen["desk"]()).to_be_visible()
    await expect(entry(doctor, SOUZA, "10:00")).to_be_visible()
    await expect(seen["doctor"]()).to_be_hidden()
    await entry(doctor, SOUZA, "10:00").click()
    await expect(doctor.get_by_role("dialog")).to_be_visible()
    await expect(doctor.get_by_role("button", name="Block this time")).to_be_hidden()


async def test_the_form_of_hours_can_be_read_in_burmese_and_in_the_dark(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    await clinic.booked("သီရိမေ", WEISS, 1, "09:20")
    page = await enter(
        "front-desk",
        clinic.address("day", 1),
        locale="my-MM",
        color_scheme="dark",
        viewport={"width": 1024, "height": 768},
    )
    await (
        page.locator(".head").filter(has_text=WEISS).get_by_role("button").last.click()
    )
    dialog = page.get_by_role("dialog")
    await expect(dialog.locator(".preview strong")).to_be_visible()
    await dialog.get_by_role("radio").nth(1).check()
    await no_axe_findings(page)
    await screenshot(page, "other-hours-burmese-dark")
    await dialog.get_by_role("radio").nth(0).check()
    await dialog.locator("button[type=submit]").click()
    await expect(dialog.locator(".affected")).to_contain_text("သီရိမေ")
    await no_axe_findings(page)
    await screenshot(page, "affected-burmese-dark")

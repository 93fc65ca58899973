"""The clinic's day as a list, on a desk and on a phone."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, Route, expect

from tests.acceptance.desk import Thing
from tests.browser.clinic import SANDER, SOUZA, WEISS, Clinic
from tests.browser.conftest import Enter, Judge, Keep

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest_asyncio.fixture(loop_scope="session")
async def day(clinic: Clinic) -> dict[str, Thing]:
    """What is booked on the clinic's next day, by patient: one came to nothing."""
    visits = {
        "Maria Silva": await clinic.booked("Maria Silva", SOUZA, 1, "09:00"),
        "José Álvarez Núñez": await clinic.booked(
            "José Álvarez Núñez", WEISS, 1, "09:20"
        ),
        "Łukasz Żak": await clinic.booked("Łukasz Żak", SOUZA, 1, "11:00"),
        "Sam O'Neill": await clinic.booked("Sam O'Neill", SANDER, 1, "10:00"),
        "သီရိမေ": await clinic.booked("သီရိမေ", SANDER, 1, "10:00"),
    }
    await stepped(clinic, visits["José Álvarez Núñez"], "confirmed")
    gone = await clinic.desk.cancel(visits["Łukasz Żak"])
    assert gone.status_code == 200, gone.text
    return visits


async def stepped(clinic: Clinic, visit: Thing, status: str, **told: str) -> Thing:
    given = {"status": status, "version": visit["version"], **told}
    path = f"/v1/appointments/{visit['id']}/status"
    answer = await clinic.desk.post(path, given)
    assert answer.status_code == 200, answer.text
    now: Thing = answer.json()
    return now


def rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Appointments").get_by_role("listitem")


async def be_there(page: Page, clinic: Clinic, time: str = "08:55") -> None:
    """Have the page's clock be that of the clinic's next day."""
    await page.clock.set_fixed_time(clinic.instant(1, time))
    await page.reload()


async def test_all_that_is_booked_on_a_day_is_listed_by_time(
    enter: Enter,
    clinic: Clinic,
    day: dict[str, Thing],
    no_axe_findings: Judge,
    screenshot: Keep,
) -> None:
    page = await enter("front-desk", clinic.address("today", 1))
    await expect(rows(page)).to_have_count(len(day))
    first, *_, last = await rows(page).all_inner_texts()
    assert re.match(r"09:00–09:30\s+Maria Silva\s+Dr. Ana Souza\s+consult", first)
    assert "Cancelled" in last
    await no_axe_findings(page)
    await screenshot(page, "today")


async def test_statuses_are_counted_and_choose_what_is_shown(
    enter: Enter, clinic: Clinic, day: dict[str, Thing]
) -> None:
    page = await enter("front-desk", clinic.address("today", 1))
    statuses = page.get_by_role("group", name="Show by status")
    for name, count in {"All": 5, "Booked": 3, "Confirmed": 1, "Cancelled": 1}.items():
        await expect(statuses.get_by_role("button", name=name)).to_contain_text(
            str(count)
        )
    chosen = statuses.get_by_role("button", name="Confirmed")
    await chosen.click()
    await expect(chosen).to_have_attribute("aria-pressed", "true")
    await expect(rows(page)).to_have_count(1)
    await expect(rows(page)).to_contain_text("José")
    await expect(page.get_by_role("status").filter(has_text="1 of 5")).to_have_count(1)
    await chosen.click()
    await expect(rows(page)).to_have_count(len(day))


async def test_a_patient_is_found_without_accents_and_case(
    enter: Enter, clinic: Clinic, day: dict[str, Thing]
) -> None:
    page = await enter("front-desk", clinic.address("today", 1))
    await expect(rows(page)).to_have_count(len(day))
    search = page.get_by_role("searchbox", name="Find a patient")
    for typed, found in {"nunez": "José", "o'nei": "Sam", "ရိမ": "သီရိမေ"}.items():
        await search.fill(typed)
        await expect(rows(page)).to_have_count(1)
        await expect(rows(page)).to_contain_text(found)
    await search.fill("nobody")
    await expect(page.get_by_text("No appointment fits")).to_be_visible()


async def test_it_is_put_together_by_practitioner(
    enter: Enter, clinic: Clinic, day: dict[str, Thing]
) -> None:
    page = await enter("front-desk", clinic.address("today", 1))
    await expect(rows(page)).to_have_count(len(day))
    await page.get_by_role("checkbox", name="Group by practitioner").check()
    heads = page.get_by_role("heading", level=2)
    await expect(heads).to_contain_text([SOUZA, WEISS, SANDER])
    theirs = page.get_by_role("list", name=SANDER).get_by_role("listitem")
    await expect(theirs).to_have_count(2)


async def test_a_visit_is_taken_from_the_door_to_its_end_in_one_click_each(
    enter: Enter, clinic: Clinic, day: dict[str, Thing]
) -> None:
    page = await enter("front-desk", clinic.address("today", 1))
    await be_there(page, clinic)
    maria = rows(page).filter(has_text="Maria Silva")
    for button, status in (
        ("Check in", "Arrived"),
        ("Start", "In progress"),
        ("Complete", "Completed"),
    ):
        await maria.get_by_role("button", name=f"{button}: Maria Silva").click()
        await expect(maria).to_contain_text(status)
    await expect(maria.get_by_role("button")).to_have_count(1)
    visit = await clinic.desk.get(f"/v1/appointments/{day['Maria Silva']['id']}")
    assert visit.json()["status"] == "completed"


async def test_who_takes_the_steps_by_keys_keeps_the_focus(
    enter: Enter, clinic: Clinic
) -> None:
    await clinic.booked("Maria Silva", SOUZA, 1, "09:00")
    page = await enter("front-desk", clinic.address("today", 1))
    await be_there(page, clinic)
    maria = rows(page).filter(has_text="Maria Silva")
    await maria.get_by_role("button", name="Check in: Maria Silva").focus()
    for after in ("Start: Maria Silva", "Complete: Maria Silva", "Maria Silva"):
        await page.keyboard.press("Enter")
        button = maria.get_by_role("button", name=after, exact=True)
        await expect(button).to_be_focused()


async def test_nobody_is_checked_in_before_the_day(
    enter: Enter, clinic: Clinic, day: dict[str, Thing]
) -> None:
    """The counterpart: it is the day that lets them."""
    page = await enter("front-desk", clinic.address("today", 1))
    await expect(rows(page)).to_have_count(len(day))
    await expect(page.get_by_role("button", name="Check in")).to_have_count(0)


async def test_what_somebody_else_does_is_seen_without_a_reload(
    enter: Enter, clinic: Clinic, day: dict[str, Thing]
) -> None:
    page = await enter("front-desk", clinic.address("today", 1))
    maria = rows(page).filter(has_text="Maria Silva")
    await expect(maria).to_contain_text("Booked")
    await stepped(clinic, day["Maria Silva"], "confirmed")
    await expect(maria).to_contain_text("Confirmed")


async def test_a_visit_that_was_changed_meanwhile_is_not_checked_in_over_it(
    enter: Enter, clinic: Clinic, day: dict[str, Thing]
) -> None:
    page = await enter("front-desk", clinic.address("today", 1))
    await be_there(page, clinic)

    async def too_late(route: Route) -> None:
        await stepped(clinic, day["Maria Silva"], "confirmed")
        await route.continue_()

    await page.route("**/check-in", too_late)
    await page.get_by_role("button", name="Check in: Maria Silva").click()
    await expect(page.get_by_role("alert")).to_contain_text("changed this meanwhile")
    maria = rows(page).filter(has_text="Maria Silva")
    await expect(maria).to_contain_text("Confirmed")


@pytest.mark.usefixtures("day")
async def test_a_name_opens_the_appointment(enter: Enter, clinic: Clinic) -> None:
    page = await enter("front-desk", clinic.address("today", 1))
    await page.get_by_role("button", name="Maria Silva", exact=True).click()
    await expect(page.get_by_role("dialog")).to_contain_text("Maria Silva")
    await page.keyboard.press("Escape")
    await expect(
        page.get_by_role("button", name="Maria Silva", exact=True)
    ).to_be_focused()


@pytest.mark.usefixtures("day")
async def test_free_times_are_folded_up_and_can_be_booked(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter("front-desk", clinic.address("today", 1))
    await page.get_by_text(re.compile(r"^Free times \(\d+\)$")).click()
    times = page.get_by_role("list", name=SOUZA).get_by_role("button")
    await expect(times.first).to_have_text("08:00")
    await expect(times.filter(has_text="09:00")).to_have_count(0)
    await times.first.click()
    await expect(page.get_by_role("dialog")).to_contain_text(SOUZA)


async def test_who_only_reads_sees_the_list_and_changes_nothing(
    enter: Enter, clinic: Clinic, day: dict[str, Thing]
) -> None:
    page = await enter("practitioner", clinic.address("today", 1))
    token = clinic.issuer.mint(
        tenant_id=clinic.tenant, scope="scheduling:read", subject="reader"
    )
    await page.route(
        "**/calendar/personas/*/token",
        lambda route: route.fulfill(json={"token": token}),
    )
    await be_there(page, clinic)
    await expect(rows(page)).to_have_count(len(day))
    await expect(page.get_by_role("button", name="Check in")).to_have_count(0)
    await page.get_by_text(re.compile(r"^Free times")).click()
    times = page.get_by_role("list", name=SOUZA).get_by_role("button")
    await expect(times.first).to_be_disabled()


async def test_on_a_phone_it_is_the_first_view_and_steps_from_day_to_day(
    enter: Enter,
    clinic: Clinic,
    day: dict[str, Thing],
    no_axe_findings: Judge,
    screenshot: Keep,
) -> None:
    page = await enter("front-desk", clinic.address("day", 0), **PHONE)
    tomorrow = f"{clinic.day(1):%A}, {clinic.day(1).day} {clinic.day(1):%B %Y}"
    await page.get_by_role("button", name="Next day").tap()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(tomorrow)
    await be_there(page, clinic)
    await expect(rows(page)).to_have_count(len(day))
    targets = await page.get_by_role("button", name="Check in").all()
    assert targets
    for target in targets:
        box = await target.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    wide = await page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= 390
    await no_axe_findings(page)
    await screenshot(page, "today-phone")
    await screenshot(page, "today-phone-whole", full_page=True)


async def test_a_dark_list_is_as_readable(
    enter: Enter,
    clinic: Clinic,
    day: dict[str, Thing],
    no_axe_findings: Judge,
    screenshot: Keep,
) -> None:
    page = await enter("front-desk", clinic.address("today", 1), color_scheme="dark")
    await expect(rows(page)).to_have_count(len(day))
    await no_axe_findings(page)
    await screenshot(page, "today-dark")

"""Booking in the calendar: what a front desk does all day, by mouse and by keys."""

import re

import pytest
from playwright.async_api import expect

from tests.acceptance.desk import Thing
from tests.browser.booking import dialog, entry, fill, open_free, span, visits
from tests.browser.clinic import SOUZA, WEISS, Clinic
from tests.browser.conftest import Enter, Looked


async def test_a_free_time_is_booked_by_a_click_and_stands_in_the_grid(
    enter: Enter, clinic: Clinic, looked_at: Looked
) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await form.get_by_role("combobox", name="Patient").fill("al")
    await expect(form.get_by_role("option")).to_contain_text(["José"])
    await looked_at(page, "booking-search")
    await fill(form, Reason="Back pain")
    await looked_at(page, "booking")
    await form.get_by_role("button", name="Book", exact=True).click()
    await expect(form).to_be_hidden()
    told = page.get_by_role("region", name="Messages")
    await expect(told).to_contain_text(f"Booked: Maria Silva with {SOUZA}")
    await expect(entry(page, SOUZA, "09:00", "Maria Silva")).to_be_visible()
    [visit] = await visits(clinic, "Maria Silva")
    assert (visit["appointmentType"], visit["reason"]) == ("check-up", "Back pain")


async def test_it_is_booked_by_keys_alone_and_the_focus_comes_back(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", 1))
    await expect(entry(page, SOUZA, "08:00", "Free")).to_be_visible()
    here = page.locator("[data-entry]:focus")
    await page.locator("body").press("Tab")
    while not await here.count():
        await page.keyboard.press("Tab")
    await page.keyboard.press("Home")
    for _ in range(4):
        await page.keyboard.press("ArrowDown")
    await expect(here).to_contain_text("10:00")
    await page.keyboard.press("Enter")
    form = dialog(page)
    await expect(form.get_by_role("combobox", name="Patient")).to_be_focused()
    await page.keyboard.type("alva")
    await expect(form.get_by_role("option", name="José Álvarez Núñez")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(form).to_contain_text("F-1002")
    await page.keyboard.press("Tab")
    await expect(form.get_by_label("Appointment type")).to_be_focused()
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.type("check-up")
    await page.keyboard.press("Enter")
    await expect(form).to_be_hidden()
    # Who comes into the grid is wherever the free time was: at a booking, or beside it.
    await expect(here).to_have_count(1)
    [visit] = await visits(clinic, "José Álvarez Núñez")
    assert visit["practitionerId"] == clinic.practitioners[SOUZA]


async def test_escape_closes_the_list_first_and_the_dialog_then(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await page.keyboard.type("Mar")
    await expect(form.get_by_role("option", name="Maria Silva")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(form.get_by_role("listbox")).to_be_hidden()
    await expect(form.get_by_role("combobox", name="Patient")).to_have_value("Mar")
    await page.keyboard.press("Escape")
    await expect(form).to_be_hidden()
    await expect(entry(page, SOUZA, "09:00", "Free")).to_be_focused()


async def test_a_time_that_is_taken_meanwhile_is_told_and_nothing_typed_is_lost(
    enter: Enter, clinic: Clinic, looked_at: Looked
) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form, Reason="Back pain")
    await clinic.booked("Łukasz Żak", SOUZA, 1, "09:00")
    await form.get_by_role("button", name="Book", exact=True).click()
    await expect(form.get_by_role("alert")).to_contain_text("no longer free")
    await expect(form.get_by_label("Reason")).to_have_value("Back pain")
    patient = form.get_by_role("combobox", name="Patient")
    await expect(patient).to_have_value("Maria Silva")
    nearby = form.get_by_role("group", name=f"Free nearby with {SOUZA}")
    await expect(nearby.get_by_role("button", name="09:30")).to_be_visible()
    await looked_at(page, "booking-taken")
    await nearby.get_by_role("button", name="09:30").click()
    await expect(form).to_contain_text(span("09:30", "10:00"))
    await expect(form.get_by_role("alert")).to_be_hidden()
    await expect(patient).to_have_value("Maria Silva")
    await form.get_by_role("button", name="Book", exact=True).click()
    await expect(entry(page, SOUZA, "09:30", "Maria Silva")).to_be_visible()


async def test_what_is_missing_is_said_at_its_field(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await form.get_by_label("Appointment type").fill("")
    await form.get_by_role("button", name="Book", exact=True).click()
    await expect(form).to_contain_text("Choose a patient from the list.")
    await expect(form).to_contain_text("Say what kind of visit it is.")
    await expect(form.get_by_role("combobox", name="Patient")).to_be_focused()


async def test_a_double_click_books_once(enter: Enter, clinic: Clinic) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form)
    sent: list[str] = []
    page.on("request", lambda one: sent.append(f"{one.method} {one.url}"))
    await form.get_by_role("button", name="Book", exact=True).dblclick()
    await expect(entry(page, SOUZA, "09:00", "Maria Silva")).to_be_visible()
    bookings = [one for one in sent if re.search("^POST .*/v1/appointments$", one)]
    assert len(bookings) == 1
    assert len(await visits(clinic, "Maria Silva")) == 1


async def test_a_longer_visit_takes_the_next_free_times_too(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form)
    length = form.get_by_label("Length")
    await length.select_option("60 minutes, until 10:00")
    await expect(form).to_contain_text(span("09:00", "10:00"))
    await form.get_by_role("button", name="Book", exact=True).click()
    await expect(entry(page, SOUZA, "09:00", "10:00", "Maria Silva")).to_be_visible()
    [visit] = await visits(clinic, "Maria Silva")
    assert (visit["durationMinutes"], len(visit["slotIds"])) == (60, 2)


async def test_who_may_override_says_why(enter: Enter, clinic: Clinic) -> None:
    await clinic.booked("Maria Silva", WEISS, 1, "09:00")
    desk = await enter(address=clinic.address("day", 1))
    form = await open_free(desk, SOUZA, "09:00")
    await fill(form)
    await form.get_by_role("button", name="Book", exact=True).click()
    await expect(form.get_by_role("alert")).to_contain_text("taken at this time")
    await expect(form.get_by_label("Book all the same")).to_be_hidden()
    page = await enter("administrator", clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form)
    await form.get_by_role("button", name="Book", exact=True).click()
    await form.get_by_label("Book all the same").check()
    await form.get_by_role("button", name="Book anyway").click()
    await expect(form.get_by_label("Why?")).to_be_focused()
    await form.get_by_label("Why?").fill("Both see her together")
    await form.get_by_role("button", name="Book anyway").click()
    await expect(form).to_be_hidden()
    await expect(entry(page, SOUZA, "09:00", "Overbooked")).to_be_visible()


async def test_who_is_not_there_yet_is_added_and_booked(
    enter: Enter, clinic: Clinic, looked_at: Looked
) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await form.get_by_role("combobox", name="Patient").fill("Ada Nowhere")
    await expect(form).to_contain_text("Nobody is found.")
    await form.get_by_role("button", name="New patient").click()
    new = form.get_by_role("group", name="New patient")
    await expect(new.get_by_label("Name")).to_have_value("Ada Nowhere")
    await new.get_by_label("Phone").fill("no number")
    await new.get_by_role("button", name="Save patient").click()
    await expect(new).to_contain_text("Digits, spaces, brackets and dashes")
    await looked_at(page, "booking-new-patient")
    await new.get_by_label("Phone").fill("+49 30 5550199")
    await new.get_by_role("button", name="Save patient").click()
    await expect(form).to_contain_text("phone …0199")
    await form.get_by_label("Appointment type").fill("first visit")
    await form.get_by_role("button", name="Book", exact=True).click()
    await expect(entry(page, SOUZA, "09:00", "Ada Nowhere")).to_be_visible()


async def test_who_is_inactive_is_shown_and_cannot_be_chosen(
    enter: Enter, clinic: Clinic
) -> None:
    await clinic.desk.a_patient(name="Ina Active", active=False)
    page = await enter("practitioner", clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    patient = form.get_by_role("combobox", name="Patient")
    await patient.fill("ina")
    option = form.get_by_role("option", name="Ina Active")
    await expect(option).to_contain_text("inactive")
    await expect(option).to_be_disabled()
    await patient.press("Enter")
    await option.click(force=True)
    await expect(patient).to_have_value("ina")
    # Nor may a practitioner make patients, or block time.
    await expect(form.get_by_role("button", name="New patient")).to_be_hidden()
    await expect(form.get_by_role("button", name="Block this time")).to_be_hidden()


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("small", {"viewport": {"width": 1024, "height": 768}}),
        ("dark", {"color_scheme": "dark"}),
        ("burmese", {"locale": "my-MM"}),
    ],
)
async def test_the_form_is_for_everybody(
    looked_at: Looked, enter: Enter, clinic: Clinic, name: str, how: Thing
) -> None:
    page = await enter(address=clinic.address("day", 1), **how)
    await page.locator("[data-entry]").first.click()
    form = page.get_by_role("dialog")
    await form.get_by_role("combobox").first.fill("သီရိ")
    await form.get_by_role("listbox").get_by_role("option").first.click()
    await form.get_by_role("checkbox").check()
    await form.locator("summary").click()
    await looked_at(page, f"booking-{name}")

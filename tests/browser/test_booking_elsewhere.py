"""A seat in a group, and the next free time with anybody, anywhere."""

import re

from playwright.async_api import expect

from tests.browser.booking import choose, dialog, entry, fill, open_free, span, visits
from tests.browser.clinic import SANDER, SOUZA, THU, WEISS, Clinic
from tests.browser.conftest import Enter, Looked


async def test_a_seat_of_a_group_is_booked_beside_those_who_have_one(
    enter: Enter, clinic: Clinic, looked_at: Looked
) -> None:
    for patient in ("Maria Silva", "သီရိမေ"):
        await clinic.booked(patient, SANDER, 1, "10:00")
    page = await enter(address=clinic.address("day", 1))
    await entry(page, SANDER, "10:00", "6 of 8 seats left").click()
    group = dialog(page, "Group session")
    patients = group.get_by_role("list", name="Patients").get_by_role("listitem")
    await expect(patients).to_have_count(2)
    await expect(group).to_contain_text("2 of 8 seats taken")
    await looked_at(page, "group")
    await clinic.booked("Sam O'Neill", SANDER, 1, "10:00")
    await expect(patients).to_have_count(3)
    await group.get_by_role("button", name="Book a seat").click()
    form = dialog(page)
    await expect(form.get_by_label("Appointment type")).to_have_value("physiotherapy")
    await choose(form, "hồng", "Nguyễn Thị Hồng")
    await form.get_by_role("button", name="Book", exact=True).click()
    await expect(entry(page, SANDER, "10:00", "4 of 8 seats left")).to_be_visible()


async def test_the_next_free_time_anywhere_is_found_and_booked(
    enter: Enter, clinic: Clinic, looked_at: Looked
) -> None:
    page = await enter(address=clinic.address("day", 1))
    await page.get_by_role("button", name="Find next free time").click()
    finder = dialog(page, "Find next free time")
    times = finder.get_by_role("list", name="Free times")
    await expect(times.get_by_role("button", name=re.compile("^Choose"))).to_have_count(
        10
    )
    await finder.get_by_label("Clinic").select_option("All clinics")
    await expect(times).to_contain_text("Linden Clinic Yangon")
    await looked_at(page, "next-free-time")
    await finder.get_by_role("button", name="Later times").click()
    await expect(
        times.get_by_role("button", name=re.compile("^Choose"))
    ).not_to_have_count(10)
    await finder.get_by_label("Practitioner").select_option(THU)
    first = times.get_by_role("button", name=re.compile(f"^Choose 09:00.*{THU}")).first
    await first.click()
    form = dialog(page)
    await expect(form).to_contain_text("Linden Clinic Yangon")
    await expect(form).to_contain_text(span("09:00", "09:30"))
    await fill(form, "အောင်", "အောင်ကျော်မိုး")
    await form.get_by_role("button", name="Book", exact=True).click()
    await expect(form).to_be_hidden()
    [visit] = await visits(clinic, "အောင်ကျော်မိုး")
    assert visit["timezone"] == "Asia/Yangon"


async def test_a_free_time_of_another_clinic_is_shown_in_its_calendar(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", 1))
    await page.get_by_role("button", name="Find next free time").click()
    finder = dialog(page, "Find next free time")
    await finder.get_by_label("Clinic").select_option("Linden Clinic Yangon")
    shown = finder.get_by_role(
        "button", name=re.compile("^Show in the calendar: 09:00")
    )
    await shown.first.click()
    await expect(finder).to_be_hidden()
    await expect(page.get_by_role("combobox", name="Clinic")).to_have_value(
        clinic.locations["Yangon"]
    )
    await expect(entry(page, THU, "09:00", "Free")).to_be_visible()


async def test_another_time_is_found_without_leaving_the_form(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form, Reason="Back pain")
    await form.get_by_role("button", name="Another time").click()
    await form.get_by_label("Practitioner").select_option(WEISS)
    await form.get_by_role("button", name=re.compile("^Choose 09:20")).first.click()
    await expect(form).to_contain_text(span("09:20", "09:40"))
    await expect(form.get_by_label("Reason")).to_have_value("Back pain")
    await expect(form.get_by_role("combobox", name="Patient")).to_have_value(
        "Maria Silva"
    )
    await form.get_by_role("button", name="Book", exact=True).click()
    await expect(entry(page, WEISS, "09:20", "Maria Silva")).to_be_visible()

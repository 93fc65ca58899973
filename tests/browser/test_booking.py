"""Booking in the calendar: what a front desk does all day, by mouse and by keys."""

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Locator, Page, expect

from tests.acceptance.desk import Thing
from tests.browser.clinic import SANDER, SOUZA, THU, WEISS, Clinic
from tests.browser.conftest import Enter, Judge, Keep

Looked = Callable[[Page, str], Awaitable[None]]


@pytest.fixture
def looked_at(no_axe_findings: Judge, screenshot: Keep) -> Looked:
    """Judge a page by axe, and keep a picture of it."""

    async def look(page: Page, name: str) -> None:
        await no_axe_findings(page)
        await screenshot(page, name)

    return look


def entry(page: Page, practitioner: str, time: str, *words: str) -> Locator:
    """Return what stands in the practitioner's column from that time on."""
    said = ".*".join(map(re.escape, (*words, practitioner)))
    return page.get_by_role("button", name=re.compile(f"^{time}.*{said}", re.DOTALL))


def dialog(page: Page, name: str = "Book an appointment") -> Locator:
    return page.get_by_role("dialog", name=name)


def span(start: str, end: str) -> str:
    return f"{start}\N{EN DASH}{end}"


async def open_free(page: Page, practitioner: str, time: str) -> Locator:
    await entry(page, practitioner, time, "Free").click()
    form = dialog(page)
    await expect(form.get_by_role("combobox", name="Patient")).to_be_focused()
    return form


async def choose(form: Locator, typed: str, name: str) -> None:
    await form.get_by_role("combobox", name="Patient").fill(typed)
    await form.get_by_role("option", name=name).click()


async def fill(
    form: Locator, typed: str = "silv", name: str = "Maria Silva", **told: str
) -> None:
    await choose(form, typed, name)
    given = {"Appointment type": "check-up", **told}
    for label, text in given.items():
        await form.get_by_label(label, exact=True).fill(text)


async def visits(clinic: Clinic, patient: str) -> list[Thing]:
    path = f"/v1/patients/{clinic.patients[patient]}/appointments"
    answer = await clinic.desk.get(path)
    assert answer.status_code == 200, answer.text
    found: list[Thing] = answer.json()["items"]
    return found


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


async def test_a_held_time_is_booked_by_who_holds_it(
    enter: Enter, clinic: Clinic, looked_at: Looked
) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form)
    await form.get_by_role("button", name="Hold while you talk").click()
    await expect(form.get_by_role("timer")).to_have_text(re.compile("^(10:00|9:5\\d)$"))
    await expect(form.get_by_role("combobox", name="Patient")).to_be_disabled()
    await expect(entry(page, SOUZA, "09:00", "Held")).to_be_attached()
    await looked_at(page, "booking-held")
    [held] = await visits(clinic, "Maria Silva")
    assert held["status"] == "pending"
    await form.get_by_role("button", name="Book", exact=True).click()
    await expect(form).to_be_hidden()
    await expect(entry(page, SOUZA, "09:00", "Booked", "Maria Silva")).to_be_visible()
    [visit] = await visits(clinic, "Maria Silva")
    assert (visit["id"], visit["status"]) == (held["id"], "booked")


async def test_closing_gives_a_held_time_back(enter: Enter, clinic: Clinic) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form)
    await form.get_by_role("button", name="Hold while you talk").click()
    await expect(entry(page, SOUZA, "09:00", "Held")).to_be_attached()
    await page.keyboard.press("Escape")
    await expect(form).to_be_hidden()
    await expect(entry(page, SOUZA, "09:00", "Free")).to_be_visible()


async def test_the_end_of_a_hold_is_counted_down_and_said(
    enter: Enter, clinic: Clinic, screenshot: Keep
) -> None:
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form)
    await page.clock.install()
    await form.get_by_role("button", name="Hold while you talk").click()
    said = form.get_by_role("status").filter(has_text=re.compile("hold|Held"))
    await expect(said).to_contain_text("Held until")
    await page.clock.fast_forward("09:02")
    await expect(form.get_by_role("timer")).to_have_text(re.compile("^0:5\\d$"))
    await expect(said).to_have_text("The hold ends in 60 seconds.")
    await page.clock.fast_forward("00:31")
    await expect(said).to_have_text("The hold ends in 30 seconds.")
    await page.clock.fast_forward("00:31")
    await expect(said).to_contain_text("The hold has run out.")
    await expect(form.get_by_role("timer")).to_be_hidden()
    await expect(form.get_by_role("combobox", name="Patient")).to_be_enabled()
    await screenshot(page, "booking-hold-ran-out")


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


async def test_a_series_is_booked_whole_or_not_at_all(
    enter: Enter, clinic: Clinic, looked_at: Looked
) -> None:
    """Slots reach two weeks: the third time, in two weeks and a day, is too far."""
    page = await enter(address=clinic.address("day", 1))
    form = await open_free(page, SOUZA, "09:00")
    await fill(form)
    await form.get_by_label("Repeat weekly").check()
    await form.get_by_label("How many times").fill("3")
    await form.get_by_role("button", name="Book all").click()
    third = clinic.day(15)
    alert = form.get_by_role("alert")
    await expect(alert).to_contain_text("Nothing was booked. Number 3 of 3")
    await expect(alert).to_contain_text(f"{third:%-d %B %Y}")
    await looked_at(page, "booking-series")
    assert await visits(clinic, "Maria Silva") == []
    await form.get_by_label("How many times").fill("2")
    await form.get_by_role("button", name="Book all").click()
    await expect(form).to_be_hidden()
    await expect(entry(page, SOUZA, "09:00", "Maria Silva")).to_be_visible()
    assert len(await visits(clinic, "Maria Silva")) == 2


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

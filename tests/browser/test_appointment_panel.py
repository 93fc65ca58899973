"""One appointment beside the calendar: what is known of it, and what can be done."""

import re
from datetime import timedelta

from playwright.async_api import Locator, Page, Route, expect

from scheduling.application.ports.identity import Scope
from tests.acceptance.desk import Thing
from tests.acceptance.visits import hold
from tests.browser.clinic import SOUZA, WEISS, Clinic
from tests.browser.conftest import Enter, Judge, Keep
from tests.browser.grid import entry

MARIA = "Maria Silva"
SAM = "Sam O'Neill"


def panel(page: Page, patient: str = MARIA) -> Locator:
    return page.get_by_role("dialog", name=patient, exact=True)


async def opened(page: Page, time: str = "09:00", patient: str = MARIA) -> Locator:
    await entry(page, SOUZA, time, patient).click()
    await expect(panel(page, patient)).to_contain_text("History")
    return panel(page, patient)


async def stored(clinic: Clinic, visit: Thing) -> Thing:
    answer = await clinic.desk.get(f"/v1/appointments/{visit['id']}")
    found: Thing = answer.json()
    return found


async def changed(clinic: Clinic, visit: Thing, **told: object) -> None:
    """Somebody else edits it."""
    path = f"/v1/appointments/{visit['id']}"
    given = {"version": (await stored(clinic, visit))["version"], **told}
    answer = await clinic.desk.ask("PATCH", path, json=given)
    assert answer.status_code == 200, answer.text


async def hear_nothing(page: Page) -> None:
    """Keep the news from the page: so it learns of changes by what it is refused."""

    async def never(_route: Route) -> None:
        """The server does not answer."""

    await page.context.route("**/v1/events/stream*", never)
    await page.reload()


async def test_it_shows_all_that_is_known_of_a_visit(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    await clinic.booked(MARIA, WEISS, 3, "10:00", appointmentType="control")
    await clinic.booked(MARIA, SOUZA, 1, "09:00", reason="Cough", notes="Brings X-rays")
    page = await enter(address=clinic.address("day", 1))
    shown = await opened(page)
    for text in (
        "09:00–09:30",
        "Europe/Berlin (CE",
        "Booked",
        "consultation",
        SOUZA,
        "Linden Clinic Berlin",
        "30 min",
        "Cough",
        "Brings X-rays",
        "F-1001",
        "Made: Booked",
    ):
        await expect(shown).to_contain_text(text)
    phone = shown.get_by_role("link", name="+49 30 901820")
    await expect(phone).to_have_attribute("href", "tel:+4930901820")
    await shown.get_by_text("Other visits of this patient").click()
    await expect(shown.get_by_role("button", name=WEISS)).to_contain_text("control")
    await shown.get_by_text("Reminders").click()
    await expect(shown.get_by_role("list").nth(1)).to_contain_text(
        re.compile("Scheduled.*No channel yet, due", re.DOTALL)
    )
    await no_axe_findings(page)
    await screenshot(page, "appointment")
    await shown.get_by_role("button", name=WEISS).click()
    await expect(panel(page)).to_contain_text("10:00–10:20")


async def test_a_visit_goes_from_check_in_to_its_end(
    enter: Enter, clinic: Clinic
) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    shown = await opened(page)
    for button, status in (
        ("Confirm", "Confirmed"),
        ("Check in", "Arrived"),
        ("Start", "In progress"),
        ("Complete", "Completed"),
    ):
        await shown.get_by_role("button", name=button, exact=True).click()
        about = shown.get_by_role("group", name="Appointment")
        await expect(about).to_contain_text(status)
        await expect(
            shown.get_by_role("button", name=button, exact=True)
        ).to_be_hidden()
        # What was pressed is gone; the focus is not.
        assert await page.evaluate("document.activeElement !== document.body")
    await expect(shown).to_contain_text("In progress → Completed")
    await expect(shown).to_contain_text("You ·")
    await page.keyboard.press("Escape")
    await expect(entry(page, SOUZA, "09:00", "Completed", MARIA)).to_be_focused()
    assert (await stored(clinic, visit))["status"] == "completed"


async def test_nobody_is_a_no_show_before_it_begins(
    enter: Enter, clinic: Clinic
) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    shown = await opened(page)
    button = shown.get_by_role("button", name="No-show")
    await expect(shown.get_by_role("button", name="Confirm")).to_be_visible()
    await expect(button).to_be_hidden()
    begun = clinic.instant(1, "09:00") + timedelta(minutes=10)
    await page.clock.set_fixed_time(begun)
    await page.reload()
    await opened(page)
    await button.click()
    await expect(shown).to_contain_text("Booked → No-show")
    assert (await stored(clinic, visit))["status"] == "no-show"


async def test_who_cancels_says_why_and_the_time_is_free_again(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    shown = await opened(page)
    await shown.get_by_role("button", name="Cancel the visit…").click()
    form = page.get_by_role("dialog", name="Cancel the visit of Maria Silva")
    await form.get_by_role("button", name="Cancel the visit").click()
    await expect(form).to_be_visible()  # without a reason nothing is cancelled
    await form.get_by_role("radio", name="The clinic or the practitioner").check()
    await form.get_by_label("Who asked for it?").select_option("Practitioner")
    await form.get_by_label("Comment").fill("Fell ill")
    await no_axe_findings(page)
    await screenshot(page, "cancel")
    await form.get_by_role("button", name="Cancel the visit").click()
    await expect(form).to_be_hidden()
    await expect(shown).to_contain_text(
        "Booked → Cancelled (The clinic or the practitioner cannot)"
    )
    await page.keyboard.press("Escape")
    await expect(entry(page, SOUZA, "09:00", "Free")).to_be_visible()
    assert (await stored(clinic, visit))["status"] == "cancelled"


async def test_a_series_is_cancelled_from_one_of_it_on(
    enter: Enter, clinic: Clinic
) -> None:
    slot = await clinic.slot(SOUZA, 1, "09:00")
    given = {
        "patientId": clinic.patients[MARIA],
        "slotId": slot["id"],
        "appointmentType": "physiotherapy",
        "occurrences": 2,
    }
    answer = await clinic.desk.post("/v1/appointments/series", given)
    assert answer.status_code == 201, answer.text
    page = await enter(address=clinic.address("day", 1))
    shown = await opened(page)
    await expect(shown).to_contain_text("Number 1 of 2")
    await shown.get_by_role("button", name="Cancel the visit…").click()
    form = page.get_by_role("dialog", name="Cancel the visit of")
    await form.get_by_role("radio", name="The patient cannot come").check()
    await form.get_by_role("radio", name="This and all that follow").check()
    await form.get_by_role("button", name="Cancel the visit").click()
    await expect(form).to_be_hidden()
    series = f"/v1/appointments/series/{answer.json()['seriesId']}"
    items = (await clinic.desk.get(series)).json()["items"]
    assert [one["status"] for one in items] == ["cancelled", "cancelled"]


async def test_a_conflict_is_explained_and_nothing_typed_is_lost(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    await hear_nothing(page)
    shown = await opened(page)
    await shown.get_by_role("button", name="Edit…").click()
    form = page.get_by_role("dialog", name="Edit the visit of Maria Silva")
    await form.get_by_label("Notes").fill("Needs an interpreter")
    await changed(clinic, visit, appointmentType="control", reason="Cough")
    save = form.get_by_role("button", name="Save")
    await save.click()
    conflict = form.get_by_role("alert")
    await expect(conflict).to_contain_text("Changed by somebody else meanwhile")
    await expect(conflict).to_contain_text("builder")
    await expect(conflict).to_contain_text("Type: consultation → control")
    await expect(form.get_by_label("Notes")).to_have_value("Needs an interpreter")
    await expect(save).to_be_disabled()
    await no_axe_findings(page)
    await screenshot(page, "appointment-conflict")
    await form.get_by_role("button", name="Reload this one").click()
    await expect(form.get_by_label("Type")).to_have_value("control")
    await expect(form.get_by_label("Notes")).to_have_value("Needs an interpreter")
    await save.click()
    await expect(form).to_be_hidden()
    now = await stored(clinic, visit)
    told = (now["appointmentType"], now["reason"], now["notes"])
    assert told == ("control", "Cough", "Needs an interpreter")


async def test_a_step_on_what_somebody_changed_is_not_taken(
    enter: Enter, clinic: Clinic
) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    await hear_nothing(page)
    shown = await opened(page)
    cancelled = await clinic.desk.cancel(visit)
    assert cancelled.status_code == 200
    await shown.get_by_role("button", name="Check in").click()
    conflict = shown.get_by_role("alert")
    await expect(conflict).to_contain_text("Booked → Cancelled")
    await conflict.get_by_role("button", name="Reload this one").click()
    await expect(conflict).to_be_hidden()
    await expect(shown.get_by_role("button", name="Check in")).to_be_hidden()
    assert (await stored(clinic, visit))["status"] == "cancelled"


async def test_it_follows_what_others_do(enter: Enter, clinic: Clinic) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    shown = await opened(page)
    await clinic.desk.cancel(visit)
    about = shown.get_by_role("group", name="Appointment")
    await expect(about).to_contain_text("Cancelled")


async def test_length_and_practitioner_are_edited_as_far_as_there_is_time(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    await clinic.booked(SAM, SOUZA, 1, "10:00")
    page = await enter(address=clinic.address("day", 1))
    shown = await opened(page)
    await shown.get_by_role("button", name="Edit…").click()
    form = page.get_by_role("dialog", name="Edit the visit of")
    await no_axe_findings(page)
    await screenshot(page, "appointment-edit")
    await form.get_by_label("Length in minutes").fill("90")
    await form.get_by_role("button", name="Save").click()
    await expect(form.get_by_role("alert")).to_be_visible()
    await expect(form.get_by_label("Length in minutes")).to_have_value("90")
    await form.get_by_label("Length in minutes").fill("60")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_be_hidden()
    await expect(shown).to_contain_text("09:00–10:00")
    assert (await stored(clinic, visit))["durationMinutes"] == 60


async def test_another_free_time_is_chosen_from_a_list(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    shown = await opened(page)
    await shown.get_by_role("button", name="Move…").click()
    form = page.get_by_role("dialog", name="Move the visit of Maria Silva")
    await expect(form.get_by_role("radio")).to_have_count(8)
    await form.get_by_label("With").select_option("Anybody at this clinic")
    await expect(form.get_by_text(WEISS).nth(2)).to_be_visible()
    await form.get_by_role("button", name="Later times").click()
    chosen = form.get_by_role("radio", name=re.compile(f"09:40.*{WEISS}"))
    await chosen.check()
    await no_axe_findings(page)
    await screenshot(page, "appointment-move")
    await form.get_by_role("button", name="Move there").click()
    await expect(form).to_be_hidden()
    await expect(shown).to_contain_text("09:40–10:10")
    await expect(shown).to_contain_text(f"{SOUZA} → {WEISS}")
    assert (await stored(clinic, visit))["start"] == (
        clinic.instant(1, "09:40").isoformat().replace("+00:00", "Z")
    )


async def test_a_hold_counts_down_and_is_booked(enter: Enter, clinic: Clinic) -> None:
    slot = await clinic.slot(SOUZA, 1, "09:00")
    answer = await hold(clinic.desk, slot, clinic.patients[MARIA])
    assert answer.status_code == 201, answer.text
    page = await enter(address=clinic.address("day", 1))
    shown = await opened(page)
    timer = shown.get_by_role("timer")
    await expect(timer).to_have_text(re.compile(r"Held for another (10|9):\d\d"))
    await shown.get_by_role("button", name="Book it").click()
    await expect(shown).to_contain_text("Held → Booked")
    await expect(timer).to_be_hidden()


async def test_a_double_click_does_it_once(enter: Enter, clinic: Clinic) -> None:
    await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    shown = await opened(page)
    asked: list[str] = []
    page.on(
        "request", lambda one: asked.append(one.url) if one.method == "POST" else None
    )
    await shown.get_by_role("button", name="Confirm").dblclick()
    await expect(shown).to_contain_text("Booked → Confirmed")
    assert len([url for url in asked if url.endswith("/status")]) == 1
    await expect(shown.get_by_role("alert")).to_be_hidden()


async def test_its_link_leads_to_it(enter: Enter, clinic: Clinic) -> None:
    await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(
        address=clinic.address("day", 1),
        permissions=["clipboard-read", "clipboard-write"],
    )
    shown = await opened(page)
    await shown.get_by_role("button", name="Copy link").click()
    await expect(page.get_by_text("The link is copied.")).to_be_visible()
    link = await page.evaluate("navigator.clipboard.readText()")
    other = await enter(address=link.partition("/calendar/")[2])
    await expect(panel(other)).to_contain_text("09:00–09:30")
    await other.keyboard.press("Escape")
    await expect(entry(other, SOUZA, "09:00", MARIA)).to_be_visible()


async def test_what_one_may_not_do_is_not_offered(enter: Enter, clinic: Clinic) -> None:
    await clinic.booked(MARIA, SOUZA, 1, "09:00")
    mistake = "Entered in error…"
    desk = await opened(await enter(address=clinic.address("day", 1)))
    await expect(desk.get_by_role("button", name=mistake)).to_be_visible()

    doctor = await enter("practitioner", clinic.address("day", 1))
    shown = await opened(doctor)
    await expect(shown.get_by_role("button", name="Check in")).to_be_visible()
    await expect(shown.get_by_role("button", name=mistake)).to_be_hidden()

    reads = clinic.issuer.mint(
        tenant_id=clinic.tenant, scope=Scope.READ, subject="reader"
    )

    async def of_a_reader(route: Route) -> None:
        await route.fulfill(json={"token": reads})

    await doctor.context.route("**/calendar/personas/*/token", of_a_reader)
    await doctor.reload()
    shown = await opened(doctor)
    group = shown.get_by_role("group", name="What can be done")
    await expect(group.get_by_role("button")).to_have_text([re.compile("Copy link")])


async def test_what_should_never_have_been_is_taken_out(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    visit = await clinic.booked(MARIA, SOUZA, 1, "09:00")
    page = await enter(address=clinic.address("day", 1))
    shown = await opened(page)
    await shown.get_by_role("button", name="Entered in error…").click()
    sure = page.get_by_role("dialog", name="Entered in error?")
    await no_axe_findings(page)
    await screenshot(page, "appointment-error")
    await sure.get_by_role("button", name="Entered in error").click()
    await expect(sure).to_be_hidden()
    await page.keyboard.press("Escape")
    await expect(entry(page, SOUZA, "09:00", "Free")).to_be_visible()
    assert (await stored(clinic, visit))["status"] == "entered-in-error"


async def test_it_is_there_in_burmese_in_the_dark_and_on_a_small_screen(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    visit = await clinic.booked("အောင်ကျော်မိုး", SOUZA, 1, "09:00")
    where = f"{clinic.address('day', 1)}&appointment={visit['id']}"
    sizes = {"laptop": (1024, 768), "phone": (390, 844)}
    for name, (width, height) in sizes.items():
        page = await enter(
            address=where,
            viewport={"width": width, "height": height},
            color_scheme="dark",
            locale="my-MM",
        )
        shown = panel(page, "အောင်ကျော်မိုး")
        await expect(shown).to_contain_text("မှတ်တမ်း")
        await no_axe_findings(page)
        await screenshot(page, f"appointment-burmese-{name}")


async def test_who_is_not_there_any_more_is_told_so(
    enter: Enter, clinic: Clinic
) -> None:
    """A link from elsewhere: another organisation's appointment is nobody's here."""
    nobody = "00000000-0000-4000-8000-000000000000"
    page = await enter(address=f"{clinic.address('day', 1)}&appointment={nobody}")
    shown = page.get_by_role("dialog", name="Appointment")
    await expect(shown.get_by_role("alert")).to_contain_text("not there any more")

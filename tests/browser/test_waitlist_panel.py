"""The waitlist in the calendar: who waits, who is offered freed time, who gets it."""

import re
from datetime import timedelta
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.acceptance.desk import Thing
from tests.browser.clinic import SOUZA, WEISS, Clinic
from tests.browser.conftest import Enter, Judge, Keep

PHONE = {"width": 390, "height": 844}


async def waits(clinic: Clinic, patient: str, **told: Any) -> Thing:  # noqa: ANN401
    """Have a patient wait for time with Dr. Souza in these days."""
    answer = await clinic.desk.post(
        "/v1/waitlist",
        {
            "patientId": clinic.patients[patient],
            "practitionerIds": [clinic.practitioners[SOUZA]],
            "locationIds": [clinic.locations["Berlin"]],
            "earliest": clinic.instant(0, "00:00").isoformat(),
            "latest": (clinic.instant(6, "00:00") + timedelta(days=1)).isoformat(),
            **told,
        },
    )
    assert answer.status_code == 201, answer.text
    entry: Thing = answer.json()
    return entry


async def there(clinic: Clinic, entry: Thing) -> Thing:
    answer = await clinic.desk.get(f"/v1/waitlist/{entry['id']}")
    found: Thing = answer.json()
    return found


def row(page: Page, patient: str) -> Locator:
    return page.get_by_role("row").filter(has_text=patient)


async def test_the_list_tells_who_waits_for_what_the_urgent_first(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    await waits(clinic, "Maria Silva", serviceType="consultation")
    await waits(clinic, "သီရိမေ", priority=100)
    await waits(clinic, "Łukasz Żak", practitionerIds=[], locationIds=[])
    away = [clinic.locations["Yangon"]]
    await waits(clinic, "Sam O'Neill", practitionerIds=[], locationIds=away)
    page = await enter("front-desk", clinic.address("waitlist"))
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(3)
    await expect(rows.nth(0)).to_contain_text("သီရိမေ")
    await expect(rows.nth(0)).to_contain_text("Urgent")
    await expect(rows.nth(1)).to_contain_text("Maria Silva")
    await expect(rows.nth(1)).to_contain_text("consultation")
    await expect(rows.nth(1)).to_contain_text(SOUZA)
    await expect(rows.nth(2)).to_contain_text("Any practitioner")
    await expect(page.get_by_text("Waiting: 3")).to_be_visible()
    await no_axe_findings(page)
    await screenshot(page, "waitlist")

    await page.get_by_role("checkbox", name="All clinics").check()
    await expect(rows).to_have_count(4)
    await page.get_by_role("searchbox").fill("lukasz")
    await expect(rows).to_have_count(0)
    await page.get_by_role("searchbox").fill("maria")
    await expect(rows).to_have_count(1)
    await row(page, "Maria").get_by_role("button", name="Contact").click()
    await expect(row(page, "Maria").get_by_role("link")).to_have_text("+49 30 901820")


async def test_the_list_can_be_read_small_and_dark(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    await waits(clinic, "Maria Silva", serviceType="consultation")
    await waits(clinic, "သီရိမေ", priority=100)
    looks: dict[str, dict[str, Any]] = {
        "waitlist-phone": {"viewport": PHONE},
        "waitlist-dark": {
            "viewport": {"width": 1024, "height": 768},
            "color_scheme": "dark",
        },
        "waitlist-burmese": {"locale": "my-MM"},
    }
    for name, how in looks.items():
        page = await enter("front-desk", clinic.address("waitlist"), **how)
        await expect(page.locator("tbody tr")).to_have_count(2)
        await no_axe_findings(page)
        await screenshot(page, name)


async def test_a_patient_is_put_on_the_list(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    page = await enter("front-desk", clinic.address("waitlist"))
    await expect(page.get_by_text("Nobody waits for a time here.")).to_be_visible()
    await page.get_by_role("button", name="Add to the waitlist").click()
    dialog = page.get_by_role("dialog", name="Add to the waitlist")
    add = dialog.get_by_role("button", name="Add to the waitlist")
    await add.click()
    await expect(dialog.get_by_text("Choose the patient.")).to_be_visible()
    await dialog.get_by_role("combobox", name="Patient").fill("alvarez")
    await page.get_by_role("option", name="José Álvarez Núñez").click()
    await dialog.get_by_label("Service").fill("consultation")
    await dialog.get_by_role("checkbox", name=SOUZA).check()
    await dialog.get_by_label("From").fill(str(clinic.day(1)))
    await dialog.get_by_label("Until").fill(str(clinic.day(0)))
    await add.click()
    await expect(dialog.get_by_text("a last day that is still ahead")).to_be_visible()
    await dialog.get_by_label("Until").fill(str(clinic.day(3)))
    await dialog.get_by_label("Priority").select_option("High")
    await no_axe_findings(page)
    await screenshot(page, "wish")
    await add.click()
    await expect(dialog).to_be_hidden()
    await expect(row(page, "José Álvarez Núñez")).to_contain_text("High")
    [entry] = (await clinic.desk.get("/v1/waitlist")).json()["items"]
    assert entry["practitionerIds"] == [clinic.practitioners[SOUZA]]
    assert entry["locationIds"] == [clinic.locations["Berlin"]]
    assert (entry["serviceType"], entry["priority"]) == ("consultation", 10)
    assert entry["earliest"] == clinic.instant(1, "00:00").strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    assert entry["latest"] == clinic.instant(4, "00:00").strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_who_waits_is_booked_into_a_time_that_suits(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    entry = await waits(
        clinic, "Maria Silva", earliest=clinic.instant(1, "00:00").isoformat()
    )
    page = await enter("front-desk", clinic.address("waitlist"))
    await row(page, "Maria Silva").get_by_role("button", name="Book").click()
    dialog = page.get_by_role("dialog", name="Book for Maria Silva")
    times = dialog.get_by_role("radio")
    await expect(times).to_have_count(20)
    for time in await dialog.locator("fieldset label").all_inner_texts():
        assert SOUZA in time
    await dialog.get_by_role("button", name="Later times").click()
    await expect(times).to_have_count(39)
    await dialog.get_by_role("radio", name=re.compile("09:30–")).first.check()
    await dialog.get_by_label("Appointment type").fill("check-up")
    await no_axe_findings(page)
    await screenshot(page, "waitlist-book")
    await dialog.get_by_role("button", name="Book", exact=True).dblclick()
    await expect(dialog).to_be_hidden()
    await expect(row(page, "Maria Silva")).to_be_hidden()
    await expect(page.get_by_role("heading", name="Waitlist")).to_be_focused()
    now = await there(clinic, entry)
    assert now["status"] == "fulfilled"
    visit = await clinic.desk.get(f"/v1/appointments/{now['appointmentId']}")
    assert visit.json()["appointmentType"] == "check-up"
    slot = await clinic.slot(SOUZA, 1, "09:30")
    assert visit.json()["slotIds"] == [slot["id"]]

    await page.get_by_role("button", name="Booked", exact=True).click()
    await row(page, "Maria").get_by_role("button", name="Open the appointment").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Maria Silva")


async def test_a_time_that_went_meanwhile_is_not_offered_again(
    enter: Enter, clinic: Clinic
) -> None:
    tomorrow = clinic.instant(1, "00:00").isoformat()
    entry = await waits(clinic, "Maria Silva", earliest=tomorrow)
    page = await enter("front-desk", clinic.address("waitlist"))
    await row(page, "Maria Silva").get_by_role("button", name="Offer").click()
    dialog = page.get_by_role("dialog", name="Offer a time to Maria Silva")
    first = dialog.get_by_role("radio", name=re.compile("08:00–")).first
    await first.check()
    await dialog.get_by_label("Appointment type").fill("check-up")
    await clinic.booked("Łukasz Żak", SOUZA, 1, "08:00")
    await dialog.get_by_role("button", name="Offer", exact=True).click()
    await expect(dialog.get_by_role("alert")).to_contain_text("no longer free")
    await expect(dialog.get_by_role("radio").first).not_to_be_checked()
    await expect(dialog.locator("fieldset label").first).to_contain_text("08:30")
    await expect(dialog.get_by_label("Appointment type")).to_have_value("check-up")
    assert (await there(clinic, entry))["offer"] is None


async def test_an_offer_is_kept_and_the_patients_answer_taken_down(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    entries = {
        name: await waits(clinic, name, serviceType="consultation")
        for name in ("Maria Silva", "Łukasz Żak")
    }
    page = await enter("front-desk", clinic.address("waitlist"))
    for number, name in enumerate(entries):
        await row(page, name).get_by_role("button", name="Offer").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("radio").nth(number).check()
        await dialog.get_by_role("button", name="Offer", exact=True).click()
        await expect(dialog).to_be_hidden()
        await expect(row(page, name)).to_contain_text(re.compile(r"Kept until .* min"))
        assert (await there(clinic, entries[name]))["offer"] is not None
    await no_axe_findings(page)
    await screenshot(page, "waitlist-offered")
    await row(page, "Maria").get_by_role("button", name="Accepts").click()
    await expect(row(page, "Maria")).to_be_hidden()
    assert (await there(clinic, entries["Maria Silva"]))["status"] == "fulfilled"
    await row(page, "Łukasz").get_by_role("button", name="Declines").click()
    await expect(
        row(page, "Łukasz").get_by_role("button", name="Offer")
    ).to_be_visible()
    now = await there(clinic, entries["Łukasz Żak"])
    assert (now["status"], now["offer"]) == ("waiting", None)


async def test_who_waits_no_more_is_taken_off_after_it_was_said_twice(
    enter: Enter, clinic: Clinic
) -> None:
    entry = await waits(clinic, "Maria Silva")
    page = await enter("front-desk", clinic.address("waitlist"))
    of_maria = row(page, "Maria Silva")
    await of_maria.get_by_role("button", name=re.compile("^Remove")).click()
    assert (await there(clinic, entry))["status"] == "waiting"
    await of_maria.get_by_role("button", name=re.compile("^Really remove")).click()
    await expect(of_maria).to_be_hidden()
    await expect(page.get_by_role("heading", name="Waitlist")).to_be_focused()
    assert (await there(clinic, entry))["status"] == "removed"


async def test_freed_time_is_told_to_the_desk_which_asks_the_best_candidate(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    visit = await clinic.booked("Zoë Müller-Lüdenscheidt", SOUZA, 2, "10:00")
    await waits(clinic, "Maria Silva")
    urgent = await waits(clinic, "Łukasz Żak", priority=10)
    page = await enter("front-desk", clinic.address("day", 1))
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    gone = await clinic.desk.post(
        f"/v1/appointments/{visit['id']}/cancel",
        {"reasonCode": "patient", "initiatedBy": "patient", "version": 1},
    )
    assert gone.status_code == 200, gone.text
    news = page.get_by_role("status").filter(has_text="A time became free")
    await expect(news).to_contain_text("10:00")
    await expect(news).to_contain_text("Waiting for it: 2")
    await screenshot(page, "freed-time")
    await news.get_by_role("button", name="See who waits").click()
    dialog = page.get_by_role("dialog", name="Who waits for this time")
    candidates = dialog.get_by_role("listitem")
    await expect(candidates).to_have_count(2)
    await expect(candidates.nth(0)).to_contain_text("Łukasz Żak")
    await expect(candidates.nth(1)).to_contain_text("Maria Silva")
    await dialog.get_by_label("Appointment type").fill("check-up")
    await no_axe_findings(page)
    await screenshot(page, "candidates")
    # Nobody is booked by it, until somebody says so.
    assert (await there(clinic, urgent))["status"] == "waiting"
    await candidates.nth(0).get_by_role("button", name="Offer").click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_text("Offered to Łukasz Żak")).to_be_visible()
    offer = (await there(clinic, urgent))["offer"]
    assert offer["slotIds"] == visit["slotIds"]


async def test_a_candidate_is_booked_into_the_time_at_hand(
    enter: Enter, clinic: Clinic
) -> None:
    entry = await waits(clinic, "Maria Silva", serviceType="consultation")
    page = await enter("front-desk", clinic.address("day", 1))
    await page.get_by_role("button", name=re.compile(f"^10:00.*{SOUZA}")).click()
    await page.get_by_role("button", name="Who waits?").click()
    dialog = page.get_by_role("dialog", name="Who waits for this time")
    maria = dialog.get_by_role("listitem").filter(has_text="Maria Silva")
    await maria.get_by_role("button", name="Book").click()
    await expect(dialog).to_be_hidden()
    await expect(
        page.get_by_role("button", name=re.compile(f"^10:00.*{SOUZA}"))
    ).to_contain_text("Maria Silva")
    assert (await there(clinic, entry))["status"] == "fulfilled"


async def test_nobody_waits_for_another_practitioners_time(
    enter: Enter, clinic: Clinic
) -> None:
    """The counterpart: else all who wait might be shown at any time."""
    await waits(clinic, "Maria Silva")
    page = await enter("front-desk", clinic.address("day", 1))
    await page.get_by_role("button", name=re.compile(f"^10:00.*{WEISS}")).click()
    await page.get_by_role("button", name="Who waits?").click()
    dialog = page.get_by_role("dialog", name="Who waits for this time")
    await expect(dialog).to_contain_text("Nobody waits for this time")

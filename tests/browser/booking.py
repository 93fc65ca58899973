"""What a front desk does with the booking form."""

import re

from playwright.async_api import Locator, Page, expect

from tests.acceptance.desk import Thing
from tests.browser.clinic import Clinic


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

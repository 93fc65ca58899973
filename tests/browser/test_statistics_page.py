"""The figures of a period, in tiles, plots and tables."""

from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.acceptance.desk import Thing
from tests.browser.clinic import SANDER, SOUZA, THU, WEISS, Clinic
from tests.browser.conftest import Enter, Judge, Keep

PLOTS = (
    "Appointments by status",
    "Appointments by type",
    "No-show rate over time",
    "Appointments by hour",
)


@pytest_asyncio.fixture(loop_scope="session")
async def booked(clinic: Clinic) -> list[Thing]:
    """The clinic's next day: one came, one did not, two are to come; one elsewhere."""
    visits = [
        await clinic.booked("Maria Silva", SOUZA, 1, "09:00"),
        await clinic.booked("José Álvarez Núñez", WEISS, 1, "09:20"),
        await clinic.booked("Zoë Müller-Lüdenscheidt", SOUZA, 1, "09:30"),
        await clinic.booked("Sam O'Neill", SANDER, 1, "10:00"),
        await clinic.booked("သီရိမေ", THU, 1, "09:00"),
    ]
    for visit, steps in ((visits[0], ("arrived", "completed")), (visits[1], ())):
        version = visit["version"]
        for status in (*steps, *(() if steps else ("no-show",))):
            answer = await clinic.desk.post(
                f"/v1/appointments/{visit['id']}/status",
                {"status": status, "version": version},
            )
            assert answer.status_code == 200, answer.text
            version = answer.json()["version"]
    return visits


def tile(page: Page, name: str) -> Locator:
    term = page.get_by_role("term").filter(has_text=name)
    return page.locator("dl > div").filter(has=term).get_by_role("definition")


def plot(page: Page, name: str) -> Locator:
    return page.get_by_role("figure", name=name)


async def choose_tomorrow(page: Page, clinic: Clinic) -> None:
    await page.get_by_label("Period").select_option("From – until")
    for label in ("From", "Until"):
        await page.get_by_label(label, exact=True).fill(str(clinic.day(1)))


async def cells(of: Locator) -> dict[str, str]:
    """Return what a plot's table says, by the first of each row."""
    if await of.get_by_role("table").count() == 0:
        await of.get_by_text("As a table").click()
    rows = of.get_by_role("table").locator("tbody tr")
    return {
        await row.get_by_role("rowheader").inner_text(): await row.get_by_role(
            "cell"
        ).inner_text()
        for row in await rows.all()
    }


@pytest.mark.usefixtures("booked")
async def test_a_day_is_counted_in_tiles_and_in_the_table_of_each_plot(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter("front-desk", clinic.address("statistics"))
    await choose_tomorrow(page, clinic)
    await expect(tile(page, "Appointments")).to_have_text("4")
    await expect(tile(page, "No-show rate")).to_have_text("50%")
    await expect(tile(page, "New patients")).to_have_text("4")
    assert await cells(plot(page, "Appointments by status")) == {
        "Booked": "2",
        "Completed": "1",
        "No-show": "1",
    }
    assert list((await cells(plot(page, "No-show rate over time"))).values()) == ["50%"]
    hours = await cells(plot(page, "Appointments by hour"))
    assert (len(hours), hours["09:00"], hours["10:00"]) == (24, "3", "1")
    each = page.get_by_role("table", name="By practitioner").get_by_role("row")
    await expect(each.filter(has_text=SOUZA)).to_contain_text("21000%")


@pytest.mark.usefixtures("booked")
async def test_days_without_anybody_have_no_rate_rather_than_none_missed(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter("front-desk", clinic.address("statistics"))
    await page.get_by_label("Period").select_option("Last 4 weeks")
    await expect(tile(page, "Appointments")).to_have_text("0")
    await expect(tile(page, "No-show rate")).to_have_text("–")
    rates = await cells(plot(page, "No-show rate over time"))
    assert (len(rates), set(rates.values())) == (28, {"–"})


@pytest.mark.usefixtures("booked")
async def test_more_than_a_month_is_counted_by_weeks(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter("front-desk", clinic.address("statistics"))
    await choose_tomorrow(page, clinic)
    before = clinic.day(1) - timedelta(days=40)
    await page.get_by_label("From", exact=True).fill(str(before))
    rates = plot(page, "No-show rate over time")
    await expect(rates).to_contain_text("By week")
    assert 6 <= len(found := await cells(rates)) <= 7
    assert "50%" in found.values()


async def test_all_clinics_are_counted_together_and_one_practitioner_alone(
    enter: Enter, clinic: Clinic, booked: list[Thing]
) -> None:
    page = await enter("front-desk", clinic.address("statistics"))
    await choose_tomorrow(page, clinic)
    here = page.get_by_role("main")
    await here.get_by_label("Clinic").select_option("All clinics")
    await expect(tile(page, "Appointments")).to_have_text(str(len(booked)))
    each = page.get_by_role("table", name="By practitioner").get_by_role("row")
    await expect(each.filter(has_text=THU)).to_have_count(1)
    await here.get_by_role("combobox", name="Practitioner").select_option(SOUZA)
    await expect(tile(page, "Appointments")).to_have_text("2")


async def test_a_period_that_ends_before_it_begins_is_told_of(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge
) -> None:
    page = await enter("front-desk", clinic.address("statistics"))
    await choose_tomorrow(page, clinic)
    await page.get_by_label("Until", exact=True).fill(str(clinic.day(0)))
    await expect(page.get_by_role("alert")).to_contain_text("before the first")
    await no_axe_findings(page)
    long_ago = clinic.day(1) - timedelta(days=400)
    await page.get_by_label("From", exact=True).fill(str(long_ago))
    await expect(page.get_by_role("alert")).to_contain_text("At most 366 days")


@pytest.mark.usefixtures("booked")
async def test_who_does_not_manage_is_not_led_there_and_sees_no_figures(
    enter: Enter, clinic: Clinic
) -> None:
    page = await enter("practitioner", clinic.address("statistics"))
    await expect(page.get_by_role("main")).to_contain_text("You may not do that.")
    await expect(page.get_by_role("link", name="Waitlist")).to_be_visible()
    await expect(page.get_by_role("link", name="Statistics")).to_have_count(0)
    await expect(page.get_by_role("figure")).to_have_count(0)


@pytest.mark.usefixtures("booked")
async def test_plots_are_drawn_light_and_dark_each_with_its_name(
    enter: Enter,
    clinic: Clinic,
    no_axe_findings: Judge,
    screenshot: Keep,
) -> None:
    for scheme in ("light", "dark"):
        page = await enter(
            "front-desk",
            clinic.address("statistics"),
            color_scheme=scheme,
            viewport={"width": 1280, "height": 1500},
        )
        await choose_tomorrow(page, clinic)
        await expect(tile(page, "Appointments")).to_have_text("4")
        for name in PLOTS:
            drawn = plot(page, name).get_by_role("img", name=name)
            await expect(drawn).to_have_attribute("data-drawn", "true")
            ink = await drawn.locator("canvas").evaluate(
                "canvas => canvas.getContext('2d').getImageData("
                "0, 0, canvas.width, canvas.height).data.some(byte => byte)"
            )
            assert ink, f"nothing is drawn of {name}"
        await no_axe_findings(page)
        await screenshot(page, f"statistics-{scheme}")

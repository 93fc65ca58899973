"""The page in English and in Burmese."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.clinic import SOUZA, Clinic
from tests.browser.conftest import Enter, Judge, Keep, NewPage

BURMESE = re.compile("[\u1000-\u109f]")
VIEWS = ("day", "week", "today", "waitlist", "statistics")


async def choose(page: Page, language: str) -> None:
    await page.get_by_role("button", name=re.compile("Signed in as|ဝင်ရောက်ထားသူ")).click()
    await page.get_by_label(re.compile("Language|ဘာသာစကား")).select_option(language)
    await page.keyboard.press("Escape")


async def letters_are_there(page: Page) -> None:
    """Wait for the letters that the page uses, light and bold."""
    await page.evaluate("() => document.fonts.ready.then(() => null)")
    for weight in (400, 700):
        assert await page.evaluate(
            "weight => document.fonts.load(`${weight} 1em 'Noto Sans Myanmar'`, 'က')"
            ".then(faces => faces.length > 0 && faces.every(face => "
            "face.status === 'loaded'))",
            weight,
        )


async def test_one_chooses_the_language_and_it_is_remembered(
    page: Page, clinic: Clinic
) -> None:
    await expect(page.get_by_role("link", name="Waitlist")).to_be_visible()
    await choose(page, "my")
    await expect(page.get_by_role("link", name="စောင့်ဆိုင်းစာရင်း")).to_be_visible()
    assert await page.evaluate("() => document.documentElement.lang") == "my"
    await page.reload()
    await expect(page.get_by_role("link", name="စောင့်ဆိုင်းစာရင်း")).to_be_visible()
    assert clinic.locations["Berlin"] in page.url
    await choose(page, "en")
    await expect(page.get_by_role("link", name="Waitlist")).to_be_visible()


async def test_a_browser_that_speaks_burmese_is_answered_in_burmese(
    new_page: NewPage, no_axe_findings: Judge, screenshot: Keep
) -> None:
    page = await new_page(locale="my-MM")
    await page.goto("/calendar/")
    await expect(page.get_by_role("heading", level=1)).to_have_text(BURMESE)
    await letters_are_there(page)
    await no_axe_findings(page)
    await screenshot(page, "sign-in-burmese")


@pytest.mark.parametrize("view", VIEWS)
async def test_each_view_is_in_burmese_and_nothing_is_cut_off(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep, view: str
) -> None:
    await clinic.booked("သီရိမေ", SOUZA, 1, "09:00")
    page = await enter(
        "front-desk",
        clinic.address(view, 1),
        locale="my-MM",
        viewport={"width": 1024, "height": 768},
    )
    head = page.get_by_role("banner")
    await expect(head.get_by_role("link").first).to_have_text(BURMESE)
    await page.get_by_role("heading", level=1).wait_for()
    if view in {"day", "today"}:
        await expect(page.get_by_role("button", name="သီရိမေ").first).to_be_visible()
    await letters_are_there(page)
    cut = await page.evaluate(
        "() => [...document.querySelectorAll('header :is(a, button), .legend li')]"
        ".filter(one => one.scrollWidth > one.clientWidth + 1"
        " || one.scrollHeight > one.clientHeight + 1).map(one => one.textContent)"
    )
    assert cut == []
    wide = await page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= 1024
    await no_axe_findings(page)
    await screenshot(page, f"burmese-{view}")


async def test_a_phone_has_room_for_burmese_too(
    enter: Enter, clinic: Clinic, no_axe_findings: Judge, screenshot: Keep
) -> None:
    await clinic.booked("သီရိမေ", SOUZA, 1, "09:00")
    page = await enter(
        "front-desk",
        clinic.address("today", 1),
        locale="my-MM",
        viewport={"width": 390, "height": 844},
    )
    await expect(page.get_by_role("button", name="သီရိမေ").first).to_be_visible()
    await letters_are_there(page)
    wide = await page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= 390
    await no_axe_findings(page)
    await screenshot(page, "burmese-phone")


async def test_a_burmese_name_has_its_letters_on_an_english_page(
    enter: Enter, clinic: Clinic, screenshot: Keep
) -> None:
    await clinic.booked("သီရိမေ", SOUZA, 1, "09:00")
    page = await enter("front-desk", clinic.address("day", 1))
    await expect(page.get_by_role("button", name="သီရိမေ")).to_be_visible()
    await page.wait_for_function(
        "() => document.fonts.check(\"1em 'Noto Sans Myanmar'\", 'သီရိမေ')"
    )
    await screenshot(page, "burmese-name")


async def test_who_never_meets_burmese_loads_no_letters_of_it(
    enter: Enter, clinic: Clinic
) -> None:
    """The counterpart: letters come by need."""
    page = await enter("front-desk", clinic.address("day", 1))
    await expect(page.get_by_role("button", name=SOUZA).first).to_be_visible()
    loaded = await page.evaluate(
        "() => performance.getEntriesByType('resource').map(one => one.name)"
        ".filter(name => name.includes('woff'))"
    )
    assert loaded == []

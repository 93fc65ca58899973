"""The page as it is loaded, and the personas of `scheduling dev`."""

import asyncio

from playwright.async_api import Page, Route, expect

from tests.browser.browsing import Watch
from tests.browser.clinic import Clinic
from tests.browser.conftest import Enter, Judge, Keep, NewPage


async def test_the_page_comes_with_its_policy_and_keeps_to_it(
    new_page: NewPage, no_axe_findings: Judge, screenshot: Keep
) -> None:
    page = await new_page()
    answer = await page.goto("/calendar")
    assert answer is not None
    assert answer.url.endswith("/calendar/")
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    await expect(page.get_by_role("heading", name="Calendar")).to_be_visible()
    await no_axe_findings(page)
    await screenshot(page, "sign-in")


async def test_a_breach_of_the_policy_would_be_noticed(
    new_page: NewPage, watch: Watch
) -> None:
    """The counterpart: else that nothing is found might mean that nobody looked."""
    page = await new_page()
    await page.goto("/calendar/")
    await page.evaluate(
        """() => {
            const script = document.createElement('script')
            script.textContent = 'window.ran = true'
            document.head.append(script)
            document.body.append(Object.assign(new Image(), {src: 'http://evil.example/'}))
        }"""
    )
    assert await page.evaluate("() => window.ran") is None
    async with page.expect_console_message():
        await page.evaluate("() => console.error('said')")
    found = " ".join(watch.findings())
    for part in ("script-src", "img-src", "said"):
        assert part in found, found
    watch.forgive("Content Security Policy|said|evil.example")


async def test_one_chooses_who_to_be_and_is_still_so_after_a_reload(
    new_page: NewPage,
) -> None:
    """With the product's own token, of the demo's tenant, which is empty here."""
    page = await new_page()
    await page.goto("/calendar/")
    async with page.expect_response("**/calendar/personas/*/token") as given:
        await page.get_by_role("button", name="Front desk").click()
    answer = await given.value
    assert answer.status == 200
    token = (await answer.json())["token"]
    assert answer.headers["cache-control"] == "no-store"
    who = page.get_by_role("button", name="Signed in as")
    await expect(who).to_contain_text("Front desk")
    assert not await page.evaluate(
        "token => JSON.stringify([{...localStorage}, {...sessionStorage}, "
        "document.cookie]).includes(token)",
        token,
    )
    await page.reload()
    await expect(who).to_contain_text("Front desk")


async def test_one_may_be_somebody_else_and_nobody(page: Page, clinic: Clinic) -> None:
    who = page.get_by_role("button", name="Signed in as")
    await expect(page.get_by_role("combobox", name="Clinic")).to_contain_text("Berlin")
    await who.click()
    await page.get_by_role("radio", name="Administrator").check()
    await expect(who).to_contain_text("Administrator")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("button", name="Front desk")).to_be_visible()
    assert clinic.locations["Berlin"] in page.url
    await page.reload()
    await expect(page.get_by_role("button", name="Front desk")).to_be_visible()


async def test_who_signs_out_while_a_token_is_renewed_stays_signed_out(
    page: Page, clinic: Clinic
) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def held(route: Route) -> None:
        asked.set()
        await answer.wait()
        await route.fulfill(json={"token": clinic.token("front-desk")})

    async def expired(route: Route) -> None:
        await route.fulfill(status=401, json={"code": "UNAUTHENTICATED"})

    await page.route("**/calendar/personas/*/token", held)
    await page.route("**/v1/calendar?*", expired)
    later = page.get_by_role("button", name="Next day")
    async with page.expect_response("**/v1/calendar?*"):
        await later.click()
    await later.click()
    await asyncio.wait_for(asked.wait(), 15)
    await page.get_by_role("button", name="Signed in as").click()
    await page.get_by_role("button", name="Sign out").click()
    async with page.expect_request_finished(lambda one: one.url.endswith("/token")):
        answer.set()
    # What would be done with it is done by the time that two frames are drawn.
    await page.evaluate(
        "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
    )
    await expect(page.get_by_role("button", name="Front desk")).to_be_visible()
    await expect(page.get_by_role("navigation")).to_be_hidden()


async def test_two_windows_are_two_people(enter: Enter) -> None:
    desk, doctor = await enter("front-desk"), await enter("practitioner")
    for page, who in ((desk, "Front desk"), (doctor, "Practitioner")):
        button = page.get_by_role("button", name="Signed in as")
        await expect(button).to_contain_text(who)

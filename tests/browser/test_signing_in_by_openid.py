"""Signing in at an issuer of OpenID Connect: code flow with PKCE, tokens in memory."""

import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Page, Request, Route, expect

from tests.browser.browsing import Watch
from tests.browser.conftest import Judge, Keep, NewPage
from tests.browser.issuer import OpenIdProduct

AT_THE_ISSUER = "Sign in as reception"

Open = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def a_clinic(openid_product: OpenIdProduct, watch: Watch) -> None:
    """Of a tenant that no other test has."""
    watch.origins += [openid_product.url, openid_product.issuer.url]
    watch.forgive(f"{openid_product.issuer.url}/favicon.ico")
    openid_product.issuer.tell(tenantId=str(uuid4()), practitionerId=None, seconds=600)
    async with httpx2.AsyncClient(base_url=openid_product.url, timeout=30) as http:
        desk = await openid_product.desk(http)
        await desk.a_location(name="Issued Clinic", timezone="Europe/Berlin")


@pytest.fixture
def open_page(openid_product: OpenIdProduct, new_page: NewPage) -> Open:
    async def open_page(path: str = "") -> Page:
        page = await new_page(base_url=openid_product.url)
        await page.goto(f"/calendar/{path}")
        return page

    return open_page


@pytest.fixture
def signed_in(open_page: Open) -> Open:
    async def signed_in(path: str = "") -> Page:
        page = await open_page(path)
        await page.get_by_role("button", name=AT_THE_ISSUER).click()
        await in_the_calendar(page)
        return page

    return signed_in


async def in_the_calendar(page: Page) -> None:
    clinic = page.get_by_role("combobox", name="Clinic")
    await expect(clinic).to_contain_text("Issued Clinic")


def asked(request: Request) -> dict[str, str]:
    """Return what a request says, in its address or its body."""
    text = request.post_data or urlsplit(request.url).query
    return {name: values[0] for name, values in parse_qs(text).items()}


async def test_one_is_sent_to_the_issuer_and_comes_back_to_where_one_was(
    open_page: Open, openid_product: OpenIdProduct
) -> None:
    page = await open_page("#/week")
    at_the_issuer = page.get_by_role("button", name=AT_THE_ISSUER)
    await at_the_issuer.wait_for()
    assert page.url.startswith(openid_product.issuer.url)
    async with page.expect_request("**/token") as exchange:
        await at_the_issuer.click()
    told = asked(await exchange.value)
    assert told["grant_type"] == "authorization_code"
    assert len(told["code_verifier"]) >= 43  # RFC 7636
    assert "client_secret" not in told
    await in_the_calendar(page)
    # Neither code nor state stay in the address, nor in the history.
    assert urlsplit(page.url).query == ""
    assert urlsplit(page.url).fragment.startswith("/week")
    who = page.get_by_role("button", name="Signed in as")
    await expect(who).to_contain_text("reception")


async def test_the_issuer_is_asked_with_a_challenge_and_a_state(
    new_page: NewPage, openid_product: OpenIdProduct
) -> None:
    page = await new_page(base_url=openid_product.url)
    async with page.expect_request(re.compile("/auth[?]")) as leaving:
        await page.goto("/calendar/")
    told = asked(await leaving.value)
    assert told["response_type"] == "code"
    assert told["code_challenge_method"] == "S256"
    assert told["redirect_uri"] == f"{openid_product.url}/calendar/"
    assert told["resource"] == "urn:scheduling"
    assert len(told["state"]) >= 16
    assert "scheduling:read" in told["scope"].split()


async def test_tokens_are_kept_in_memory_only(open_page: Open) -> None:
    page = await open_page()
    async with page.expect_response("**/token") as exchange:
        await page.get_by_role("button", name=AT_THE_ISSUER).click()
    given = await (await exchange.value).json()
    await in_the_calendar(page)
    kept = await page.evaluate(
        """async () => JSON.stringify([
            {...localStorage}, {...sessionStorage}, await indexedDB.databases(),
            await caches.keys(), document.cookie, location.href])"""
    )
    kept += str(await page.context.cookies())  # the issuer's: of a host, at any port
    for name in ("access_token", "refresh_token", "id_token"):
        assert given[name] not in kept


async def test_after_a_reload_one_is_back_without_being_asked(
    signed_in: Open,
) -> None:
    page = await signed_in()
    visited: list[str] = []
    page.on("framenavigated", lambda frame: visited.append(urlsplit(frame.url).path))
    await page.reload()
    await in_the_calendar(page)
    assert not [path for path in visited if path.startswith("/interaction/")]


async def test_a_token_is_renewed_before_it_ends_and_nobody_leaves_the_page(
    openid_product: OpenIdProduct, open_page: Open
) -> None:
    openid_product.issuer.tell(seconds=30)  # less than the page likes to have left
    page = await open_page()
    async with page.expect_request(
        lambda request: asked(request).get("grant_type") == "refresh_token"
    ):
        await page.get_by_role("button", name=AT_THE_ISSUER).click()
    await in_the_calendar(page)


async def test_who_is_given_no_more_tokens_is_sent_to_the_issuer_again(
    openid_product: OpenIdProduct, open_page: Open, watch: Watch
) -> None:
    watch.forgive("status of 400")
    openid_product.issuer.tell(seconds=30)  # less than the page likes to have left
    page = await open_page()

    async def refused(route: Route) -> None:
        if asked(route.request).get("grant_type") == "refresh_token":
            openid_product.issuer.tell(seconds=600)
            await route.fulfill(status=400, json={"error": "invalid_grant"})
        else:
            await route.continue_()

    await page.route(f"{openid_product.issuer.url}/token", refused)
    await page.get_by_role("button", name=AT_THE_ISSUER).click()
    await in_the_calendar(page)


async def test_who_signs_out_is_signed_out_at_the_issuer_too(signed_in: Open) -> None:
    page = await signed_in()
    await page.get_by_role("button", name="Signed in as").click()
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="Yes, sign me out").click()
    await page.get_by_role("button", name=AT_THE_ISSUER).wait_for()


@pytest.mark.parametrize(
    "query",
    [
        "?code=stolen&state=invented",
        "?error=access_denied&state=invented",
    ],
)
async def test_an_answer_that_nobody_asked_for_signs_nobody_in(
    open_page: Open, no_axe_findings: Judge, screenshot: Keep, query: str
) -> None:
    page = await open_page(query)
    await expect(page.get_by_role("alert")).to_contain_text("did not succeed")
    assert urlsplit(page.url).query == ""
    await no_axe_findings(page)
    await screenshot(page, "sign-in-failed")
    # One may try again.
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.get_by_role("button", name=AT_THE_ISSUER).click()
    await in_the_calendar(page)


async def test_an_answer_with_another_state_signs_nobody_in(
    new_page: NewPage, openid_product: OpenIdProduct
) -> None:
    """Somebody else's code, pushed into a sign-in of one's own."""
    page = await new_page(base_url=openid_product.url)
    exchanged: list[str] = []
    page.on(
        "request",
        lambda r: exchanged.append(r.url) if r.url.endswith("/token") else None,
    )
    await page.goto("/calendar/")
    await page.get_by_role("button", name=AT_THE_ISSUER).wait_for()
    await page.goto("/calendar/?code=another&state=tampered")
    await expect(page.get_by_role("alert")).to_contain_text("did not succeed")
    assert exchanged == []


async def test_a_claim_of_the_token_names_the_practitioner(
    openid_product: OpenIdProduct, open_page: Open
) -> None:
    """The API takes such a token, whatever else it says."""
    openid_product.issuer.tell(practitionerId=str(UUID(int=7)))
    page = await open_page()
    async with page.expect_response("**/v1/locations*") as listed:
        await page.get_by_role("button", name=AT_THE_ISSUER).click()
    assert (await listed.value).status == 200
    await in_the_calendar(page)


async def test_in_production_nobody_is_given_a_persona(
    openid_product: OpenIdProduct,
) -> None:
    async with httpx2.AsyncClient(base_url=openid_product.url) as http:
        told = (await http.get("/calendar/config.json")).json()["signIn"]
        refused = await http.post(
            "/calendar/personas/administrator/token",
            json={},
            headers={"Origin": openid_product.url, "Sec-Fetch-Site": "same-origin"},
        )
    assert told["kind"] == "openid"
    assert told["authority"] == openid_product.issuer.url
    assert refused.status_code == 404

"""The calendar in a real Chromium, in front of the product as it runs.

Browser and product are started once a worker. Each test has a clinic group of its own,
in a tenant of its own, and as many windows as it likes, none of which knows another.
All runs in one event loop of the session, as playwright's objects belong to theirs.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, Page, Route

from tests.acceptance.conftest import ALL
from tests.acceptance.desk import Desk
from tests.acceptance.product import Product, running_product
from tests.browser.browsing import (
    ARTEFACTS,
    Watch,
    axe_findings,
    chromium,
    picture,
    script_that_remembers,
)
from tests.browser.clinic import Clinic, open_clinic
from tests.browser.issuer import OpenIdProduct, running_openid_product
from tests.servers import Databases, nats_server

HERE = Path(__file__).parent
OUTCOME = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call":
        item.stash[OUTCOME] = report.failed
    return report


@pytest.fixture(scope="session")
def product(
    postgres: tuple[Databases, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    databases, template = postgres
    folder = tmp_path_factory.mktemp("browser")
    with (
        databases.fresh(template) as database_url,
        nats_server(folder / "nats") as nats_url,
        running_product(database_url, nats_url, folder / "run") as product,
    ):
        yield product


@pytest.fixture(scope="session")
def openid_product(
    postgres: tuple[Databases, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenIdProduct]:
    """Another one, whose staff sign in at an issuer of OpenID Connect."""
    databases, template = postgres
    folder = tmp_path_factory.mktemp("openid")
    with (
        databases.fresh(template) as database_url,
        nats_server(folder / "nats") as nats_url,
        running_openid_product(database_url, nats_url, folder / "run") as product,
    ):
        yield product


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def clinic(product: Product) -> AsyncIterator[Clinic]:
    tenant = uuid4()
    async with httpx2.AsyncClient(base_url=product.url, timeout=30) as http:
        token = product.issuer.mint(tenant_id=tenant, scope=ALL, subject="builder")
        yield await open_clinic(tenant, product.issuer, Desk(http, token))


@pytest.fixture
def watch(product: Product) -> Iterator[Watch]:
    """Ask for it to `forgive` what the test brings about on purpose."""
    watch = Watch([product.url])
    yield watch
    assert watch.findings() == []


NewPage = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="session")
async def new_page(
    browser: Browser, product: Product, watch: Watch, request: pytest.FixtureRequest
) -> AsyncIterator[NewPage]:
    """Open an empty page in a window of its own; `how` is what playwright's own
    `new_context` takes. Where the test fails, a picture of each is kept.
    """
    pages: list[Page] = []

    async def new_page(**how: Any) -> Page:  # noqa: ANN401
        context = await browser.new_context(
            **{
                "base_url": product.url,
                "viewport": {"width": 1280, "height": 800},
                "locale": "en-GB",
                "timezone_id": "Europe/Berlin",
                "reduced_motion": "reduce",
                **how,
            }
        )
        watch.over(context)
        page = await context.new_page()
        page.set_default_timeout(15_000)
        pages.append(page)
        return page

    yield new_page
    for number, page in enumerate(pages):
        if request.node.stash.get(OUTCOME, False):
            name = re.sub(r"\W+", "-", request.node.name)
            with suppress(Error):  # it may have crashed, or been closed
                await picture(page, f"failed/{name}-{number}")
        await page.context.close()


Enter = Callable[..., Awaitable[Page]]


@pytest.fixture
def enter(new_page: NewPage, clinic: Clinic) -> Enter:
    """Open the calendar in a window of its own, signed in as a persona at the test's
    clinic: `await enter("front-desk", clinic.address("day", 1))`. Called again it is
    somebody else's window. `how` is what playwright's `new_context` takes.

    The persona is one of the test's tenant: where the page asks for its token, it gets
    what the same issuer mints for that tenant, with what the persona may.
    """

    async def token(route: Route) -> None:
        persona = route.request.url.split("/")[-2]
        await route.fulfill(json={"token": clinic.token(persona)})

    async def enter(
        persona: str = "front-desk",
        address: str | None = None,
        **how: Any,  # noqa: ANN401
    ) -> Page:
        page = await new_page(**how)
        await page.context.route("**/calendar/personas/*/token", token)
        await page.add_init_script(script_that_remembers(persona))
        await page.goto(f"/calendar/{clinic.address() if address is None else address}")
        await page.get_by_role("navigation").first.wait_for()
        return page

    return enter


@pytest_asyncio.fixture(loop_scope="session")
async def page(enter: Enter) -> Page:
    """The front desk's window, on today of the clinic in Berlin."""
    return await enter()


Judge = Callable[[Page], Awaitable[None]]


@pytest.fixture
def no_axe_findings() -> Judge:
    async def judge(page: Page) -> None:
        found = await axe_findings(page)
        assert not found, "\n".join(found)

    return judge


Keep = Callable[..., Awaitable[Path]]


@pytest.fixture
def screenshot() -> Keep:
    """Keep what a page looks like: `await screenshot(page, "day")`."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    return picture


Looked = Callable[[Page, str], Awaitable[None]]


@pytest.fixture
def looked_at(no_axe_findings: Judge, screenshot: Keep) -> Looked:
    """Judge a page by axe and keep what it looks like: `looked_at(page, "day")`."""

    async def look(page: Page, name: str) -> None:
        await no_axe_findings(page)
        await screenshot(page, name)

    return look

"""The calendar's page as it is served, and who is given a token in development."""

import gzip
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry

from scheduling.entrypoints.http.app import Wired, create_app
from scheduling.entrypoints.http.built_pages import BuiltPages
from scheduling.entrypoints.http.middleware import FrontDoor
from scheduling.entrypoints.http.request_metrics import RequestMetrics
from scheduling.entrypoints.http.staff_calendar import (
    NoSignIn,
    OpenId,
    Persona,
    Personas,
    StaffCalendar,
)

INDEX = b"<!doctype html><title>Calendar</title>"
SCRIPT = b"export const words = 1;\n" * 100
FONT = b"wOF2" + bytes(2000)
HERE = "http://127.0.0.1:8080"
PERSONAS = Personas(mint=lambda persona: f"token of {persona}")
OPEN_ID = OpenId(
    authority="https://login.example:8443/realms/clinic",
    client_id="calendar",
    scope="openid scheduling:read",
    resource=None,
)
ASKED_BY_THE_PAGE = {
    "Origin": HERE,
    "Sec-Fetch-Site": "same-origin",
    "Content-Type": "application/json",
}


def unwired() -> AbstractAsyncContextManager[Wired]:
    raise NotImplementedError("nothing but pages is served here")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_bytes(INDEX)
    (dist / "assets/index-D5aN8tQe.js").write_bytes(SCRIPT)
    (dist / "assets/myanmar-B1c2D3e4.woff2").write_bytes(FONT)
    (dist / "assets/unheard-of.xyz").write_bytes(b"?")
    (tmp_path / "secret.txt").write_text("never to be read")
    return dist


Open = Callable[..., AbstractAsyncContextManager[httpx2.AsyncClient]]


@pytest.fixture
def opened(built: Path) -> Open:
    @asynccontextmanager
    async def client(
        sign_in: Personas | OpenId | NoSignIn = PERSONAS,
        *,
        folder: Path = built,
        url: str = HERE,
    ) -> AsyncIterator[httpx2.AsyncClient]:
        calendar = StaffCalendar(pages=BuiltPages(folder), sign_in=sign_in)
        app = FrontDoor(
            create_app(unwired),
            metrics=RequestMetrics(CollectorRegistry()),
            max_in_flight=10,
        )

        async def with_state(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
            scope["state"] = {"calendar": calendar}
            await app(scope, receive, send)

        transport = httpx2.ASGITransport(app=with_state)
        async with httpx2.AsyncClient(transport=transport, base_url=url) as client:
            yield client

    return client


@pytest.fixture
async def page(opened: Open) -> AsyncIterator[httpx2.AsyncClient]:
    async with opened() as client:
        yield client


async def test_the_page_is_below_its_own_folder(page: httpx2.AsyncClient) -> None:
    moved = await page.get("/calendar")
    assert (moved.status_code, moved.headers["location"]) == (308, "/calendar/")
    answer = await page.get("/calendar/")
    assert answer.status_code == 200
    assert answer.content == INDEX
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_the_page_is_asked_for_again_and_its_parts_never(
    page: httpx2.AsyncClient,
) -> None:
    index = await page.get("/calendar/")
    part = await page.get("/calendar/assets/index-D5aN8tQe.js")
    assert index.headers["cache-control"] == "no-cache"
    assert part.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert part.headers["content-type"] == "text/javascript; charset=utf-8"


async def test_who_has_it_is_told_so_and_not_sent_it_again(
    page: httpx2.AsyncClient,
) -> None:
    first = await page.get("/calendar/")
    tag = first.headers["etag"]
    for held in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await page.get("/calendar/", headers={"If-None-Match": held})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == "no-cache"
    other = await page.get("/calendar/", headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, INDEX)


async def test_a_head_has_the_headers_of_the_page(page: httpx2.AsyncClient) -> None:
    told = await page.head("/calendar/")
    assert told.status_code == 200
    assert told.headers["etag"] == (await page.get("/calendar/")).headers["etag"]


async def test_what_is_worth_it_is_packed_for_who_takes_it(
    page: httpx2.AsyncClient,
) -> None:
    path = "/calendar/assets/index-D5aN8tQe.js"
    packed = await page.get(path, headers={"Accept-Encoding": "br, gzip"})
    plain = await page.get(path, headers={"Accept-Encoding": "br, gzip;q=0"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(gzip.compress(SCRIPT, mtime=0))
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content == SCRIPT
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] != plain.headers["etag"]
    held = {"Accept-Encoding": "gzip", "If-None-Match": packed.headers["etag"]}
    assert (await page.get(path, headers=held)).status_code == 304


async def test_fonts_are_packed_already(page: httpx2.AsyncClient) -> None:
    font = await page.get(
        "/calendar/assets/myanmar-B1c2D3e4.woff2", headers={"Accept-Encoding": "gzip"}
    )
    assert font.headers["content-type"] == "font/woff2"
    assert "content-encoding" not in font.headers
    assert font.content == FONT


async def test_what_nobody_can_name_is_not_run(page: httpx2.AsyncClient) -> None:
    odd = await page.get("/calendar/assets/unheard-of.xyz")
    assert odd.headers["content-type"] == "application/octet-stream"
    assert odd.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/calendar/../secret.txt",
        "/calendar/%2e%2e/secret.txt",
        "/calendar/..%2fsecret.txt",
        "/calendar/assets/..%2f..%2fsecret.txt",
        "/calendar/assets/%2e%2e/%2e%2e/secret.txt",
        "/calendar/%2fetc%2fpasswd",
        "/calendar//etc/passwd",
        "/calendar/assets/",
        "/calendar/assets",
        "/calendar/index.html%00",
        "/calendar/nowhere",
    ],
)
async def test_no_path_leads_out_of_what_was_built(
    opened: Open, tmp_path: Path, path: str
) -> None:
    async with opened() as page:
        answer = await page.get(path)
    assert answer.status_code == 404, answer.text
    assert (tmp_path / "secret.txt").read_text() not in answer.text


async def test_what_is_not_built_is_said_to_be_so(opened: Open, tmp_path: Path) -> None:
    async with opened(folder=tmp_path / "nowhere") as page:
        answer = await page.get("/calendar/")
    assert answer.status_code == 404
    assert ".ci/set-up" in answer.json()["detail"]


async def test_what_is_built_while_we_run_is_seen_with_the_next_look_at_the_page(
    page: httpx2.AsyncClient, built: Path
) -> None:
    old, new = (f"/calendar/assets/index-{hash}.js" for hash in ("D5aN8tQe", "Xx"))
    tag = (await page.get("/calendar/")).headers["etag"]
    (built / "assets/index-D5aN8tQe.js").rename(built / "assets/index-Xx.js")
    assert (await page.get(old)).status_code == 404
    assert (await page.get(new)).status_code == 404
    (built / "index.html").write_bytes(b"<!doctype html>new")
    os.utime(built / "index.html", (1, 1))
    answer = await page.get("/calendar/", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (200, b"<!doctype html>new")
    assert (await page.get(new)).content == SCRIPT


STRICT = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "frame-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


def policy(answer: httpx2.Response) -> dict[str, str]:
    parts = answer.headers["content-security-policy"].split("; ")
    return {name: rest for name, _, rest in (part.partition(" ") for part in parts)}


@pytest.mark.parametrize("path", ["", "assets/index-D5aN8tQe.js", "config.json"])
async def test_nothing_of_others_and_nothing_within_the_page_is_run(
    page: httpx2.AsyncClient, path: str
) -> None:
    answer = await page.get(f"/calendar/{path}")
    assert policy(answer) == STRICT
    told = answer.headers
    assert told["cross-origin-opener-policy"] == "same-origin"
    assert told["cross-origin-resource-policy"] == "same-origin"
    assert told["referrer-policy"] == "no-referrer"
    assert told["x-content-type-options"] == "nosniff"
    assert told["x-frame-options"] == "DENY"
    assert "camera=()" in told["permissions-policy"]
    assert "access-control-allow-origin" not in told


async def test_the_issuer_and_nobody_else_may_be_asked_besides(opened: Open) -> None:
    async with opened(OPEN_ID) as page:
        there = "https://login.example:8443"
        assert policy(await page.get("/calendar/")) == {
            **STRICT,
            "connect-src": f"'self' {there}",
            "frame-src": there,
        }


@pytest.mark.parametrize(
    ("sign_in", "told"),
    [
        (
            PERSONAS,
            {
                "kind": "personas",
                "personas": ["front-desk", "practitioner", "administrator"],
            },
        ),
        (
            OPEN_ID,
            {
                "kind": "openid",
                "authority": "https://login.example:8443/realms/clinic",
                "clientId": "calendar",
                "scope": "openid scheduling:read",
                "resource": None,
            },
        ),
        (NoSignIn(), {"kind": "none"}),
    ],
)
async def test_the_page_is_told_how_one_signs_in(
    opened: Open, sign_in: Personas | OpenId | NoSignIn, told: dict[str, object]
) -> None:
    async with opened(sign_in) as page:
        answer = await page.get("/calendar/config.json")
    assert answer.json() == {"signIn": told}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("persona", Persona)
async def test_the_page_is_given_a_token_of_each_persona(
    page: httpx2.AsyncClient, persona: Persona
) -> None:
    path = f"/calendar/personas/{persona}/token"
    answer = await page.post(path, headers=ASKED_BY_THE_PAGE, content=b"{}")
    assert answer.json() == {"token": f"token of {persona}"}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "changed",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9090"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
async def test_no_other_page_is_given_one(
    page: httpx2.AsyncClient, changed: dict[str, str]
) -> None:
    headers = {**ASKED_BY_THE_PAGE, **changed}
    answer = await page.post(
        "/calendar/personas/administrator/token", headers=headers, content=b"{}"
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    assert "token of" not in answer.text


async def test_who_does_not_say_where_they_are_is_given_none(
    page: httpx2.AsyncClient,
) -> None:
    answer = await page.post("/calendar/personas/administrator/token", json={})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://localhost:8080", 200),
        ("http://[::1]:8080", 200),
        ("http://10.0.0.7:8080", 200),
        ("http://rebound.example:8080", 403),
        ("http://localhost.rebound.example", 403),
        ("http://127.0.0.1.rebound.example", 403),
    ],
)
async def test_a_name_that_was_pointed_here_is_not_believed(
    opened: Open, url: str, status: int
) -> None:
    """DNS rebinding: the stranger's page is of the same origin as we are."""
    async with opened(url=url) as page:
        answer = await page.post(
            "/calendar/personas/administrator/token",
            headers={**ASKED_BY_THE_PAGE, "Origin": url},
            content=b"{}",
        )
    assert answer.status_code == status


@pytest.mark.parametrize("sign_in", [OPEN_ID, NoSignIn()])
async def test_in_production_there_are_no_personas(
    opened: Open, sign_in: OpenId | NoSignIn
) -> None:
    async with opened(sign_in) as page:
        answer = await page.post(
            "/calendar/personas/administrator/token",
            headers=ASKED_BY_THE_PAGE,
            content=b"{}",
        )
    assert answer.status_code == 404


async def test_there_are_no_other_personas(page: httpx2.AsyncClient) -> None:
    answer = await page.post(
        "/calendar/personas/root/token", headers=ASKED_BY_THE_PAGE, content=b"{}"
    )
    assert answer.status_code == 404

"""`/calendar/`: the staff calendar's page, how one signs in there, and, in development
only, a token for each of the personas.

The page comes from here and nowhere else, and so does all that it loads: the policy
that goes with it allows no script and no style within the page, nothing of third
parties, and of other origins none but that of the issuer, where people sign in.

Tokens are asked for by these routes, not shown to them: no tenant's quota is touched.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from scheduling.entrypoints.http.built_pages import INDEX, BuiltPages, Page

router = APIRouter(prefix="/calendar", include_in_schema=False)

HASHED = "assets/"
"""Below it a name holds the hash of its content: another content has another name."""

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"

_ADDRESS = re.compile(r"(localhost|\d+(\.\d+){3}|\[[0-9A-Fa-f:.]+\])(:\d+)?")

NOT_BUILT = "The calendar is not built: .ci/set-up does that."
NOT_OURS = "A token is given to the calendar's own page only."


class Persona(StrEnum):
    """Who one can be in development."""

    FRONT_DESK = "front-desk"
    PRACTITIONER = "practitioner"
    ADMINISTRATOR = "administrator"


Mint = Callable[[Persona], str]
"""Return a token of a persona, good for minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Personas:
    """Sign-in of `scheduling dev`: choose who to be."""

    mint: Mint
    kind: Literal["personas"] = "personas"

    def told(self) -> Mapping[str, Any]:
        return {"kind": self.kind, "personas": list(Persona)}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenId:
    """Sign-in with an issuer of OpenID Connect, by code flow with PKCE.

    `resource` is the audience that tokens are asked for (RFC 8707), where the issuer
    wants to be told.
    """

    authority: str
    client_id: str
    scope: str
    resource: str | None
    kind: Literal["openid"] = "openid"

    def told(self) -> Mapping[str, Any]:
        return {
            "kind": self.kind,
            "authority": self.authority,
            "clientId": self.client_id,
            "scope": self.scope,
            "resource": self.resource,
        }

    @property
    def origin(self) -> str:
        parts = urlsplit(self.authority)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSignIn:
    """Nobody has said yet where one signs in."""

    kind: Literal["none"] = "none"

    def told(self) -> Mapping[str, Any]:
        return {"kind": self.kind}


@dataclass(frozen=True, kw_only=True)
class StaffCalendar:
    pages: BuiltPages
    sign_in: Personas | OpenId | NoSignIn
    headers: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        issuer = self.sign_in.origin if isinstance(self.sign_in, OpenId) else None
        object.__setattr__(self, "headers", MappingProxyType(headers_for(issuer)))


def headers_for(issuer: str | None) -> dict[str, str]:
    """Return what goes with each answer; `issuer` is an origin that may be asked."""
    there = "" if issuer is None else f" {issuer}"
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": f"'self'{there}",
        "frame-src": there.strip() or "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    unused = ("camera", "display-capture", "geolocation", "microphone", "payment")
    return {
        "Content-Security-Policy": "; ".join(f"{k} {v}" for k, v in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in unused),
        "Referrer-Policy": "no-referrer",
    }


@router.get("")
async def without_slash() -> Response:
    """What the page asks for is named from its own folder on."""
    return RedirectResponse("/calendar/", status_code=308)


@router.get("/config.json")
async def config(request: Request) -> Response:
    calendar = _calendar(request)
    return Response(
        orjson.dumps({"signIn": calendar.sign_in.told()}),
        media_type="application/json",
        headers={**calendar.headers, "Cache-Control": "no-store"},
    )


@router.post("/personas/{persona}/token")
async def persona_token(persona: str, request: Request) -> Response:
    """In development only: production has no personas, and so no such place."""
    calendar = _calendar(request)
    if not isinstance(calendar.sign_in, Personas) or persona not in list(Persona):
        raise HTTPException(404)
    if not _asked_by_our_page(request):
        raise HTTPException(403, NOT_OURS)
    token = calendar.sign_in.mint(Persona(persona))
    return Response(
        orjson.dumps({"token": token}),
        media_type="application/json",
        headers={**calendar.headers, "Cache-Control": "no-store"},
    )


@router.get("/")
async def index(request: Request) -> Response:
    return await _page(request, INDEX)


@router.get("/{name:path}")
async def built(name: str, request: Request) -> Response:
    return await _page(request, name)


async def _page(request: Request, name: str) -> Response:
    calendar = _calendar(request)
    page = await calendar.pages.page(name)
    if page is None:
        raise HTTPException(404, NOT_BUILT if name == INDEX else None)
    lasts = FOR_EVER if name.startswith(HASHED) else ASK_AGAIN
    return _answer(request, page, {**calendar.headers, "Cache-Control": lasts})


def _answer(request: Request, page: Page, headers: dict[str, str]) -> Response:
    headers["ETag"] = page.etag
    body = page.body
    if page.packed is not None:
        headers["Vary"] = "Accept-Encoding"
        if _takes_gzip(request):
            body = page.packed
            # Other bytes, so another name; RFC 9110 has validators by representation.
            headers["ETag"] = f'{page.etag[:-1]}-gzip"'
            headers["Content-Encoding"] = "gzip"
    if _has(request, headers["ETag"]):
        headers.pop("Content-Encoding", None)
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=page.media_type, headers=headers)


def _takes_gzip(request: Request) -> bool:
    for one in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, quality = one.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return quality.strip("0.") != "" or not quality
    return False


def _has(request: Request, etag: str) -> bool:
    given = request.headers.get("if-none-match", "").split(",")
    held = {one.strip().removeprefix("W/") for one in given}
    return etag in held or "*" in held


def _asked_by_our_page(request: Request) -> bool:
    """Whether a browser says that the page which asks is of this very origin.

    Names are not believed: a stranger's name may be pointed at this machine, and its
    page is of the same origin then. An address cannot, nor can `localhost`.
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site")
    sort = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return (
        (site == "same-origin" or (site is None and origin is not None))
        and origin in {None, f"http://{host}", f"https://{host}"}
        and sort == "application/json"  # another's form could send all else unasked
        and _ADDRESS.fullmatch(host) is not None
    )


def _calendar(request: Request) -> StaffCalendar:
    calendar: StaffCalendar = request.state.calendar
    return calendar

"""Refusals as problem details (RFC 9457). Nothing further inside knows a status code.

`type` is an absolute URI, as the RFC advises, since a relative one means another
thing below each path. It is an identifier and no address: `.example` is reserved, so
that nobody can ever own it, and it does not change with the host that answers.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match

from scheduling.application.ports.identity import (
    Caller,
    Forbidden,
    Reason,
    StaffOnly,
    Unauthenticated,
)
from scheduling.application.ports.unavailable import Unavailable
from scheduling.domain import errors
from scheduling.entrypoints.http.caller import OF_PATIENTS
from scheduling.entrypoints.http.quota import RateLimited
from scheduling.entrypoints.http.refusals import RefusalAudit
from scheduling.entrypoints.http.request_metrics import route_template

TYPE_BASE = "https://scheduling.example/problems/"
MEDIA_TYPE = "application/problem+json"

STATUSES: Mapping[type[errors.DomainError], int] = MappingProxyType(
    {
        errors.InvalidInput: 422,
        errors.NotFound: 404,
        errors.NotBookable: 409,
        errors.DoubleBookingOverrideDenied: 403,
        errors.OptimisticLockConflict: 409,
        errors.PreconditionFailed: 412,
        errors.PreconditionRequired: 428,
        errors.PatientIdClaimRequired: 400,
        errors.InvalidStatusTransition: 409,
        errors.IdempotencyKeyReused: 422,
        errors.RequestInProgress: 409,
    }
)
"""A class not named here has the status of the nearest one above it."""

_CODES = MappingProxyType(
    {
        400: "VALIDATION_FAILED",
        401: "UNAUTHENTICATED",
        403: "FORBIDDEN",
        404: "NOT_FOUND",
        405: "METHOD_NOT_ALLOWED",
        413: "PAYLOAD_TOO_LARGE",
        422: "VALIDATION_FAILED",
        429: RateLimited.code,
        503: "SERVICE_UNAVAILABLE",
    }
)

_log = structlog.get_logger()

_HARMLESS_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> Response:
    """Build the answer; `more` are members of its own, left out where they are None."""
    body = {
        "type": TYPE_BASE + code.lower().replace("_", "-"),
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        **{name: value for name, value in more.items() if value is not None},
    }
    return Response(
        orjson.dumps(body),
        status_code=status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


def status_of(refusal: type[errors.DomainError]) -> int:
    """Raise KeyError for a refusal that nobody thought of here."""
    for kind in refusal.__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    raise KeyError(refusal)


def in_brief(refusal: errors.DomainError | Forbidden) -> tuple[int, str]:
    """Return status and detail of a refusal."""
    if isinstance(refusal, StaffOnly):
        return 403, "A patient's own token does not allow it."
    if isinstance(refusal, Forbidden):
        return 403, f"This takes the scope {refusal.scope}."
    told = str(refusal)
    if isinstance(refusal, errors.InvalidInput) and refusal.field:
        told = f"{refusal.field}: {told}"
    return status_of(type(refusal)), told


def answer_with_problems(app: FastAPI) -> None:
    app.exception_handler(errors.DomainError)(_refused)
    app.exception_handler(Unauthenticated)(_unauthenticated)
    app.exception_handler(Forbidden)(_forbidden)
    app.exception_handler(Unavailable)(_unavailable)
    app.exception_handler(RateLimited)(_rate_limited)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(ClientDisconnect)(_gone)
    app.exception_handler(Exception)(_crashed)


async def _refused(request: Request, error: errors.DomainError) -> Response:
    audit: RefusalAudit = request.state.refusals
    await audit.note(request, error)
    more: dict[str, object] = {}
    headers: dict[str, str] | None = None
    match error:
        case errors.InvalidInput(field=field) if field:
            more["errors"] = [{"field": field, "message": str(error)}]
        case errors.RequestInProgress():
            headers = {"Retry-After": "1"}
        case errors.DoubleBookingDetected() | errors.BufferTimeConflict():
            # Whose appointments are in the way is nothing that patients may learn.
            caller: Caller | None = getattr(request.state, "caller", None)
            if error.conflicting and caller and caller.patient_id is None:
                more["conflictingAppointmentIds"] = error.conflicting
    status, detail = in_brief(error)
    return problem(
        status,
        error.code,
        detail,
        headers=headers,
        index=error.index,
        **more,
    )


async def _unauthenticated(request: Request, error: Unauthenticated) -> Response:
    # Nobody we know, so no tenant whose audit it were.
    _log.info(
        "request.unauthenticated",
        request_id=request.state.request_id,
        route=route_template(request.scope),
        reason=error.reason.value,
    )
    challenge = 'Bearer realm="scheduling"'
    if error.reason is not Reason.MISSING:
        challenge += f', error="invalid_token", error_description="{error.reason}"'
    return problem(
        401,
        error.code,
        "This takes a valid bearer token.",
        headers={"WWW-Authenticate": challenge},
        reason=error.reason.value,
    )


async def _forbidden(request: Request, error: Forbidden) -> Response:
    audit: RefusalAudit = request.state.refusals
    await audit.note(request, error)
    challenge = 'Bearer realm="scheduling", error="insufficient_scope"'
    helps = None
    if _is_for_staff(request, error):
        error = StaffOnly(error.scope)
    else:
        helps = error.scope.value
        challenge += f', scope="{helps}"'
    status, detail = in_brief(error)
    return problem(
        status,
        error.code,
        detail,
        headers={"WWW-Authenticate": challenge},
        scope=helps,
    )


def _is_for_staff(request: Request, error: Forbidden) -> bool:
    """Whether no scope would help: a patient's own token has none of the staff's."""
    caller: Caller | None = getattr(request.state, "caller", None)
    is_patient = caller is not None and caller.patient_id is not None
    beyond = isinstance(error, StaffOnly) or error.scope not in OF_PATIENTS
    return is_patient and beyond


async def _unavailable(_request: Request, error: Unavailable) -> Response:
    return problem(
        503,
        error.code,
        "Something that this service needs is away. Ask again later: under the same "
        "Idempotency-Key nothing is done twice.",
        headers={"Retry-After": str(error.retry_after)},
    )


async def _rate_limited(_request: Request, error: RateLimited) -> Response:
    return problem(
        429,
        error.code,
        "More requests than one organisation may make in a second.",
        headers={"Retry-After": str(error.retry_after)},
    )


async def _http(request: Request, error: HTTPException) -> Response:
    phrase = HTTPStatus(error.status_code).phrase
    headers = error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"Allow": ", ".join(sorted(_methods_at(request)))}
    code = _CODES.get(error.status_code) or re.sub(r"\W+", "_", phrase).upper()
    return problem(error.status_code, code, error.detail or phrase, headers=headers)


def _methods_at(request: Request) -> set[str]:
    """Return what all routes of this path take; a single route knows only its own."""
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        matched, _ = route.matches(request.scope)
        if matched is not Match.NONE:
            methods |= route.methods or set()
    return methods | {"HEAD"} if "GET" in methods else methods


async def _gone(_request: Request, _error: ClientDisconnect) -> Response:
    """Nobody is there to read it: nginx's status for that, seen in figures only."""
    return Response(status_code=499)


async def _crashed(_request: Request, _error: Exception) -> Response:
    # Starlette raises it again; middleware.FrontDoor logs it, with the request id.
    return problem(500, "INTERNAL_ERROR", "This is our fault, not yours.")


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    found: Sequence[Mapping[str, Any]] = error.errors()
    if any(e["loc"][0] == "body" for e in found) and not _was_json(request, found):
        return problem(400, "VALIDATION_FAILED", "The body is not JSON.")
    return problem(
        422,
        "VALIDATION_FAILED",
        "The request does not have the shape that this takes.",
        errors=[{"field": _field(e["loc"]), "message": _message(e)} for e in found],
    )


def _was_json(request: Request, found: Sequence[Mapping[str, Any]]) -> bool:
    if any(e["type"] == "json_invalid" for e in found):
        return False
    sort = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    absent = any(e["type"] == "missing" and e["loc"] == ("body",) for e in found)
    return absent or sort == "application/json" or sort.endswith("+json")


def _field(loc: Sequence[str | int]) -> str:
    """Return the JSON path below `body`, `query`, `path` or `header`.

    A name that the client made up is told only where it cannot be anything personal
    that slipped into the place of a name.
    """
    parts = [str(part) for part in loc[1:]] or [str(loc[0])]
    return ".".join(p if _HARMLESS_NAME.fullmatch(p) else "?" for p in parts)


def _message(found: Mapping[str, Any]) -> str:
    """Return what is wrong, without the value that is.

    Pydantic's messages are fixed but for a few, which quote from the input after their
    first comma, or, of unions, everywhere.
    """
    if found["type"] == "union_tag_invalid":
        return f"Input should be one of {found['ctx']['expected_tags']}"
    message = str(found["msg"]).removeprefix("Value error, ")
    return message.partition(",")[0] if found["type"].endswith("_parsing") else message

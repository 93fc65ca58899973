"""What an operation may answer, said once: for its readers, and for a test that holds
every route to it.
"""

from collections.abc import Iterable
from typing import Any

from fastapi.responses import Response
from pydantic import BaseModel

from scheduling.application.ports.identity import Forbidden, Unauthenticated
from scheduling.application.ports.unavailable import Unavailable
from scheduling.domain import errors
from scheduling.entrypoints.http.problems import MEDIA_TYPE, TYPE_BASE, status_of
from scheduling.entrypoints.http.quota import RateLimited

Refusal = type[errors.DomainError] | type[Unauthenticated] | type[Forbidden]

_WHEN = {
    400: "The request is not JSON",
    401: "No token, or none that is believed",
    403: "The token does not allow it",
    404: "Missing, or another tenant's",
    409: "Understood, and refused as things stand",
    412: "If-Match names another version than the stored one",
    413: "The body is too long",
    422: "Shape, types or ranges; field by field",
    428: "The change names no version",
    429: "More than one organisation may ask in a second; come back",
    500: "A defect of ours",
    503: "The database is away, or too much at a time; come back",
}

_TEXT = {"type": "string"}
_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "Yours if it was sane, else a new one; logs carry it too",
        "schema": _TEXT,
    },
    "ETag": {
        "description": "The version, quoted",
        "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
    },
    "Location": {"description": "Where it is to be found", "schema": _TEXT},
    "Idempotency-Replayed": {
        "description": "`true` where this answer was given before",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {"description": "Seconds", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "What it takes (RFC 6750)", "schema": _TEXT},
}

_DIGEST = {
    "description": "A digest of the answer, quoted",
    "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
}

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Repeats under one key are done once, and answered alike for 48 h",
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
    "example": "5f1c1d0e-8d51-4d5f-9a51-0b5f3c3f2f0e",
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag that the change was decided on; stale: 412",
    "schema": _TEXT,
    "example": '"3"',
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "An ETag in hand: 304 where it still stands",
    "schema": _TEXT,
    "example": '"3"',
}


LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The last `id` that was seen: all that came after it is told first",
    "schema": {"type": "string", "pattern": "^([0-9a-f]{1,16}-[0-9]{1,19})?$"},
    "example": "6479c1e2a9f40-1234",
}


_WITHOUT_A_TOKEN: dict[str, Any] = {"openapi_extra": {"security": []}}


def reading(
    view: type[BaseModel],
    *refusals: Refusal,
    tag: bool = True,
    digest: bool = False,
) -> Any:  # noqa: ANN401
    """Give a GET its responses; `tag`: it has an ETag, and honours If-None-Match.
    `digest`: its ETag is one of the answer, which has no version.
    """
    responses = _problems((Unauthenticated, Forbidden, errors.InvalidInput, *refusals))
    responses[200] = _answer(view, "As it is now", *(["ETag"] if tag else []))
    if tag:
        responses[304] = {
            "description": "What you have is what there is",
            "headers": _headers("ETag"),
        }
    for status in (200, 304) if digest else ():
        responses[status]["headers"] |= {"ETag": _DIGEST}
    extra = {"parameters": [IF_NONE_MATCH]} if tag else {}
    return {"responses": responses, "openapi_extra": extra}


def computing(view: type[BaseModel], told: str = "What would be") -> Any:  # noqa: ANN401
    """Give a POST its responses that changes nothing and keeps no answer; `told` is
    what its answer says.
    """
    responses = _problems((Unauthenticated, Forbidden, errors.InvalidInput))
    for code in (400, 413):
        responses[code] = _problem_response(code, [_CODES_OF_HTTP[code]])
    responses[200] = _answer(view, told)
    return {"responses": responses}


def stream(example: str) -> Any:  # noqa: ANN401
    """Give server-sent events their responses."""
    responses = _problems((Unauthenticated, Forbidden, errors.InvalidInput))
    responses[200] = {
        "description": "The events, for as long as both sides like",
        "headers": _headers(),
        "content": {"text/event-stream": {"schema": _TEXT, "example": example}},
    }
    return {
        "response_class": Response,
        "responses": responses,
        "openapi_extra": {"parameters": [LAST_EVENT_ID]},
    }


def command(
    view: type[BaseModel],
    *refusals: Refusal,
    status: int,
    or_else: int | None = None,
    if_match: bool = False,
    tag: bool = True,
) -> Any:  # noqa: ANN401
    """Give a POST or PUT its responses; `or_else` is the other status of success.
    `tag`: what it answers is one thing, with a version.
    """
    always = (
        Unauthenticated,
        Forbidden,
        errors.InvalidInput,
        errors.IdempotencyKeyReused,
        errors.RequestInProgress,
    )
    responses = _problems((*always, *refusals), 400, 413)
    for code in filter(None, (status, or_else)):
        responses[code] = _answer(
            view,
            "Made" if code == 201 else "Done",  # noqa: PLR2004
            *(["ETag"] if tag else []),
            "Idempotency-Replayed",
            *(["Location"] if code == 201 else []),  # noqa: PLR2004
        )
    parameters = [IDEMPOTENCY_KEY, *([IF_MATCH] if if_match else [])]
    return {
        "status_code": status,
        "responses": responses,
        "openapi_extra": {"parameters": parameters},
    }


def put(view: type[BaseModel], *refusals: Refusal) -> Any:  # noqa: ANN401
    """Give the PUT of a directory entry its responses: made, or replaced whole."""
    return command(
        view,
        *refusals,
        errors.PreconditionFailed,
        errors.OptimisticLockConflict,
        status=200,
        or_else=201,
        if_match=True,
    )


def status(description: str, *, or_unready: bool = False) -> Any:  # noqa: ANN401
    """Give a probe its responses."""
    schema = {
        "type": "object",
        "required": ["status"],
        "properties": {"status": _TEXT},
        "additionalProperties": False,
    }
    responses: dict[int, dict[str, Any]] = {
        200: {
            "description": description,
            "headers": _headers(),
            "content": {"application/json": {"schema": schema}},
        }
    }
    if or_unready:
        responses[503] = _problem_response(503, [_CODES_OF_HTTP[503]])
    return {"response_class": Response, "responses": responses, **_WITHOUT_A_TOKEN}


def text(description: str) -> Any:  # noqa: ANN401
    """Give an answer in plain text its response."""
    content = {"text/plain": {"schema": _TEXT}}
    told = {"description": description, "headers": _headers(), "content": content}
    return {"response_class": Response, "responses": {200: told}, **_WITHOUT_A_TOKEN}


_CODES_OF_HTTP = {
    400: "VALIDATION_FAILED",
    413: "PAYLOAD_TOO_LARGE",
    429: RateLimited.code,
    500: "INTERNAL_ERROR",
    503: Unavailable.code,
}


def _problems(
    refusals: Iterable[Refusal], *statuses: int
) -> dict[int | str, dict[str, Any]]:
    """`statuses` are refused before any of ours is asked."""
    codes: dict[int, list[str]] = {}
    for status in (*statuses, 429, 500, 503):
        codes[status] = [_CODES_OF_HTTP[status]]
    for refusal in refusals:
        codes.setdefault(_status(refusal), []).append(refusal.code)
    return {
        status: _problem_response(status, list(dict.fromkeys(told)))
        for status, told in codes.items()
    }


def _status(refusal: Refusal) -> int:
    if issubclass(refusal, errors.DomainError):
        return status_of(refusal)
    return 401 if refusal is Unauthenticated else 403


def _problem_response(status: int, codes: list[str]) -> dict[str, Any]:
    """One status of problems, with an example for each code."""
    told = {
        401: "WWW-Authenticate",
        403: "WWW-Authenticate",
        429: "Retry-After",
        503: "Retry-After",
    }
    return {
        "description": _WHEN[status],
        "headers": _headers(*([told[status]] if status in told else [])),
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "allOf": [
                        {"$ref": "#/components/schemas/Problem"},
                        {"properties": {"code": {"enum": sorted(codes)}}},
                    ]
                },
                "examples": {code: {"value": _example(status, code)} for code in codes},
            }
        },
    }


def _example(status: int, code: str) -> dict[str, Any]:
    return {
        "type": TYPE_BASE + code.lower().replace("_", "-"),
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": "What was wrong this time, in words for a person.",
        "code": code,
    }


def _answer(view: type[BaseModel], description: str, *headers: str) -> dict[str, Any]:
    return {
        "model": view,
        "description": description,
        "headers": _headers(*headers),
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: _HEADERS[name] for name in ("X-Request-Id", *names)}


PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457. `code` is what programs should read.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": {"type": "string", "pattern": "^[A-Z_]+$"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": _TEXT, "message": _TEXT},
                "additionalProperties": False,
            },
        },
        "conflictingAppointmentIds": {
            "type": "array",
            "items": {"type": "string", "format": "uuid"},
        },
        "reason": _TEXT,
        "scope": _TEXT,
        "index": {
            "description": "Of several that were asked for, the one that cannot be",
            "type": "integer",
            "minimum": 1,
        },
    },
}

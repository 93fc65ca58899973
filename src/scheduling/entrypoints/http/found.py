"""The one way out of every read."""

from hashlib import sha256
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from scheduling.entrypoints.http.commanding import etag
from scheduling.entrypoints.http.shapes import dumped


def found(request: Request, view: dict[str, Any], version: int) -> Response:
    """Answer with a view and its ETag, or 304 where the client has that version."""
    tag = etag(version)
    if _is_known(request, tag["ETag"]):
        return Response(status_code=304, headers=tag)
    return Response(dumped(view), headers=tag, media_type="application/json")


def shown(request: Request, view: dict[str, Any]) -> Response:
    """Answer with what has no version of its own: its ETag is a digest of what it says,
    so a client that polls is told in a few bytes that nothing has changed.
    """
    body = dumped(view)
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    # What was free may be taken a moment later: a client may keep it, and has to ask.
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if _is_known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def _is_known(request: Request, tag: str) -> bool:
    """RFC 9110, 13.1.2: `*`, or one of a list, compared weakly."""
    known = request.headers.get("if-none-match")
    if known is None:
        return False
    if known.strip() == "*":
        return True
    return any(one.strip().removeprefix("W/") == tag for one in known.split(","))

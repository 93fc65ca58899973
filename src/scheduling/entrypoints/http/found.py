"""The one way out of every read of a single thing."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from scheduling.entrypoints.http.commanding import etag
from scheduling.entrypoints.http.shapes import dumped


def found(request: Request, view: dict[str, Any], version: int) -> Response:
    """Answer with a view and its ETag, or 304 where the client has that version."""
    tag = etag(version)
    known = request.headers.get("if-none-match")
    if known is not None and _names(known, tag["ETag"]):
        return Response(status_code=304, headers=tag)
    return Response(dumped(view), headers=tag, media_type="application/json")


def _names(known: str, tag: str) -> bool:
    """RFC 9110, 13.1.2: `*`, or one of a list, compared weakly."""
    if known.strip() == "*":
        return True
    return any(one.strip().removeprefix("W/") == tag for one in known.split(","))

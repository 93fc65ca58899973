"""Pages, which all lists have in common.

A cursor is where a page ended: an instant and an id, in 32 characters; or, where things
are listed by name, an id and a name.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field

from scheduling.domain.errors import InvalidInput
from scheduling.domain.plausible import EARLIEST, LATEST

_POSITION = struct.Struct(">q16s")
"""Microseconds since 1970, and the bytes of the id."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LARGEST_PAGE = 200
Limit = Annotated[int, Field(ge=1, le=LARGEST_PAGE)]
Cursor = Annotated[
    str | None, Field(max_length=100, description="The `nextCursor` of a page")
]
NameCursor = Annotated[
    Annotated[
        str,
        Field(max_length=1200, examples=["AZqdPgAAcACAAAAAAAABAURyLiBBbmEgU291emE="]),
    ]
    | None,
    Field(description="The `nextCursor` of a page"),
]


def cursor_at(instant: datetime, id: UUID) -> str:
    since = (instant - _EPOCH) // timedelta(microseconds=1)
    return urlsafe_b64encode(_POSITION.pack(since, id.bytes)).decode()


def position_of(cursor: str) -> tuple[datetime, UUID]:
    """Raise InvalidInput for what `cursor_at` never wrote."""
    try:
        since, id = _POSITION.unpack(urlsafe_b64decode(cursor.encode("ascii")))
        instant = _EPOCH + timedelta(microseconds=since)
    except (ValueError, struct.error, OverflowError) as error:
        raise InvalidInput("is none that we gave", "cursor") from error
    position = instant, UUID(bytes=id)
    # Python's base64 reads around what does not belong.
    if not EARLIEST <= instant < LATEST or cursor_at(*position) != cursor:
        raise InvalidInput("is none that we gave", "cursor")
    return position


def cursor_behind(name: str, id: UUID) -> str:
    return urlsafe_b64encode(id.bytes + name.encode()).decode()


def name_position_of(cursor: str) -> tuple[str, UUID]:
    """Raise InvalidInput for what `cursor_behind` never wrote."""
    try:
        told = urlsafe_b64decode(cursor.encode("ascii"))
        position = told[16:].decode(), UUID(bytes=told[:16])
    except ValueError as error:
        raise InvalidInput("is none that we gave", "cursor") from error
    if "\0" in position[0] or cursor_behind(*position) != cursor:
        raise InvalidInput("is none that we gave", "cursor")
    return position

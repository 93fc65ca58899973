"""What all bodies have in common: camelCase names, and no field that we do not know."""

from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import available_timezones

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from scheduling.application.ports.repositories import StoredAnswer
from scheduling.entrypoints.http.commanding import etag


class Shape(BaseModel):
    """Unknown fields are an error; names are camelCase on the wire only."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=False,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
    )


EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    return text


def _reasonable(instant: datetime) -> datetime:
    if not EARLIEST <= instant < LATEST:
        raise ValueError("must be between the years 1900 and 2200")
    return instant.astimezone(UTC)


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("must be an IANA time zone")
    return name


Line = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=r"\S"),
    AfterValidator(_storable),
]
"""A name or a code: one line that is not blank."""

FreeText = Annotated[str, Field(max_length=4000), AfterValidator(_storable)]
Instant = Annotated[AwareDatetime, AfterValidator(_reasonable)]
"""RFC 3339 with an offset."""

Zone = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]


def answer(
    status: int, view: dict[str, Any], *, version: int | None = None, **headers: str
) -> StoredAnswer:
    """Build an answer from a view: a plain dict in the order of the wire."""
    tag = {} if version is None else etag(version)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return StoredAnswer(status, {**tag, **named}, dumped(view))


def dumped(view: dict[str, Any]) -> bytes:
    """Write JSON without a model for each row; instants in UTC with `Z`."""
    return orjson.dumps(view, default=str, option=orjson.OPT_UTC_Z)

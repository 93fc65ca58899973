"""What all bodies have in common: camelCase names, and no field that we do not know."""

import re
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
)
from pydantic.alias_generators import to_camel

from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain.plausible import known_zone, plausible, plausible_day
from scheduling.entrypoints.http.commanding import etag

Said = TypeVar("Said")


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


_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)"
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NO_CONTROLS = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"


def _written_out(value: object) -> object:
    """Refuse what pydantic would take for an instant besides: numbers, bare dates."""
    if isinstance(value, str) and not _RFC3339.fullmatch(value):
        raise ValueError(
            "must be an instant of RFC 3339 with an offset, without leap second"
        )
    if not isinstance(value, (str, datetime)):
        raise ValueError("must be a string")  # noqa: TRY004  # pydantic reads ValueErrors
    return value


def _day_written_out(value: object) -> object:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("must be a day like 2030-01-31")
    return value


def without_repeats(said: tuple[Said, ...]) -> tuple[Said, ...]:
    if len(set(said)) < len(said):
        raise ValueError("must not say the same twice")
    return said


def _without_fraction(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Line = Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_CONTROLS)]
"""A name or a code: one line that is not blank."""

Code = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
]
"""Words that events and the audit may quote: no place for anybody's data."""

FreeText = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00]*$")]
Words = Annotated[
    tuple[
        Annotated[str, Field(min_length=1, max_length=100, pattern=_NO_CONTROLS)], ...
    ],
    Field(max_length=50, json_schema_extra={"uniqueItems": True}),
    AfterValidator(without_repeats),
]
Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True), BeforeValidator(_without_fraction)]
"""5, or 5.0, which is the same number to JSON; neither "5" nor true. Say `ge` and `le`
too: PostgreSQL's integers end.
"""

Instant = Annotated[
    AwareDatetime, BeforeValidator(_written_out), AfterValidator(plausible)
]
"""RFC 3339 with an offset."""

Day = Annotated[date, BeforeValidator(_day_written_out), AfterValidator(plausible_day)]
Zone = Annotated[
    str,
    Field(
        max_length=64,
        examples=["America/Sao_Paulo"],
        json_schema_extra={"format": "timezone"},
    ),
    AfterValidator(known_zone),
]


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


UNSAID = Field(json_schema_extra=_without_default)
"""May be left out, but not null, of what cannot be cleared: the document says neither.
"""

MAX_VERSION = 2**31 - 1
Version = Annotated[Whole, Field(ge=1, le=MAX_VERSION)]


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


def ends_after(end: datetime, told: ValidationInfo) -> datetime:
    """Validate an `end` beside a `start`; half-open periods are never empty."""
    start = told.data.get("start")
    if start is not None and end <= start:
        raise ValueError("must be after start")
    return end


def answer_put(
    view: dict[str, Any], version: int, place: str, *, is_new: bool
) -> StoredAnswer:
    """Build the answer to a PUT: 201 for what was not there before."""
    if is_new:
        return answer(201, view, version=version, Location=place)
    return answer(200, view, version=version)

"""Stretches of time as parameters: instants, or days on the wall of a zone."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter, WithJsonSchema

from scheduling.entrypoints.http.shapes import Day, Instant

_AN_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_A_DAY: TypeAdapter[date] = TypeAdapter(Day)
_LENGTH_OF_A_DAY = len("2030-01-31")


def _instant_or_day(value: object) -> object:
    """What looks like a day is one; everything else has to be an instant."""
    if isinstance(value, str) and len(value) <= _LENGTH_OF_A_DAY:
        return _A_DAY.validate_python(value)
    return _AN_INSTANT.validate_python(value)


InstantOrDay = Annotated[
    Any,
    BeforeValidator(_instant_or_day),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
            ]
        }
    ),
]
From = Annotated[
    InstantOrDay, Field(description="An instant, or a local day, which is whole")
]
To = Annotated[
    InstantOrDay, Field(description="Exclusive; an instant or a day, as `from` is")
]

"""What the data of inbound events is made of: the fields that REST has, by the same
rules. HTTP knows no adapter and adapters know no door, so both say them; a test holds
the two together.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from scheduling.domain.period import Period
from scheduling.domain.plausible import known_zone, plausible, plausible_day
from scheduling.domain.schedule import Day as Weekday
from scheduling.domain.schedule import NotAvailable, WeeklyRule

MAX_CAPACITY = 10_000

_A_DAY = timedelta(days=1)
_HOUR = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)"
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NO_CONTROLS = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"


class Data(BaseModel):
    """Unknown fields are an error; names are camelCase on the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=False,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
    )


def _written_out(value: object) -> object:
    """Refuse what pydantic would take for an instant besides: numbers, bare dates."""
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError("must be an instant of RFC 3339 with an offset")
    return value


def _day_written_out(value: object) -> object:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("must be a day like 2030-01-31")
    return value


def _without_repeats(words: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(words)) < len(words):
        raise ValueError("must not say the same twice")
    return words


def _without_fraction(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Line = Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_CONTROLS)]
"""A name or a code: one line that is not blank."""

FreeText = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00]*$")]
Words = Annotated[
    tuple[
        Annotated[str, Field(min_length=1, max_length=100, pattern=_NO_CONTROLS)], ...
    ],
    Field(max_length=50, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_without_repeats),
]
Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True), BeforeValidator(_without_fraction)]
Instant = Annotated[
    AwareDatetime, BeforeValidator(_written_out), AfterValidator(plausible)
]
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
Phone = Annotated[str, Field(max_length=40, pattern=r"^\+?[0-9(][0-9 ()./-]*$")]
Email = Annotated[
    str, Field(max_length=254, pattern=r"^[^@\x00-\x20]+@[^@\x00-\x20]+$")
]
Language = Annotated[
    str, Field(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
]
Minutes = Annotated[Whole, Field(ge=1, le=24 * 60)]


class Stretch(Data):
    """Half-open, never empty."""

    start: Instant
    end: Instant

    @field_validator("end")
    @classmethod
    def _ends_after(cls, end: datetime, told: ValidationInfo) -> datetime:
        start = told.data.get("start")
        if start is not None and end <= start:
            raise ValueError("must be after start")
        return end

    def to_absence(self, description: str | None = None) -> NotAvailable:
        return NotAvailable(
            period=Period(self.start, self.end), description=description
        )


class Absence(Stretch):
    description: Line | None = None


class Days(Data):
    """Local days, both inclusive; without one it is open on that side."""

    start: Day | None = None
    end: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise ValueError("end must not be before start")
        return self


def _each_once(days: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
    if len(set(days)) < len(days):
        raise ValueError("must not name a day twice")
    return days


class Window(Data):
    """Wall-clock hours on some days of the week, cut into slots."""

    days_of_week: Annotated[
        tuple[Weekday, ...],
        Field(min_length=1, max_length=7, json_schema_extra={"uniqueItems": True}),
        AfterValidator(_each_once),
    ]
    start_time: Annotated[str, Field(pattern=f"^{_HOUR}$", examples=["09:00"])]
    end_time: Annotated[
        str,
        Field(
            pattern=f"^({_HOUR}|24:00)$",
            examples=["17:00"],
            description="At or before the start: the next day. 24:00: the day's end",
        ),
    ]
    slot_minutes: Annotated[Whole, Field(ge=5, le=1440)]
    capacity: Annotated[Whole, Field(ge=1, le=MAX_CAPACITY)] = 1
    service_types: Words = ()
    valid_from: Day | None = None
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _holds_on_a_day_and_makes_slots(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("validTo must not be before validFrom")
        rule = self.to_rule()
        if timedelta(minutes=self.slot_minutes) > _length(rule.start, rule.end):
            raise ValueError("slotMinutes must fit between startTime and endTime")
        return self

    def to_rule(self) -> WeeklyRule:
        return WeeklyRule(
            days=self.days_of_week,
            start=time.fromisoformat(self.start_time),
            end=time()
            if self.end_time == "24:00"
            else time.fromisoformat(self.end_time),
            slot_minutes=self.slot_minutes,
            capacity=self.capacity,
            service_types=self.service_types,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
        )


Windows = Annotated[tuple[Window, ...], Field(max_length=100)]
Absences = Annotated[tuple[Absence, ...], Field(max_length=500)]
Vacations = Annotated[tuple[Stretch, ...], Field(max_length=500)]


def _length(start: time, end: time) -> timedelta:
    since = timedelta(hours=start.hour, minutes=start.minute)
    until = timedelta(hours=end.hour, minutes=end.minute)
    return until - since if until > since else until + _A_DAY - since

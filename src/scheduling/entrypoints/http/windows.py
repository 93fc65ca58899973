"""Weekly rules on the wire, as roles, schedules and previews have them."""

from datetime import date, time, timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from scheduling.domain.schedule import Day as Weekday
from scheduling.domain.schedule import Hours, WeeklyRule
from scheduling.entrypoints.http.shapes import Day, Shape, Whole, Words

MAX_CAPACITY = 10_000
_A_DAY = timedelta(days=1)
_HOUR = r"([01][0-9]|2[0-3]):[0-5][0-9]"

Start = Annotated[str, Field(pattern=f"^{_HOUR}$", examples=["09:00"])]
End = Annotated[
    str,
    Field(
        pattern=f"^({_HOUR}|24:00)$",
        examples=["17:00"],
        description="At or before the start: the next day. 24:00: the end of the day",
    ),
]
Capacity = Annotated[Whole, Field(ge=1, le=MAX_CAPACITY)]


def _each_once(days: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
    if len(set(days)) < len(days):
        raise ValueError("must not name a day twice")
    return days


class HoursBody(Shape):
    """Wall-clock hours, cut into slots."""

    start_time: Start
    end_time: End
    slot_minutes: Annotated[Whole, Field(ge=5, le=1440)]
    capacity: Capacity = 1
    service_types: Words = ()

    @model_validator(mode="after")
    def _makes_slots(self) -> Self:
        if timedelta(minutes=self.slot_minutes) > _length(self.to_hours()):
            raise ValueError("slotMinutes must fit between startTime and endTime")
        return self

    def to_hours(self) -> Hours:
        return Hours(
            start=time.fromisoformat(self.start_time),
            end=time()
            if self.end_time == "24:00"
            else time.fromisoformat(self.end_time),
            slot_minutes=self.slot_minutes,
            capacity=self.capacity,
            service_types=self.service_types,
        )


class WindowBody(HoursBody):
    """Wall-clock hours on some days of the week, cut into slots."""

    days_of_week: Annotated[
        tuple[Weekday, ...],
        Field(min_length=1, max_length=7, json_schema_extra={"uniqueItems": True}),
        AfterValidator(_each_once),
    ]
    valid_from: Day | None = None
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _holds_on_a_day(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("validTo must not be before validFrom")
        return self

    def to_rule(self) -> WeeklyRule:
        hours = self.to_hours()
        return WeeklyRule(
            days=self.days_of_week,
            start=hours.start,
            end=hours.end,
            slot_minutes=hours.slot_minutes,
            capacity=hours.capacity,
            service_types=hours.service_types,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
        )


Windows = Annotated[tuple[WindowBody, ...], Field(max_length=100)]


HoursOfADay = Annotated[tuple[HoursBody, ...], Field(max_length=100)]


class HoursView(Shape):
    start_time: str
    end_time: str
    slot_minutes: int
    capacity: int
    service_types: list[str]


class WindowView(HoursView):
    days_of_week: list[Weekday]
    valid_from: date | None
    valid_to: date | None


def hours_view(hours: Hours) -> dict[str, Any]:
    return {
        "startTime": hours.start.isoformat("minutes"),
        "endTime": hours.end.isoformat("minutes") if hours.end != time() else "24:00",
        "slotMinutes": hours.slot_minutes,
        "capacity": hours.capacity,
        "serviceTypes": hours.service_types,
    }


def window_view(rule: WeeklyRule) -> dict[str, Any]:
    return {
        "daysOfWeek": rule.days,
        **hours_view(rule),
        "validFrom": rule.valid_from,
        "validTo": rule.valid_to,
    }


def _length(hours: Hours) -> timedelta:
    start = timedelta(hours=hours.start.hour, minutes=hours.start.minute)
    end = timedelta(hours=hours.end.hour, minutes=hours.end.minute)
    return end - start if end > start else end + _A_DAY - start

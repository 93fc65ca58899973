"""Stretches of time: half-open, aware, in UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from scheduling.domain.errors import InvalidPeriod
from scheduling.domain.wall_clock import first_instant


@dataclass(frozen=True, slots=True)
class Period:
    """`[start, end)`, both aware instants, start before end."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise InvalidPeriod("an instant has an offset")
        if self.end <= self.start:
            raise InvalidPeriod("a period ends after it starts")

    @classmethod
    def of(cls, start: datetime, length: timedelta) -> Self:
        return cls(start, start + length)

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def overlaps(self, other: Self) -> bool:
        return self.start < other.end and other.start < self.end

    def in_utc(self) -> Self:
        return type(self)(self.start.astimezone(UTC), self.end.astimezone(UTC))


def local_day(instant: datetime, timezone: str) -> date:
    """Return the calendar day of an instant on a clinic's wall."""
    return instant.astimezone(ZoneInfo(timezone)).date()


def day_in(timezone: str, day: date, days: int = 1) -> Period:
    """Return the instants of `days` local days: 23, 24 or 25 hours each.

    Midnight may not exist (Cairo, Havana, Beirut, Santiago): a day then starts at the
    first instant that carries its date. Of two midnights the first is the start.
    """
    return Period(
        first_instant(timezone, day), first_instant(timezone, day + timedelta(days))
    )

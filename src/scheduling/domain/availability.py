"""The one answer to "can this time be had?", for search, booking and all that follow.

What search shows is what booking accepts because both ask here.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from scheduling.domain.claim import Clashes
from scheduling.domain.errors import (
    BookingLimitReached,
    BufferTimeConflict,
    DoubleBookingDetected,
    NotBookable,
    OutsideBookingWindow,
    SlotNotAvailable,
)
from scheduling.domain.period import day_in, local_day
from scheduling.domain.settings import Limits, Settings


@dataclass(frozen=True, slots=True)
class BookingWindow:
    """When a bookable start lies: after now, `notice` ahead, before `closes`."""

    now: datetime
    opens: datetime
    closes: datetime

    @classmethod
    def of(cls, settings: Settings, *, now: datetime, timezone: str) -> Self:
        """The horizon counts local days; the last of them is inclusive."""
        last = local_day(now, timezone) + timedelta(days=settings.horizon_days)
        return cls(
            now=now,
            opens=now + settings.minimum_notice,
            closes=day_in(timezone, last).end,
        )

    def admits(self, start: datetime) -> bool:
        return self.now < start and self.opens <= start < self.closes


@dataclass(frozen=True, slots=True)
class Assignment:
    """One role of a practitioner at a location; both dates inclusive."""

    active: bool
    start: date | None = None
    end: date | None = None

    def covers(self, day: date) -> bool:
        return (
            self.active
            and (self.start is None or self.start <= day)
            and (self.end is None or day <= self.end)
        )


def works_there(
    assignments: Iterable[Assignment], day: date, *, has_schedule: bool = True
) -> bool:
    """Roles say where a practitioner works; where there is no role at all, the schedule
    that staff made is the assignment.
    """
    roles = tuple(assignments)
    if roles:
        return any(role.covers(day) for role in roles)
    return has_schedule


@dataclass(frozen=True, slots=True)
class Taken:
    """A practitioner's appointments, counted by local day and local week (Monday to
    Sunday).
    """

    days: Counter[date]
    weeks: Counter[date]

    @classmethod
    def of(cls, starts: Iterable[datetime], timezone: str) -> Self:
        days = Counter(local_day(start, timezone) for start in starts)
        weeks: Counter[date] = Counter()
        for day, count in days.items():
            weeks[monday_of(day)] += count
        return cls(days, weeks)

    def reaches(self, limits: Limits, day: date) -> bool:
        a_day, a_week = limits.per_practitioner_day, limits.per_practitioner_week
        return (a_day is not None and self.days[day] >= a_day) or (
            a_week is not None and self.weeks[monday_of(day)] >= a_week
        )


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


NO_CLASHES = Clashes()


def why_not_offered(
    start: datetime,
    *,
    window: BookingWindow | None,
    has_seat: bool,
    clashes: Clashes = NO_CLASHES,
    limit_reached: bool = False,
) -> NotBookable | None:
    """Return the first reason, in the order of the rules, or None: it can be had.

    Without a window the visit is one of the past that is taken over from elsewhere.
    """
    if window is not None and not window.admits(start):
        return OutsideBookingWindow(
            f"{start.isoformat()} is past, too soon or too far ahead."
        )
    if not has_seat:
        return SlotNotAvailable(f"There is no free seat at {start.isoformat()}.")
    if clashes.overlapping:
        return DoubleBookingDetected(
            f"Somebody or something is taken at {start.isoformat()}.",
            clashes.overlapping,
        )
    if clashes.buffering:
        return BufferTimeConflict(
            f"Only the buffer is in the way at {start.isoformat()}.",
            clashes.buffering,
        )
    if limit_reached:
        return BookingLimitReached(
            f"The practitioner takes no more appointments around {start.isoformat()}."
        )
    return None

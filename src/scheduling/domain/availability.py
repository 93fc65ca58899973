"""The one answer to "can this time be had?", for search, booking and all that follow.

What search shows is what booking accepts because both ask here.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
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
    PractitionerNotAssigned,
    PractitionerNotAvailable,
    SlotNotAvailable,
)
from scheduling.domain.period import Period, day_in, local_day
from scheduling.domain.settings import (
    NO_RULES_OF_ITS_OWN,
    CalendarLimits,
    CalendarRules,
    Limits,
    Settings,
)


@dataclass(frozen=True, slots=True)
class BookingWindow:
    """When a bookable start lies: after now, `notice` ahead, before `closes`."""

    now: datetime
    opens: datetime
    closes: datetime

    @classmethod
    def of(
        cls,
        settings: Settings,
        rules: CalendarRules = NO_RULES_OF_ITS_OWN,
        *,
        now: datetime,
        timezone: str,
    ) -> Self:
        """The horizon counts local days; the last of them is inclusive."""
        horizon, notice = rules.horizon_days, rules.minimum_notice_minutes
        days = settings.horizon_days if horizon is None else horizon
        last = local_day(now, timezone) + timedelta(days=days)
        ahead = settings.minimum_notice if notice is None else timedelta(minutes=notice)
        return cls(now=now, opens=now + ahead, closes=day_in(timezone, last).end)

    def admits(self, start: datetime) -> bool:
        return self.now < start and self.opens <= start < self.closes


@dataclass(frozen=True, slots=True)
class Assignment:
    """One role of a practitioner at a location; both dates inclusive. `away` are the
    periods at which the role is not to be had.
    """

    active: bool
    start: date | None = None
    end: date | None = None
    away: tuple[Period, ...] = ()

    def covers(self, day: date) -> bool:
        return (
            self.active
            and (self.start is None or self.start <= day)
            and (self.end is None or day <= self.end)
        )

    def is_away(self, period: Period) -> bool:
        return any(away.overlaps(period) for away in self.away)


def why_not_there(
    assignments: Iterable[Assignment],
    period: Period,
    timezone: str,
    *,
    has_schedule: bool = True,
) -> PractitionerNotAssigned | PractitionerNotAvailable | None:
    """Roles say where a practitioner works; where there is no role at all, the schedule
    that staff made is the assignment.
    """
    roles = tuple(assignments)
    if not roles:
        return (
            None if has_schedule else _not_assigned(local_day(period.start, timezone))
        )
    day = local_day(period.start, timezone)
    covering = [role for role in roles if role.covers(day)]
    if not covering:
        return _not_assigned(day)
    if all(role.is_away(period) for role in covering):
        return PractitionerNotAvailable(
            f"The practitioner is away at {period.start.isoformat()}."
        )
    return None


def _not_assigned(day: date) -> PractitionerNotAssigned:
    return PractitionerNotAssigned(
        f"The practitioner does not work at that location on {day}."
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """Appointments, counted by local day and local week (Monday to Sunday)."""

    days: Counter[date]
    weeks: Counter[date]

    @classmethod
    def of(cls, starts: Iterable[datetime], timezone: str) -> Self:
        days = Counter(local_day(start, timezone) for start in starts)
        weeks: Counter[date] = Counter()
        for day, count in days.items():
            weeks[monday_of(day)] += count
        return cls(days, weeks)

    def reaches(self, limits: Limits | CalendarLimits, day: date) -> bool:
        a_day, a_week = (
            (limits.per_practitioner_day, limits.per_practitioner_week)
            if isinstance(limits, Limits)
            else (limits.per_day, limits.per_week)
        )
        return (a_day is not None and self.days[day] >= a_day) or (
            a_week is not None and self.weeks[monday_of(day)] >= a_week
        )


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


NO_CLASHES = Clashes()


def reasons_against(
    start: datetime,
    *,
    window: BookingWindow | None,
    has_seat: bool,
    clashes: Clashes = NO_CLASHES,
    limit_reached: bool = False,
    there: NotBookable | None = None,
) -> Iterator[NotBookable]:
    """Yield all that is in the way, in the order of the rules.

    Without a window the time is one that began already, or is taken over from
    elsewhere. `there` is what `why_not_there` said.
    """
    if there is not None:
        yield there
    if window is not None and not window.admits(start):
        yield OutsideBookingWindow(
            f"{start.isoformat()} is past, too soon or too far ahead."
        )
    if not has_seat:
        yield SlotNotAvailable(f"There is no free seat at {start.isoformat()}.")
    if clashes.overlapping:
        yield DoubleBookingDetected(
            f"Somebody or something is taken at {start.isoformat()}.",
            clashes.overlapping,
        )
    if clashes.buffering:
        yield BufferTimeConflict(
            f"Only the buffer is in the way at {start.isoformat()}.",
            clashes.buffering,
        )
    if limit_reached:
        yield BookingLimitReached(
            f"No more appointments are taken around {start.isoformat()}."
        )


def why_not_offered(
    start: datetime,
    *,
    window: BookingWindow | None,
    has_seat: bool,
    clashes: Clashes = NO_CLASHES,
    limit_reached: bool = False,
    there: NotBookable | None = None,
) -> NotBookable | None:
    """Return the first of `reasons_against`, or None: it can be had."""
    return next(
        reasons_against(
            start,
            window=window,
            has_seat=has_seat,
            clashes=clashes,
            limit_reached=limit_reached,
            there=there,
        ),
        None,
    )

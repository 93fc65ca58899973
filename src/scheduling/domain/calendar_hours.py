"""Whether a calendar has hours at a time at which it has no slot."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from scheduling.domain.availability import Assignment, why_not_there
from scheduling.domain.errors import PractitionerNotAssigned, PractitionerNotAvailable
from scheduling.domain.identifiers import ScheduleId
from scheduling.domain.pattern import Pattern, Window
from scheduling.domain.period import Period, local_day
from scheduling.domain.schedule import Hours, WeeklyRule
from scheduling.domain.schedule_exception import Deviation, ExceptionKind
from scheduling.domain.settings import CalendarRules
from scheduling.domain.wall_clock import first_instant

_DAY = timedelta(days=1)


class Look(NamedTuple):
    """What a calendar has at a piece of time. `is_open`: the hours that its rules and
    exceptions leave it; `is_closed`: an exception, or an absence, takes it away.
    """

    is_open: bool
    is_closed: bool
    works_that_day: bool
    is_assigned: bool


@dataclass(frozen=True, kw_only=True)
class CalendarHours:
    """A schedule's rules and what differs from them, and the practitioner's roles at
    its location.
    """

    schedule_id: ScheduleId
    location_active: bool
    assignments: tuple[Assignment, ...]
    timezone: str
    rules: CalendarRules
    weekly: tuple[WeeklyRule, ...]
    deviations: tuple[Deviation, ...] = ()

    @cached_property
    def _plain(self) -> Pattern:
        return Pattern(rules=self.weekly, timezone=self.timezone)

    @cached_property
    def _real(self) -> Pattern:
        return Pattern(
            rules=self.weekly, timezone=self.timezone, deviations=self.deviations
        )

    @cached_property
    def _of_day(self) -> dict[date, tuple[tuple[Window, ...], tuple[Window, ...]]]:
        return {}

    def changes_within(self, period: Period) -> Iterator[datetime]:
        """Yield the instants at which something may change, some outside of it too."""
        for day in self._days_of(period):
            yield first_instant(self.timezone, day)
            for windows in self._windows(day):
                for window in windows:
                    yield window.period.start
                    yield window.period.end
        for deviation in self.deviations:
            yield deviation.period.start
            yield deviation.period.end
        for assignment in self.assignments:
            for away in assignment.away:
                yield away.start
                yield away.end

    def look_at(self, piece: Period, service_type: str | None) -> Look:
        """`piece` has none of those changes inside."""
        day = local_day(piece.start, self.timezone)
        by_rule, really = self._around(day, service_type)
        is_open = any(window.period.overlaps(piece) for window in really)
        by_rule_open = any(window.period.overlaps(piece) for window in by_rule)
        works = (
            is_open
            or by_rule_open
            or any(window.day == day for window in (*by_rule, *really))
        )
        there = why_not_there(self.assignments, piece, self.timezone)
        away = isinstance(there, PractitionerNotAvailable)
        closed = any(
            self._closes(deviation, piece, day, service_type)
            for deviation in self.deviations
        )
        is_closed = (
            closed
            or (by_rule_open and not is_open)
            or (away and (is_open or by_rule_open))
        )
        return Look(
            is_open=is_open and not is_closed,
            is_closed=is_closed,
            works_that_day=works or is_closed,
            is_assigned=not isinstance(there, PractitionerNotAssigned),
        )

    def _closes(
        self, one: Deviation, piece: Period, day: date, service_type: str | None
    ) -> bool:
        """Closed time that is meant for some services only closes nothing for others,
        nor for who names none.
        """
        if one.kind is ExceptionKind.EXTRA:
            return False
        if one.kind is ExceptionKind.REPLACE:
            return one.on_date == day and not self._real.windows_on(day)
        for_it = () if service_type is None else (service_type,)
        if one.service_types and one.spares(for_it):
            return False
        if one.on_date is not None:
            return one.on_date == day
        return one.period.overlaps(piece)

    def _around(
        self, day: date, service_type: str | None
    ) -> tuple[list[Window], list[Window]]:
        """Return the windows by the rules and the real ones that may reach a day:
        yesterday's may last into it.
        """
        by_rule: list[Window] = []
        really: list[Window] = []
        for one in (day - _DAY, day):
            for windows, of_day in zip(
                (by_rule, really), self._windows(one), strict=True
            ):
                windows += [w for w in of_day if _serves(w.hours, service_type)]
        return by_rule, really

    def _windows(self, day: date) -> tuple[tuple[Window, ...], tuple[Window, ...]]:
        known = self._of_day.get(day)
        if known is None:
            known = (self._plain.windows_on(day), self._real.windows_on(day))
            self._of_day[day] = known
        return known

    def _days_of(self, period: Period) -> Iterator[date]:
        """Yield the local days of the period, with the one before."""
        day = local_day(period.start, self.timezone) - _DAY
        last = local_day(period.end, self.timezone)
        while day <= last:
            yield day
            day += _DAY


def _serves(hours: Hours, service_type: str | None) -> bool:
    return (
        service_type is None
        or not hours.service_types
        or service_type in hours.service_types
    )

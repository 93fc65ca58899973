"""From weekly rules and exceptions to the slots that they want, without a clock.

Each day's hours are read off the wall of the schedule's zone and cut from their start
into slots of elapsed minutes; the last one ends at or before the hours do. A window
belongs to the day on which it starts, wherever it ends.

Windows may overlap, of one day or of two. They are laid one after the other, so that
what was there first keeps its grid: those of the rules by start and then in the order
of the rules, then those of each exception in the order in which they were said.

- a slot of exactly the same time is one slot, with the larger capacity and the service
  types of both (who names none serves any, and so does the slot);
- a slot that overlaps one laid before, and is not the same, is left out.

So the slots are strictly increasing, and none overlaps another.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from scheduling.domain.period import Period
from scheduling.domain.schedule import Hours, WeeklyRule
from scheduling.domain.schedule_exception import Deviation, ExceptionKind
from scheduling.domain.wall_clock import hours_on

_DAY = timedelta(days=1)
# Only yesterday's windows reach into today, for none is longer than a day; and what
# yesterday's have laid may have had to give way to those of the day before.
_LEAD_IN = 2 * _DAY


class PatternSlot(NamedTuple):
    """A stretch that can be booked as far as the rules go; a tuple, for a year has
    thousands. `day` is the local one that its window belongs to.
    """

    start: datetime
    end: datetime
    capacity: int
    service_types: tuple[str, ...]
    day: date

    @property
    def period(self) -> Period:
        return Period(self.start, self.end)


class Stretch(NamedTuple):
    """So many slots alike, each of which begins where the one before it ends: what is
    cut from one window. Whoever needs no single slots works with these.
    """

    start: datetime
    length: timedelta
    number: int
    capacity: int
    service_types: tuple[str, ...]
    day: date

    @property
    def end(self) -> datetime:
        return self.start + self.number * self.length

    def slots(self) -> Iterator[PatternSlot]:
        start, length, number, capacity, service_types, day = self
        for _ in range(number):
            end = start + length
            yield PatternSlot(start, end, capacity, service_types, day)
            start = end

    def part(self, first: int, after: int) -> Iterator[Self]:
        """Yield the slots from one number to before another; nothing of none."""
        first, after = max(first, 0), min(after, self.number)
        if first == 0 and after == self.number:
            yield self
        elif first < after:
            start = self.start + first * self.length
            yield self._replace(start=start, number=after - first)

    def before(self, instant: datetime) -> Iterator[Self]:
        """Yield what starts before an instant."""
        return self.part(0, -((self.start - instant) // self.length))

    def since(self, instant: datetime) -> Iterator[Self]:
        """Yield what starts at an instant or later."""
        return self.part(-((self.start - instant) // self.length), self.number)

    def without(self, start: datetime, end: datetime) -> Iterator[Self]:
        """Yield what does not overlap that time."""
        yield from self.part(0, (start - self.start) // self.length)
        yield from self.since(end)


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of one local day as instants, and how they are cut. `said` is 0 for those
    of rules, and the number of the exception for its own.
    """

    day: date
    period: Period
    hours: Hours
    said: int = 0

    @property
    def count(self) -> int:
        """How many slots are cut from it."""
        return self.period.length // timedelta(minutes=self.hours.slot_minutes)


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """The weekly rules of one schedule, in its zone, and what differs from them in the
    order in which it was said.
    """

    rules: tuple[WeeklyRule, ...]
    timezone: str
    deviations: tuple[Deviation, ...] = ()

    def windows_on(self, day: date) -> tuple[Window, ...]:
        """Return the hours that belong to a local day, by start; none where it is
        closed. Time that is closed exactly is not cut out of them.
        """
        windows = [
            window
            for said, hours in self._hours_on(day)
            for window in windows_of(day, hours, self.timezone, said=said)
        ]
        windows.sort(key=_start_of_window)
        return tuple(windows)

    def slots(self, first: date, last: date) -> list[PatternSlot]:
        """Return the slots of windows that belong to these local days, both inclusive,
        by start. Days asked for one by one give the same slots as all at once.
        """
        return [slot for one in self.stretches(first, last) for slot in one.slots()]

    def stretches(self, first: date, last: date) -> list[Stretch]:
        """Return the same slots, those of one window together."""
        windows = list(self._windows(first - _LEAD_IN, last + _DAY))
        found = [
            stretch
            for those in _that_meet(windows)
            for stretch in _stretches_of(those)
            if first <= stretch.day <= last
        ]
        for deviation in self.deviations:
            if deviation.on_date is None:
                _close(found, deviation)
        return found

    def count(self, first: date, last: date) -> int:
        """Return how many slots are cut for these days before they are merged, which is
        what it costs to lay them.
        """
        return sum(window.count for window in self._windows(first, last))

    def _windows(self, first: date, last: date) -> Iterator[Window]:
        day = first
        while day <= last:
            yield from self.windows_on(day)
            day += _DAY

    def _hours_on(self, day: date) -> list[tuple[int, Sequence[Hours]]]:
        """Return the hours of rules, or what replaces them, and of each exception."""
        hours: list[tuple[int, Sequence[Hours]]] = [
            (0, [rule for rule in self.rules if rule.holds_on(day)])
        ]
        said = self._by_date.get(day, ())
        for number, one in said:
            if one.kind is ExceptionKind.REPLACE:
                hours = [(number, one.windows)]
        for number, one in said:
            if one.kind is ExceptionKind.EXTRA:
                hours.append((number, one.windows))
        for _, closed in said:
            if closed.kind is ExceptionKind.CLOSED:
                hours = [
                    (number, [one for one in some if closed.spares(one.service_types)])
                    for number, some in hours
                ]
        return hours

    @cached_property
    def _by_date(self) -> dict[date, list[tuple[int, Deviation]]]:
        said: dict[date, list[tuple[int, Deviation]]] = {}
        for number, one in enumerate(self.deviations, start=1):
            if one.on_date is not None:
                said.setdefault(one.on_date, []).append((number, one))
        return said


def windows_of(
    day: date, hours: Iterable[Hours], timezone: str, *, said: int = 0
) -> list[Window]:
    """Read hours off the wall on a local day."""
    zone = ZoneInfo(timezone)
    return [
        Window(day, Period(*there), one, said)
        for one in hours
        if (there := hours_on(day, one.start, one.end, zone)) is not None
    ]


_start_of_window = attrgetter("period.start")
_place_of_window = attrgetter("said", "period.start")


def laid(windows: Iterable[Window]) -> list[PatternSlot]:
    """Cut windows into slots and merge them, as this module's head says."""
    slots: list[PatternSlot] = []
    for window in sorted(windows, key=_place_of_window):
        cut = _cut(window)
        if not slots or slots[-1].end <= window.period.start:
            slots += cut
        else:
            _merge(slots, cut)
    return slots


def _that_meet(windows: Iterable[Window]) -> Iterator[list[Window]]:
    """Yield windows by start, together with those whose slots may concern theirs."""
    those: list[Window] = []
    until: datetime | None = None
    for window in sorted(windows, key=_start_of_window):
        if until is not None and window.period.start >= until:
            yield those
            those, until = [], None
        those.append(window)
        until = max(until or window.period.end, window.period.end)
    if those:
        yield those


def _stretches_of(windows: list[Window]) -> Iterator[Stretch]:
    if len(windows) > 1:
        for start, end, capacity, service_types, day in laid(windows):
            yield Stretch(start, end - start, 1, capacity, service_types, day)
        return
    (window,) = windows
    hours, number = window.hours, window.count
    if number:
        yield Stretch(
            window.period.start,
            timedelta(minutes=hours.slot_minutes),
            number,
            hours.capacity,
            hours.service_types,
            window.day,
        )


def _cut(window: Window) -> Iterator[PatternSlot]:
    hours, day = window.hours, window.day
    length = timedelta(minutes=hours.slot_minutes)
    capacity, service_types = hours.capacity, hours.service_types
    start, closes = window.period.start, window.period.end
    end = start + length
    while end <= closes:
        yield PatternSlot(start, end, capacity, service_types, day)
        start, end = end, end + length


def _merge(slots: list[PatternSlot], more: Iterable[PatternSlot]) -> None:
    """Put slots among others that neither overlap nor lie out of order."""
    for new in more:
        at = bisect_left(slots, new.start, key=_start)
        if at > 0 and slots[at - 1].end > new.start:
            continue
        if at == len(slots) or new.end <= slots[at].start:
            slots.insert(at, new)
        elif (there := slots[at]).start == new.start and there.end == new.end:
            slots[at] = there._replace(
                capacity=max(there.capacity, new.capacity),
                service_types=_of_both(there.service_types, new.service_types),
            )


_start, _end = attrgetter("start"), attrgetter("end")


def _of_both(some: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """None named means any, and any of both is any."""
    return tuple(dict.fromkeys((*some, *others))) if some and others else ()


def _close(stretches: list[Stretch], closed: Deviation) -> None:
    """Take out what an exact period overlaps, but for what it spares."""
    start, end = closed.period.start, closed.period.end
    first = bisect_right(stretches, start, key=_end)
    after = bisect_left(stretches, end, key=_start)
    stretches[first:after] = [
        rest
        for stretch in stretches[first:after]
        for rest in (
            [stretch]
            if closed.spares(stretch.service_types)
            else stretch.without(start, end)
        )
    ]

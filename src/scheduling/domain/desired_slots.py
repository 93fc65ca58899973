"""Which slots a calendar is to have: its rules, and all that keeps them from holding.

The days are the local ones from today to the horizon's last, and yesterday's hours
where they reach into today; the starts lie after now and inside the horizon, as a
booking's do. Days on which the location is closed have no hours by rule; what
exceptions say of them counts all the same. A role that is not active wants nothing, one
with a period what lies in it, and nothing at times at which it is not available.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from hashlib import sha256
from struct import Struct
from typing import NamedTuple, Self

from scheduling.domain.availability import BookingWindow
from scheduling.domain.identifiers import ScheduleExceptionId
from scheduling.domain.pattern import (
    Pattern,
    PatternSlot,
    Stretch,
    laid,
    windows_of,
)
from scheduling.domain.period import Period, day_in, local_day
from scheduling.domain.schedule import Hours, PractitionerRole, Schedule
from scheduling.domain.schedule_exception import (
    Deviation,
    ExceptionKind,
    ScheduleException,
)
from scheduling.domain.settings import Settings
from scheduling.domain.wall_clock import first_instant

_DAY = timedelta(days=1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_packed = Struct(">qqi").pack
# Yesterday's hours may reach into today, and what they have laid may have had to give
# way to those of two days before.
_LEAD_IN = 3 * _DAY

Span = tuple[datetime, datetime]


class DesiredSlot(NamedTuple):
    """`opened_by`: only this exception wants it, not the rules."""

    start: datetime
    end: datetime
    capacity: int
    service_types: tuple[str, ...]
    opened_by: ScheduleExceptionId | None = None


class DesiredStretch(NamedTuple):
    """So many desired slots alike, one after the other: a year of slots is some
    hundreds of these.
    """

    start: datetime
    length: timedelta
    number: int
    capacity: int
    service_types: tuple[str, ...]
    opened_by: ScheduleExceptionId | None = None

    @classmethod
    def of_one(cls, slot: DesiredSlot) -> Self:
        start, end, capacity, service_types, by = slot
        return cls(start, end - start, 1, capacity, service_types, by)

    @property
    def end(self) -> datetime:
        return self.start + self.number * self.length

    def slots(self) -> Iterator[DesiredSlot]:
        start, length, number, capacity, service_types, by = self
        for _ in range(number):
            end = start + length
            yield DesiredSlot(start, end, capacity, service_types, by)
            start = end


class Part(NamedTuple):
    """The slots that start in a stretch of time, by start; none reaches over its end.
    Without an end it is all the time that comes after.
    """

    since: datetime
    until: datetime | None
    stretches: Sequence[DesiredStretch]

    @property
    def slots(self) -> list[DesiredSlot]:
        return [slot for stretch in self.stretches for slot in stretch.slots()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """Both days are local and inclusive; starts lie after `now` and before `closes`."""

    now: datetime
    closes: datetime
    first_day: date
    last_day: date

    @classmethod
    def of(cls, schedule: Schedule, settings: Settings, now: datetime) -> Self:
        timezone = schedule.timezone
        window = BookingWindow.of(settings, schedule.rules, now=now, timezone=timezone)
        return cls(
            now=now,
            closes=window.closes,
            first_day=local_day(now, timezone),
            last_day=local_day(window.closes - timedelta.resolution, timezone),
        )

    @property
    def days_that_matter(self) -> tuple[date, date]:
        """The first and the last one that may have a say in it."""
        return self.first_day - _LEAD_IN, self.last_day + _DAY

    @property
    def around(self) -> Period:
        """When exceptions are that may have a say in it."""
        return Period(self.now - 5 * _DAY, self.closes + 5 * _DAY)


@dataclass(frozen=True, kw_only=True)
class DesiredSlots:
    """`exceptions` are those `around` the horizon, in the order in which they were
    said. Days are laid when they are asked for, and kept by nobody: a year of them need
    not be there at once.
    """

    schedule: Schedule
    role: PractitionerRole | None
    closed_days: Collection[date]
    exceptions: tuple[ScheduleException, ...]
    horizon: Horizon

    def parts(self, days: int) -> Iterator[Part]:
        """Yield all time from now on, so many local days at once; the last part is what
        comes after the horizon.
        """
        since, over = self.horizon.now + timedelta.resolution, list[Stretch]()
        first, last = self.horizon.first_day - _DAY, self.horizon.last_day
        while first <= last:
            until_day = min(first + (days - 1) * _DAY, last)
            midnight = first_instant(self.schedule.timezone, until_day + _DAY)
            there = sorted([*over, *self._of_days(first, until_day)])
            due, over = list[Stretch](), []
            for stretch in there:
                if stretch.end <= midnight:
                    due.append(stretch)
                else:
                    due += stretch.before(midnight)
                    over += stretch.since(midnight)
            until = max(midnight, due[-1].end) if due else midnight
            if until > since:
                yield Part(since, until, list(self._desired(due)))
                since = until
            first = until_day + _DAY
        yield Part(since, None, ())

    def most_on_a_day(self) -> int:
        """Return how many slots the rules can want of one day."""
        rules = self.schedule.availability if self._wants_any else ()
        return sum(_cut_from(rule) for rule in rules)

    def would_want(self, period: Period) -> bool:
        """Whether the rules or an exception want a slot of just this time, if no other
        exception were in its way.
        """
        span = (period.start, period.end)
        day = local_day(period.start, self.schedule.timezone)
        found = [
            Stretch(slot.start, slot.end - slot.start, 1, 1, (), slot.day)
            for near in (day, day - _DAY)
            for slot in (self._ruled_on(near).get(span), self._said(near, span))
            if slot is not None
        ]
        return bool(self._admitted(found))

    @property
    def _wants_any(self) -> bool:
        return self.role is None or (self.role.active and not self.role.is_deleted)

    def _of_days(self, first: date, last: date) -> Iterator[Stretch]:
        after_now = self.horizon.now + timedelta.resolution
        closes = self.horizon.closes
        for stretch in self._admitted(self._pattern.stretches(first, last)):
            if after_now <= stretch.start and stretch.end <= closes:
                yield stretch
                continue
            for rest in stretch.since(after_now):
                yield from rest.before(closes)

    def _desired(self, stretches: Iterable[Stretch]) -> Iterator[DesiredStretch]:
        for stretch in stretches:
            if stretch.day not in self._dates_with_windows:
                start, length, number, capacity, service_types, _ = stretch
                yield DesiredStretch(start, length, number, capacity, service_types)
                continue
            for slot in stretch.slots():
                by = self._opener(slot)
                start, end, capacity, service_types, _ = slot
                yield DesiredStretch(start, end - start, 1, capacity, service_types, by)

    def _admitted(self, stretches: list[Stretch]) -> list[Stretch]:
        """Return what the role's period and absences leave."""
        role = self.role
        if role is None:
            return stretches
        if not self._wants_any:
            return []
        if role.period_start is not None:
            stretches = [one for one in stretches if one.day >= role.period_start]
        if role.period_end is not None:
            ends = day_in(self.schedule.timezone, role.period_end).end
            stretches = [rest for one in stretches for rest in one.before(ends)]
        for away in role.not_available:
            start, end = away.period.start, away.period.end
            stretches = [rest for one in stretches for rest in one.without(start, end)]
        return stretches

    def _opener(self, slot: PatternSlot) -> ScheduleExceptionId | None:
        span = (slot.start, slot.end)
        if span in self._ruled_on(slot.day):
            return None
        found = self._said_on(slot.day).get(span)
        return None if found is None else found[1]

    def _said(self, day: date, span: Span) -> PatternSlot | None:
        found = self._said_on(day).get(span)
        return None if found is None else found[0]

    @cached_property
    def _closed(self) -> tuple[Deviation, ...]:
        """Said before all exceptions, which therefore count on such days, too."""
        timezone = self.schedule.timezone
        return tuple(
            Deviation(
                kind=ExceptionKind.REPLACE, on_date=day, period=day_in(timezone, day)
            )
            for day in sorted(self.closed_days)
            if first_instant(timezone, day) < first_instant(timezone, day + _DAY)
        )

    @cached_property
    def _pattern(self) -> Pattern:
        return Pattern(
            rules=self.schedule.availability,
            timezone=self.schedule.timezone,
            deviations=(*self._closed, *self.exceptions),
        )

    @cached_property
    def _ruled_on(self) -> Callable[[date], Mapping[Span, PatternSlot]]:
        by_rule = Pattern(
            rules=self.schedule.availability,
            timezone=self.schedule.timezone,
            deviations=self._closed,
        )
        return cache(lambda day: {(s.start, s.end): s for s in by_rule.slots(day, day)})

    @cached_property
    def _dates_with_windows(self) -> Mapping[date, Sequence[ScheduleException]]:
        said: dict[date, list[ScheduleException]] = {}
        for one in self.exceptions:
            if one.on_date is not None and one.windows:
                said.setdefault(one.on_date, []).append(one)
        return said

    @cached_property
    def _said_on(
        self,
    ) -> Callable[[date], Mapping[Span, tuple[PatternSlot, ScheduleExceptionId]]]:
        """What the windows of a date's exceptions hold, whether or not it stands."""
        zone = self.schedule.timezone

        def said_on(
            day: date,
        ) -> Mapping[Span, tuple[PatternSlot, ScheduleExceptionId]]:
            return {
                (slot.start, slot.end): (slot, one.id)
                for one in self._dates_with_windows.get(day, ())
                for slot in laid(windows_of(day, one.windows, zone))
            }

        return cache(said_on)


def digest_of(timezone: str, parts: Iterable[Part]) -> str:
    """Return what two calendars share that want the same; storage can say it of the
    slots that it has.

    The SHA-256 of the zone and a new line, and then of each slot by start: its start
    and its end in microseconds since 2000, eight bytes each, the capacity in four, high
    bytes first, and the service types with U+001F between them and a new line.
    """
    told = sha256(f"{timezone}\n".encode())
    for part in parts:
        told.update(b"".join(map(_bytes_of, part.stretches)))
    return told.hexdigest()


def _bytes_of(stretch: DesiredStretch) -> bytes:
    kinds = "\x1f".join(stretch.service_types).encode() + b"\n"
    step = stretch.length // timedelta.resolution
    first = (stretch.start - _EPOCH) // timedelta.resolution
    starts = range(first, first + stretch.number * step, step)
    capacity = stretch.capacity
    return b"".join([_packed(at, at + step, capacity) + kinds for at in starts])


def _cut_from(hours: Hours) -> int:
    start, end = (
        timedelta(hours=at.hour, minutes=at.minute) for at in (hours.start, hours.end)
    )
    return ((end - start) % _DAY or _DAY) // timedelta(minutes=hours.slot_minutes)

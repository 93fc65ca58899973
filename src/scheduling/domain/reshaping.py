"""What exceptions make of the slots that a schedule has already.

A schedule's slots are stored, so an exception that is added or removed has to be
carried out on them: what it closes is blocked, what it opens is made, and when it is
gone all that is undone as far as no other exception wants it too. Everything follows
from the rules, the exceptions that stand and the slots that are there: nobody has to
remember what was done, and doing it twice does nothing the second time.

Slots that only the weekly rules want are not made here: that is their generation's
work, which asks `Pattern` with the same exceptions. Slots that staff made are closed
and opened with the rest and never removed; what staff blocked stays blocked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache, cached_property

from scheduling.domain.changes import Changes
from scheduling.domain.identifiers import ScheduleExceptionId
from scheduling.domain.pattern import Pattern, PatternSlot, laid, windows_of
from scheduling.domain.period import Period, day_in, local_day
from scheduling.domain.schedule import Schedule
from scheduling.domain.schedule_exception import ExceptionKind, ScheduleException
from scheduling.domain.slot import LONGEST_SLOT, Slot, SlotStatus

_DAY = timedelta(days=1)

Span = tuple[datetime, datetime]


@dataclass(slots=True)
class Reshaping:
    """Next versions with their news, and what became of the slots.

    `blocked`, `opened` and `moved_on` (blocked still, by another exception) were there
    before, `made` were not, `retired` go. `stranded` should go but are booked: they are
    blocked. `closed` are the slots that each exception closes, alone or with others.
    """

    blocked: list[Slot] = field(default_factory=list)
    opened: list[Slot] = field(default_factory=list)
    moved_on: list[Slot] = field(default_factory=list)
    made: list[Slot] = field(default_factory=list)
    retired: list[Slot] = field(default_factory=list)
    stranded: list[Slot] = field(default_factory=list)
    closed: dict[ScheduleExceptionId, list[Slot]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @property
    def changed(self) -> list[Slot]:
        """All next versions, by start."""
        return sorted(
            [
                *self.blocked,
                *self.opened,
                *self.moved_on,
                *self.made,
                *self.retired,
            ],
            key=lambda slot: (slot.period.start, slot.id),
        )

    def counts(self) -> Changes:
        """Return how many there are of each, as the audit tells it."""
        told = {
            "slotsBlocked": len(self.blocked),
            "slotsOpened": len(self.opened) + len(self.made),
            "slotsRetired": len(self.retired),
        }
        return {name: (None, count) for name, count in told.items() if count}


def reach_of(
    exception: ScheduleException, timezone: str, now: datetime
) -> Period | None:
    """Return when slots start that an exception may concern, also those that began
    before it; None where all that is past. A date's hours may last into the next day.
    """
    whole = exception.period
    if exception.on_date is not None:
        whole = day_in(timezone, exception.on_date, 2)
    start, end = whole.start - LONGEST_SLOT, whole.end
    return Period(max(start, now), end) if now < end else None


def around(reach: Period) -> Period:
    """Return when slots start that may overlap one that starts in reach."""
    return Period(reach.start - LONGEST_SLOT, reach.end + LONGEST_SLOT)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A schedule with all exceptions, in the order in which they were said, that touch
    a stretch of time. Days are laid when they are asked for, and only then.
    """

    schedule: Schedule
    exceptions: tuple[ScheduleException, ...]
    reach: Period

    def closing(self, slot: Slot) -> list[ScheduleException]:
        """Return the exceptions that close a slot."""
        found = self._exactly_closing(slot)
        day = self._local_day(slot.period.start)
        may_concern = day in self._by_date or day - _DAY in self._by_date
        if not may_concern or self._wanted(slot.period, day) is not None:
            return found
        replaced = None
        for one in self._by_date.get(self._day_of(slot.period, day), ()):
            if one.kind is ExceptionKind.REPLACE:
                replaced = one
            elif one.kind is ExceptionKind.CLOSED and not one.spares(
                slot.service_types
            ):
                found.append(one)
        return found if replaced is None else [*found, replaced]

    def is_stale(self, slot: Slot) -> bool:
        """Whether an exception opened a slot that is not wanted any more: nothing
        stands for it, or what comes before it takes its time.
        """
        if slot.opened_by is None:
            return False
        day = self._local_day(slot.period.start)
        if self._wanted(slot.period, day) is not None:
            return False
        said = any(
            _span(slot.period) in spans
            for one in (day, day - _DAY)
            for spans in (self._ruled_on(one), self._said_on(one))
        )
        return not said or not self.closing(slot)

    def extra(self) -> Iterator[tuple[PatternSlot, ScheduleExceptionId]]:
        """Yield what exceptions open in reach, with the one that does."""
        for day in sorted(self._by_date):
            for (start, end), by in self._said_on(day).items():
                if self.reach.start <= start < self.reach.end:
                    period = Period(start, end)
                    wanted = self._wanted(period, self._local_day(start))
                    if wanted is not None:
                        yield wanted, by

    def _wanted(self, period: Period, day: date) -> PatternSlot | None:
        """A slot that starts on a day belongs to it, or to the night before."""
        span = _span(period)
        return self._wanted_on(day).get(span) or self._wanted_on(day - _DAY).get(span)

    def _day_of(self, period: Period, day: date) -> date:
        """A slot belongs to the day of its window; one of no window to its own."""
        span, before = _span(period), day - _DAY
        was = span in self._ruled_on(before) or (
            span not in self._ruled_on(day) and span in self._said_on(before)
        )
        return before if was else day

    def _local_day(self, instant: datetime) -> date:
        return local_day(instant, self.schedule.timezone)

    @cached_property
    def _wanted_on(self) -> Callable[[date], Mapping[Span, PatternSlot]]:
        return self._laid_on(self.exceptions)

    @cached_property
    def _ruled_on(self) -> Callable[[date], Mapping[Span, PatternSlot]]:
        return self._laid_on(())

    def _laid_on(
        self, exceptions: tuple[ScheduleException, ...]
    ) -> Callable[[date], Mapping[Span, PatternSlot]]:
        pattern = Pattern(
            rules=self.schedule.availability,
            timezone=self.schedule.timezone,
            deviations=exceptions,
        )
        return cache(lambda day: {(s.start, s.end): s for s in pattern.slots(day, day)})

    @cached_property
    def _said_on(self) -> Callable[[date], Mapping[Span, ScheduleExceptionId]]:
        """What the windows of a date's exceptions hold, whether or not it stands."""
        zone = self.schedule.timezone

        def said_on(day: date) -> Mapping[Span, ScheduleExceptionId]:
            return {
                (slot.start, slot.end): one.id
                for one in self._by_date.get(day, ())
                for slot in laid(windows_of(day, one.windows, zone))
            }

        return cache(said_on)

    def _exactly_closing(self, slot: Slot) -> list[ScheduleException]:
        near = {
            one.id: one
            for day in _days_of(slot.period)
            for one in self._exactly_closed.get(day, ())
        }
        return [
            one
            for one in near.values()
            if one.period.overlaps(slot.period) and not one.spares(slot.service_types)
        ]

    @cached_property
    def _exactly_closed(self) -> Mapping[date, list[ScheduleException]]:
        closed: dict[date, list[ScheduleException]] = defaultdict(list)
        for one in self.exceptions:
            if one.on_date is None:
                for day in _days_of(one.period):
                    closed[day].append(one)
        return closed

    @cached_property
    def _by_date(self) -> Mapping[date, list[ScheduleException]]:
        said: dict[date, list[ScheduleException]] = {}
        for one in self.exceptions:
            if one.on_date is not None:
                said.setdefault(one.on_date, []).append(one)
        return said


def reshape(standing: Standing, slots: Iterable[Slot], now: datetime) -> Reshaping:
    """Carry the exceptions that stand out on the slots that start in their reach.

    `slots` are all that start `around` it.
    """
    done = Reshaping()
    there: set[Span] = set()
    in_the_way: dict[date, list[Period]] = defaultdict(list)
    for slot in slots:
        there.add(_span(slot.period))
        concerned = standing.reach.start <= slot.period.start < standing.reach.end
        after = _reshaped(standing, slot, now, done) if concerned else slot
        if after is not None and _keeps_others_out(after):
            for day in _days_of(after.period):
                in_the_way[day].append(after.period)
    for wanted, by in standing.extra():
        period = wanted.period
        met = any(
            other.overlaps(period)
            for day in _days_of(period)
            for other in in_the_way[day]
        )
        if (wanted.start, wanted.end) not in there and not met:
            done.made.append(_made(standing.schedule, wanted, by, now))
    return done


def _reshaped(
    standing: Standing, slot: Slot, now: datetime, done: Reshaping
) -> Slot | None:
    """Return the slot as it is then, and put it where it belongs; None: it goes."""
    if slot.status is SlotStatus.ENTERED_IN_ERROR:
        return slot
    closing = [one.id for one in standing.closing(slot)]
    for id in closing:
        done.closed[id].append(slot)
    stale = standing.is_stale(slot)
    if stale and slot.booked == 0:
        done.retired.append(slot.retired(now))
        return None
    if stale:
        done.stranded.append(slot)
    # What stays only for who is booked opens again with the hours that it was made for.
    opener = [slot.opened_by] if stale else []
    by: Sequence[ScheduleExceptionId | None] = closing or opener
    after = slot
    if slot.status is not SlotStatus.BUSY_UNAVAILABLE:
        if by:
            done.blocked.append(after := slot.blocked(by=by[0], now=now))
    elif slot.blocked_by is not None and slot.blocked_by not in by:
        if by:
            done.moved_on.append(after := slot.blocked_instead(by[0]))
        else:
            done.opened.append(after := slot.unblocked(now))
    return after


def _made(
    schedule: Schedule, wanted: PatternSlot, by: ScheduleExceptionId, now: datetime
) -> Slot:
    return Slot.opened(
        schedule,
        wanted.period,
        capacity=wanted.capacity,
        service_types=wanted.service_types,
        opened_by=by,
        now=now,
    )


def _keeps_others_out(slot: Slot) -> bool:
    """What an exception closes makes room for other hours, what staff blocked none."""
    if slot.status is SlotStatus.BUSY_UNAVAILABLE:
        return slot.blocked_by is None
    return slot.status is not SlotStatus.ENTERED_IN_ERROR


def _days_of(period: Period) -> Iterator[date]:
    """Yield the UTC days that a period touches: what meets it touches one of them."""
    day, last = period.start.date(), period.end.date()
    while day <= last:
        yield day
        day += _DAY


def _span(period: Period) -> Span:
    return period.start, period.end

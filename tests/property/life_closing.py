"""What closed, replaced and extra hours make of a calendar's slots, said plainly: all
that is wanted is laid anew each time, and what is there is held against it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from tests.property.life_rules import State
from tests.property.life_world import (
    CALENDARS,
    OPENING,
    TAKING,
    WEEK,
    WEEKS,
    ZONES,
    ModelSlot,
    Visit,
    day_of,
    on_the_wall,
)

Span = tuple[datetime, datetime]
A_DAY = timedelta(days=1)
RULED = (0, 2)
"""The calendars whose hours a weekly rule wants; those of the other staff have made.
What lies past midnight belongs to the day on which its hours start.
"""


class Hours(NamedTuple):
    """On the wall; an end at midnight is the end of the day."""

    start: time
    end: time
    minutes: int
    capacity: int = 1


@dataclass
class Said:
    """An exception, and what was done when it was added or removed."""

    id: UUID
    calendar: int
    kind: str
    day: date | None
    start: datetime
    end: datetime
    windows: tuple[Hours, ...] = ()
    services: tuple[str, ...] = ()
    stands: bool = True
    audit: list[tuple[str, dict[str, int]]] = field(default_factory=list)

    @property
    def zone(self) -> str:
        return ZONES[CALENDARS[self.calendar][1]]

    def spares(self, services: tuple[str, ...]) -> bool:
        """Closed time that names services leaves what serves another one, or any."""
        return bool(self.services) and not (
            services and set(services) <= set(self.services)
        )

    def closes_exactly(self, start: datetime, end: datetime) -> bool:
        return self.day is None and self.start < end and start < self.end

    def spans(self) -> Iterator[Span]:
        """What its own windows hold, whether or not that stands."""
        for hours in self.windows:
            assert self.day is not None
            yield from _cut(self.day, hours, self.zone)


@dataclass
class Laid:
    """A slot that is wanted; `by` is what asks for it besides the rules."""

    capacity: int
    services: tuple[str, ...] | None = None


@dataclass(kw_only=True)
class Closing(State):
    said: dict[UUID, Said] = field(default_factory=dict)
    gone: list[ModelSlot] = field(default_factory=list)
    offered_services: list[tuple[str, ...]]

    def _standing(self, calendar: int) -> list[Said]:
        return [s for s in self.said.values() if s.stands and s.calendar == calendar]

    # What is wanted

    def _ruled(self, calendar: int) -> dict[Span, date]:
        """The spans that the weekly rule wants, with the day that each belongs to."""
        if calendar not in RULED:
            return {}
        zone = ZONES[CALENDARS[calendar][1]]
        found = {}
        for week in range(-1, WEEKS + 1):
            wall = OPENING[calendar] + week * WEEK
            at = on_the_wall(wall, zone)
            for n in range(4):
                start = at + n * timedelta(minutes=30)
                found[start, start + timedelta(minutes=30)] = wall.date()
        return found

    def _wanted(self, calendar: int) -> dict[Span, Laid]:
        standing = self._standing(calendar)
        replaced = {s.day: s for s in standing if s.kind == "replace"}
        closed = [s for s in standing if s.kind == "closed" and s.day is not None]
        services = self.offered_services[calendar]
        found: dict[Span, Laid] = {}
        for span, day in sorted(self._ruled(calendar).items()):
            off = any(s.day == day and not s.spares(services) for s in closed)
            if day not in replaced and not off:
                found[span] = Laid(1, services)
        for one in standing:
            stands = one.kind == "extra" or replaced.get(one.day) is one
            off = any(s.day == one.day and not s.spares(()) for s in closed)
            if stands and not off:
                _lay(found, one)
        exactly = [s for s in standing if s.day is None]
        return {
            span: laid
            for span, laid in found.items()
            if not any(
                s.closes_exactly(*span) and not s.spares(laid.services or ())
                for s in exactly
            )
        }

    # What that makes of slots

    def closing(self, slot: ModelSlot) -> list[Said]:
        """The exceptions that close a slot."""
        standing = self._standing(slot.calendar)
        found = [
            s
            for s in standing
            if s.closes_exactly(slot.start, slot.end) and not s.spares(slot.services)
        ]
        span = (slot.start, slot.end)
        if span in self._wanted(slot.calendar):
            return found
        own = day_of(slot.start, ZONES[CALENDARS[slot.calendar][1]])
        day = self._ruled(slot.calendar).get(span, own)
        on_day = [s for s in standing if s.day == day]
        found += [
            s for s in on_day if s.kind == "closed" and not s.spares(slot.services)
        ]
        return found + [s for s in on_day if s.kind == "replace"][-1:]

    def _is_stale(self, slot: ModelSlot) -> bool:
        """Whether an exception opened it that asks for it no more."""
        span = (slot.start, slot.end)
        if slot.opened_by is None or span in self._wanted(slot.calendar):
            return False
        said = any(span in s.spans() for s in self._standing(slot.calendar))
        asked = said or span in self._ruled(slot.calendar)
        return not asked or not self.closing(slot)

    def reshape(self, changed: Said) -> tuple[dict[str, int], list[ModelSlot]]:
        """Carry out what stands now; return how many slots were blocked, opened and
        retired, and those that are to be made.
        """
        counts = {"slotsBlocked": 0, "slotsOpened": 0, "slotsRetired": 0}
        if self.now >= changed.end + A_DAY * (changed.day is not None):
            return counts, []
        slots = [s for s in self.slots.values() if s.calendar == changed.calendar]
        for slot in slots:
            if self.is_in_reach(slot.start, changed):
                self._reshape_one(slot, counts)
        made = list(self._to_make(changed))
        counts["slotsOpened"] += len(made)
        return counts, made

    def is_in_reach(self, start: datetime, changed: Said) -> bool:
        """What has begun stays as it is."""
        end = changed.end + A_DAY * (changed.day is not None)
        return max(self.now, changed.start - A_DAY) <= start < end

    def _reshape_one(self, slot: ModelSlot, counts: dict[str, int]) -> None:
        closing = [one.id for one in self.closing(slot)]
        stale = self._is_stale(slot)
        by: Sequence[UUID | None] = closing or ([slot.opened_by] if stale else [])
        news = self.slot_news[slot.id]
        if stale and slot.booked == 0:
            news.append(("slot.blocked", slot.version + 1, 0))
            self.gone.append(self.slots.pop(slot.id))
            counts["slotsRetired"] += 1
        elif not slot.blocked and by:
            slot.blocked, slot.blocked_by = True, by[0]
            slot.version += 1
            news.append(("slot.blocked", slot.version, 0))
            counts["slotsBlocked"] += 1
        elif slot.blocked_by is not None and slot.blocked_by not in by:
            slot.version += 1
            slot.blocked, slot.blocked_by = bool(by), by[0] if by else None
            if not by:
                counts["slotsOpened"] += 1
                if slot.left:
                    news.append(("slot.opened", slot.version, slot.left))

    def _to_make(self, changed: Said) -> Iterator[ModelSlot]:
        """What exceptions want, is not there, and meets nothing that stays open."""
        calendar = changed.calendar
        slots = [s for s in self.slots.values() if s.calendar == calendar]
        there = {(s.start, s.end) for s in slots}
        open_ = [s for s in slots if not s.blocked or s.blocked_by is None]
        said: dict[Span, UUID] = {}
        for one in self._standing(calendar):
            said |= dict.fromkeys(one.spans(), one.id)
        for (start, end), laid in self._wanted(calendar).items():
            by = said.get((start, end))
            met = any(s.start < end and start < s.end for s in open_)
            asked = by is not None and self.is_in_reach(start, changed)
            if asked and (start, end) not in there and not met:
                yield ModelSlot(
                    changed.id,
                    calendar,
                    start,
                    end,
                    laid.capacity,
                    laid.services or (),
                    opened_by=by,
                )

    def affected(self, slots: list[UUID]) -> list[Visit]:
        return [
            visit
            for visit in self.visits.values()
            if visit.status in TAKING
            and not self.lapsed(visit)
            and set(visit.slots) & set(slots)
        ]


def _lay(found: dict[Span, Laid], one: Said) -> None:
    """What was there first keeps its grid; what is the same is one."""
    windows = sorted(
        one.windows, key=lambda hours: (hours.start, one.windows.index(hours))
    )
    for hours in windows:
        assert one.day is not None
        for start, end in _cut(one.day, hours, one.zone):
            same = found.get((start, end))
            if same is not None:
                found[start, end] = Laid(max(same.capacity, hours.capacity), ())
            elif not any(start < other[1] and other[0] < end for other in found):
                found[start, end] = Laid(hours.capacity, ())


def _cut(day: date, hours: Hours, zone: str) -> Iterator[Span]:
    at = on_the_wall(datetime.combine(day, hours.start), zone)
    midnight = hours.end == time()
    closing = datetime.combine(day + A_DAY * midnight, hours.end)
    length = timedelta(minutes=hours.minutes)
    while at + length <= on_the_wall(closing, zone):
        yield at, at + length
        at += length

"""Whether a time can be had, said as plainly as can be: lists and loops, no cleverness.

It shares no rule with the product.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from tests.property.life_world import (
    CALENDARS,
    KEEPING,
    ZONES,
    Entry,
    ModelSlot,
    Role,
    Rules,
    Take,
    Visit,
    day_of,
)

OVERRIDABLE = {"SLOT_NOT_AVAILABLE", "DOUBLE_BOOKING_DETECTED", "BUFFER_TIME_CONFLICT"}


@dataclass(kw_only=True)
class Wanted:
    """Somebody, or nobody in particular, wants that time: that `slot`, or whatever
    slots (of `only` some) hold it. `own` is the visit that would be moved there.
    """

    patient: int | None
    practitioner: int
    location: int
    start: datetime
    end: datetime
    slot: UUID | None = None
    only: list[UUID] | None = None
    room: UUID | None = None
    own: Visit | None = None
    any_time: bool = False
    insists: bool = False


class Place(NamedTuple):
    """Slots, and why they cannot be had."""

    slots: list[UUID]
    reason: str | None
    overbooked: bool = False


class Answer(NamedTuple):
    """The places that will do, any of them; else the reasons, any of them."""

    places: list[Place]
    codes: set[str | None]


YES = Answer([], {None})


def no(code: str) -> Answer:
    return Answer([], {code})


@dataclass(kw_only=True)
class State:
    now: datetime
    slots: dict[UUID, ModelSlot]
    own_rules: list[Rules]
    house: Rules
    buffer: timedelta = timedelta()
    hold: timedelta = timedelta(minutes=10)
    notices: tuple[int, ...] = (24 * 60, 2 * 60)
    patients: list[bool]
    practitioners: list[bool]
    locations: list[bool]
    roles: dict[tuple[int, int], Role] = field(default_factory=dict)
    visits: dict[UUID, Visit] = field(default_factory=dict)
    entries: dict[UUID, Entry] = field(default_factory=dict)
    slot_news: dict[UUID, list[tuple[str, int, int]]] = field(default_factory=dict)
    calendar_news: dict[UUID, list[set[str]]] = field(default_factory=dict)
    """What changed that a calendar follows, by its role or, without one, by its id."""
    slot_audit: dict[UUID, list[tuple[int, str]]] = field(default_factory=dict)

    def followed(self, calendar: UUID, changed: set[str]) -> None:
        if changed:
            self.calendar_news.setdefault(calendar, []).append(changed)

    def lapsed(self, visit: Visit) -> bool:
        return (
            visit.status == "pending"
            and visit.hold_until is not None
            and visit.hold_until <= self.now
        )

    def keeping(self, besides: Visit | None = None) -> list[Visit]:
        return [
            visit
            for visit in self.visits.values()
            if visit.status in KEEPING
            and not self.lapsed(visit)
            and visit is not besides
        ]

    def takes(self, visit: Visit) -> list[Take]:
        return self._takes(
            visit.patient,
            visit.practitioner,
            visit.slots,
            visit.start,
            visit.end,
            visit.room,
            visit.buffer,
        )

    def _takes(  # noqa: PLR0917  # as many as a visit has
        self,
        patient: int | None,
        practitioner: int,
        slots: list[UUID],
        start: datetime,
        end: datetime,
        room: UUID | None,
        buffer: timedelta,
    ) -> list[Take]:
        found = [Take("patient", patient, None, start, end, end)]
        for id in slots:
            since, until = self.slots[id].start, min(self.slots[id].end, end)
            after = until + buffer if until == end else until
            found.append(Take("practitioner", practitioner, id, since, until, after))
            if room is not None:
                found.append(Take("room", room, id, since, until, until))
        return found

    # Can it be had?

    def answer(self, wanted: Wanted) -> Answer:
        refused = self._not_at_all(wanted)
        if refused is not None:
            return no(refused)
        chains = [[wanted.slot]] if wanted.slot else self._chains(wanted)
        places = [self._place(wanted, chain) for chain in chains]
        will_do = [place for place in places if place.reason is None]
        clean = [place for place in will_do if not place.overbooked]
        if will_do:
            return Answer(clean or will_do, {None})
        return Answer([], {p.reason for p in places} or {"OUTSIDE_SCHEDULE"})

    def _not_at_all(self, wanted: Wanted) -> str | None:
        if wanted.patient is not None and not self.patients[wanted.patient]:
            return "PATIENT_NOT_FOUND"
        if wanted.slot is not None and wanted.slot not in self.slots:
            return "SLOT_NOT_FOUND"
        if not self.practitioners[wanted.practitioner]:
            return "PRACTITIONER_NOT_AVAILABLE"
        if not self.locations[wanted.location]:
            return "PRACTITIONER_NOT_ASSIGNED"
        where = (wanted.practitioner, wanted.location)
        if where not in CALENDARS:
            return "PRACTITIONER_NOT_ASSIGNED"
        role = self.roles.get(where)
        return None if role is None else role.refuses(wanted.start, wanted.end)

    def _chains(self, wanted: Wanted) -> list[list[UUID]]:
        """Every row of slots of one calendar, one behind the other, that holds it."""
        found: list[list[UUID]] = []
        growing: list[list[UUID]] = [[]]
        where = (wanted.practitioner, wanted.location)
        while growing:
            chain = growing.pop()
            at = self.slots[chain[-1]].end if chain else wanted.start
            if at >= wanted.end:
                found.append(chain)
                continue
            growing += [
                [*chain, slot.id]
                for slot in self.slots.values()
                if slot.start == at
                and CALENDARS[slot.calendar] == where
                and (not chain or slot.calendar == self.slots[chain[0]].calendar)
                and (wanted.only is None or slot.id in wanted.only)
            ]
        return found

    def _place(self, wanted: Wanted, slots: list[UUID]) -> Place:
        reasons = list(self.reasons(wanted, slots))
        if not wanted.insists or any(self.slots[id].blocked for id in slots):
            return Place(slots, reasons[0] if reasons else None)
        stay = [reason for reason in reasons if reason not in OVERRIDABLE]
        return Place(slots, stay[0] if stay else None, overbooked=bool(reasons))

    def reasons(self, wanted: Wanted, slots: list[UUID]) -> Iterator[str]:
        """In the order of the rules."""
        others = self.keeping(wanted.own)
        own = self.own_rules[self.slots[slots[0]].calendar]
        zone = ZONES[wanted.location]
        if not wanted.any_time and self._is_no_time(wanted.start, own, zone):
            yield "OUTSIDE_BOOKING_WINDOW"
        if not all(self._has_seat(self.slots[id], others, wanted) for id in slots):
            yield "SLOT_NOT_AVAILABLE"
        clashes = list(self.clashes(wanted, slots))
        if any(mine.meets(theirs) for mine, theirs, _ in clashes):
            yield "DOUBLE_BOOKING_DETECTED"
        if any(not mine.meets(theirs) for mine, theirs, _ in clashes):
            yield "BUFFER_TIME_CONFLICT"
        calendar = self.slots[slots[0]].calendar
        theirs = [one for one in others if one.practitioner == wanted.practitioner]
        here = [one for one in others if one.calendar == calendar]
        counts = wanted.own if self._stays(wanted) else None
        if (counts is None and _too_many(theirs, self.house, wanted.start, zone)) or (
            (counts is None or counts.calendar != calendar)
            and _too_many(here, own, wanted.start, zone)
        ):
            yield "BOOKING_LIMIT_REACHED"

    def _stays(self, wanted: Wanted) -> bool:
        """Whether it is with the same practitioner at the same start as it was."""
        own = wanted.own
        return (
            own is not None
            and wanted.any_time
            and own.status in KEEPING
            and own.practitioner == wanted.practitioner
        )

    def buffer_for(self, wanted: Wanted) -> timedelta:
        """What is as long as it was keeps its buffer, where one is longer by now."""
        own = wanted.own
        if own is None or not self._stays(wanted) or own.end != wanted.end:
            return self.buffer
        return min(self.buffer, own.buffer)

    def _has_seat(self, slot: ModelSlot, others: list[Visit], wanted: Wanted) -> bool:
        """Who has a seat has it, also where more are taken than there are."""
        own = wanted.own
        its = own is not None and own.status in KEEPING and slot.id in own.slots
        taken = sum(slot.id in visit.slots for visit in others)
        return not slot.blocked and (its or taken < slot.capacity)

    def _is_no_time(self, start: datetime, own: Rules, zone: str) -> bool:
        notice = self.house.notice if own.notice is None else own.notice
        horizon = self.house.horizon if own.horizon is None else own.horizon
        last = day_of(self.now, zone) + timedelta(days=horizon or 0)
        return (
            start <= self.now
            or start < self.now + (notice or timedelta())
            or day_of(start, zone) > last
        )

    def clashes(
        self, wanted: Wanted, slots: list[UUID]
    ) -> Iterator[tuple[Take, Take, Visit]]:
        """What it would take, what is in the way of that, and whose it is."""
        mine = self._takes(
            wanted.patient,
            wanted.practitioner,
            slots,
            wanted.start,
            wanted.end,
            wanted.room,
            self.buffer_for(wanted),
        )
        for visit in self.keeping(wanted.own):
            for theirs in self.takes(visit):
                for one in mine:
                    if not one.is_beside(theirs) and one.comes_too_near(theirs):
                        yield one, theirs, visit

    def lying_upon(
        self, wanted: Wanted, slots: list[UUID]
    ) -> set[tuple[str, UUID | None]]:
        return {(mine.kind, mine.slot) for mine, _, _ in self.clashes(wanted, slots)}


def _too_many(visits: list[Visit], rules: Rules, start: datetime, zone: str) -> bool:
    day = day_of(start, zone)
    that_day = [one for one in visits if day_of(one.start, zone) == day]
    that_week = [
        one for one in visits if _monday(day_of(one.start, zone)) == _monday(day)
    ]
    return (rules.per_day is not None and len(that_day) >= rules.per_day) or (
        rules.per_week is not None and len(that_week) >= rules.per_week
    )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())

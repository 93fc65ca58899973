"""What clients held, by what they were told alone: also what has gone since.

A visit is held for certain from the answer that gave it until the next request that
may take it away. Two who held one thing at one moment were both promised it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.chaos.ledger import Entry

QUARTER = 15 * 60
REFUSED = {"NEW_SLOT_NOT_AVAILABLE", "DOUBLE_BOOKING_DETECTED", "OUTSIDE_SCHEDULE"}
"""A move that is refused so has changed nothing."""


@dataclass(frozen=True, slots=True)
class Held:
    visit: str
    actors: tuple[str, ...]
    quarters: range
    since: float
    until: float


def held(entries: Iterable[Entry]) -> Iterator[Held]:
    """Return every stretch of certain holding, of kinds `book`, `move` and `cancel`;
    a booking says its `patient` and `room`, the others the `id` of the visit.
    """
    people: dict[str, tuple[str, ...]] = {}
    stands: dict[str, dict[str, Any]] = {}
    since: dict[str, float] = {}
    for at, entry in _events(entries):
        id = entry.said.get("id") or entry.told.get("id")
        if at == entry.asked_at and entry.kind != "book":
            if id in since:
                yield _stretch(id, people[id], stands[id], since.pop(id), at)
        elif at == entry.asked_at or id is None:
            continue
        elif entry.done:
            if entry.kind == "book":
                room = entry.said.get("room")
                people[id] = (entry.said["patient"], *([room] if room else []))
            if entry.kind != "cancel":
                stands[id], since[id] = entry.told, at
        elif id in stands and entry.told.get("code") in REFUSED:
            since[id] = at  # it stands where it stood
    for id, at in since.items():
        yield _stretch(id, people[id], stands[id], at, float("inf"))


def held_by_two(entries: Iterable[Entry]) -> list[str]:
    """Return who was promised to two at one moment for one quarter of an hour."""
    by_cell: dict[tuple[str, int], list[Held]] = defaultdict(list)
    for one in held(entries):
        for actor in one.actors:
            for quarter in one.quarters:
                by_cell[actor, quarter].append(one)
    found = set()
    for (actor, _), holders in by_cell.items():
        holders.sort(key=lambda one: one.since)
        last = holders[0]
        for one in holders[1:]:
            if one.since < last.until and one.visit != last.visit:
                found.add(f"{actor} was held by two: {last.visit}, {one.visit}")
            if one.until > last.until:
                last = one
    return sorted(found)


def _events(entries: Iterable[Entry]) -> list[tuple[float, Entry]]:
    """Return each request when it was asked, and when it was answered."""
    both = [(entry.asked_at, entry) for entry in entries]
    both += [(one.ended_at, one) for _, one in both if one.status is not None]
    return sorted(both, key=lambda pair: pair[0])


def _stretch(
    id: str, people: tuple[str, ...], told: dict[str, Any], since: float, until: float
) -> Held:
    begin, end = (
        datetime.fromisoformat(told[name]).timestamp() for name in ("start", "end")
    )
    quarters = range(int(begin // QUARTER), int(-(-end // QUARTER)))
    return Held(id, (told["practitionerId"], *people), quarters, since, until)

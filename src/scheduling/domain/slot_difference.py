"""What a calendar has against what it is to have.

Its own slots are those that a run or an exception made. They come and go with the
rules, but for those that somebody is in, or that staff blocked: these stay as they are,
are sold no more, and are in the way of what the rules want instead. So is what staff
made, which stays always; of just the wanted time it is as good as wanted. What an
exception closes is in nobody's way: it opens again when the exception has gone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from scheduling.domain.desired_slots import (
    DesiredSlot,
    DesiredSlots,
    DesiredStretch,
    Part,
)
from scheduling.domain.identifiers import ScheduleExceptionId, SlotId
from scheduling.domain.period import Period
from scheduling.domain.slot import SlotStatus

_TAKEN = frozenset({SlotStatus.BUSY, SlotStatus.BUSY_TENTATIVE})


class KeptBecause(StrEnum):
    """Why a slot stays that is not wanted, or is in the way of one that is."""

    BOOKED = "BOOKED"
    HELD = "HELD"
    BLOCKED = "BLOCKED"
    EXCEPTION = "EXCEPTION"
    STAFF_SLOT = "STAFF_SLOT"
    IN_PROGRESS = "IN_PROGRESS"


class StoredSlot(NamedTuple):
    """A slot as far as runs look at it; a tuple, for a year has thousands. `own`: a run
    or an exception made it. `obsolete`: it is sold no more already.
    """

    id: SlotId
    start: datetime
    end: datetime
    timezone: str
    status: SlotStatus
    capacity: int
    booked: int
    service_types: tuple[str, ...]
    blocked_by: ScheduleExceptionId | None
    obsolete: bool
    own: bool

    @property
    def is_taken(self) -> bool:
        return self.booked > 0 or self.status in _TAKEN

    @property
    def keeps_others_out(self) -> bool:
        if self.status is SlotStatus.BUSY_UNAVAILABLE:
            return self.blocked_by is None
        return self.status is not SlotStatus.ENTERED_IN_ERROR

    def why_kept(self, now: datetime, *, only_held: bool) -> KeptBecause:
        if self.start <= now:
            return KeptBecause.IN_PROGRESS
        if not self.own:
            return KeptBecause.STAFF_SLOT
        if self.is_taken:
            return KeptBecause.HELD if only_held else KeptBecause.BOOKED
        if self.blocked_by is not None:
            return KeptBecause.EXCEPTION
        return KeptBecause.BLOCKED

    def serves_as(self, wanted: DesiredSlot) -> bool:
        """Whether it can be what is wanted of just its time: who is in it has come for
        what it is for.
        """
        if not self.own:
            return True
        if self.status is SlotStatus.ENTERED_IN_ERROR:
            return False
        return not self.is_taken or self.service_types == wanted.service_types

    def is_as(self, wanted: DesiredSlot, timezone: str) -> bool:
        return not self.own or (
            self.capacity == wanted.capacity
            and self.service_types == wanted.service_types
            and self.timezone == timezone
            and self.blocked_by is None
            and not self.obsolete
        )


class Conflict(NamedTuple):
    wanted: DesiredSlot
    in_the_way: StoredSlot


@dataclass(slots=True)
class Difference:
    """Of one part. `updated` are of the right time, and get the rest of what is wanted.
    `obsolete` are those of the retained that are to be sold no more from now on.
    `reaching_over` begin in the part, stay, and end after it.
    """

    created: list[DesiredStretch] = field(default_factory=list)
    updated: list[tuple[StoredSlot, DesiredSlot]] = field(default_factory=list)
    unchanged: int = 0
    conflicts: list[Conflict] = field(default_factory=list)
    retired: list[StoredSlot] = field(default_factory=list)
    retained: list[StoredSlot] = field(default_factory=list)
    obsolete: list[StoredSlot] = field(default_factory=list)
    reaching_over: list[StoredSlot] = field(default_factory=list)

    @property
    def count_created(self) -> int:
        return sum(stretch.number for stretch in self.created)

    @property
    def touched(self) -> list[StoredSlot]:
        """Those that are written, by start as all lock slots."""
        updated = [slot for slot, _ in self.updated]
        return sorted(
            [*updated, *self.retired, *self.obsolete],
            key=lambda slot: (slot.start, slot.id),
        )

    @property
    def kept(self) -> Iterator[StoredSlot]:
        """Yield the retained, and what else is in the way; some of them twice."""
        yield from self.retained
        for conflict in self.conflicts:
            yield conflict.in_the_way


def difference(
    part: Part,
    stored: Sequence[StoredSlot],
    before: Iterable[StoredSlot],
    desired: DesiredSlots,
) -> Difference:
    """Compare a part with the slots that start in it, by start, after those `before`
    it that stay and reach into it.
    """
    before = list(before)
    if not stored and not before:
        return Difference(created=list(part.stretches))
    found = Difference()
    timezone = desired.schedule.timezone
    there = {(slot.start, slot.end): slot for slot in stored}
    serving: set[SlotId] = set()
    missing: list[DesiredSlot] = []
    for wanted in part.slots:
        slot = there.get((wanted.start, wanted.end))
        if slot is None:
            missing.append(wanted)
        elif not slot.serves_as(wanted):
            found.conflicts.append(Conflict(wanted, slot))
        else:
            serving.add(slot.id)
            if slot.is_as(wanted, timezone):
                found.unchanged += 1
            else:
                found.updated.append((slot, wanted))
    staying = before
    for slot in stored:
        if slot.own and slot.id not in serving and _goes(slot, desired, found):
            found.retired.append(slot)
        elif slot.keeps_others_out:
            staying.append(slot)
    _place(missing, staying, found)
    if part.until is not None:
        found.reaching_over = [slot for slot in staying if slot.end > part.until]
    return found


def _goes(slot: StoredSlot, desired: DesiredSlots, found: Difference) -> bool:
    """Tell whether a slot that is not wanted goes; note it where it stays."""
    closed = slot.blocked_by is not None and desired.would_want(
        Period(slot.start, slot.end)
    )
    free = slot.status is SlotStatus.FREE or slot.blocked_by is not None
    if free and not closed and not slot.is_taken:
        return True
    found.retained.append(slot)
    if not closed and not slot.obsolete:
        found.obsolete.append(slot)
    return False


def _place(
    missing: Iterable[DesiredSlot], staying: Iterable[StoredSlot], found: Difference
) -> None:
    """Make what is missing where nothing that stays is in its way; both by start."""
    others = iter(sorted(staying, key=lambda slot: slot.start))
    following = next(others, None)
    near: list[StoredSlot] = []
    for wanted in missing:
        while following is not None and following.start < wanted.end:
            near.append(following)
            following = next(others, None)
        near = [slot for slot in near if slot.end > wanted.start]
        if near:
            found.conflicts.append(Conflict(wanted, near[0]))
        else:
            found.created.append(DesiredStretch.of_one(wanted))

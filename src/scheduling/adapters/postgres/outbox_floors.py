"""Where in a partition a claim may start to read.

Rows that are published leave dead entries in the index of pending ones, and while any
long transaction runs (a dump, a report) nobody may sweep them away: a claim that reads
from the beginning wades through all of them, 0.1 → 15 ms. So it starts at a floor.

A floor must never pass an id that is drawn but not committed yet: its row would wait
below the floor while a later event of the same aggregate is published above it. Ids are
drawn inside transactions, in one order for all; and every transaction that writes to
the outbox holds a lock on the table from before it draws one until it ends. So:

1. note `seen`, the highest id that a claim has brought, *then* the writers of now;
2. when none of those writers is left, no id up to `seen` can appear any more: every one
   that ever will is committed, and visible to whatever is read from then on.

That bound is `settled`. A floor goes up to it and no further; a writer that stays keeps
the floor where it is, which makes claims slow and never wrong.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass


@dataclass(slots=True)
class Horizon:
    settled: int = 0
    _candidate: int = 0
    _waiting_for: frozenset[str] | None = None

    def observe(self, seen: int, writers: AbstractSet[str]) -> None:
        """`seen` was noted before `writers` (virtual transactions) were read."""
        if self._waiting_for is not None:
            self._waiting_for &= writers
            if self._waiting_for:
                return
            self.settled = max(self.settled, self._candidate)
        self._candidate, self._waiting_for = seen, frozenset(writers)


@dataclass(slots=True)
class Partition:
    """What a relay knows of a partition that it holds."""

    floor: int = 0
    unfinished: int = 0
    """Events of the running claim that are neither published nor blocked yet."""
    read_to: int = 0
    """The last id of the running claim."""
    bound: int = 0
    """What was settled when the running claim was read."""

    def claimed(self, ids: Sequence[int], *, settled: int) -> None:
        self.unfinished, self.read_to, self.bound = len(ids), ids[-1], settled

    def released(self) -> None:
        """All that was read is published: nothing below it can wait any more."""
        if not self.unfinished:
            self.raise_to(min(self.read_to, self.bound))
        self.unfinished = 0

    def found_empty(self, *, settled: int) -> None:
        self.raise_to(settled)

    def start_over(self) -> None:
        """Read from the beginning, whatever a running claim has read."""
        self.floor = self.bound = 0

    def raise_to(self, id: int) -> None:
        self.floor = max(self.floor, id + 1)

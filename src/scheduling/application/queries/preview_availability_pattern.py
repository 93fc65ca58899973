from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from scheduling.domain.errors import InvalidInput
from scheduling.domain.pattern import Pattern, PatternSlot

LONGEST_PREVIEW_DAYS = 92
MOST_SLOTS = 50_000
"""Before overlapping windows are merged: 92 days hold half as many of five minutes."""


@dataclass(frozen=True, slots=True)
class PreviewAvailabilityPattern:
    """Show the slots that rules and exceptions want. Nothing is read and nothing
    written: it says what would be, whoever asks.
    """

    async def __call__(
        self, pattern: Pattern, *, first: date, last: date
    ) -> Sequence[PatternSlot]:
        """Return the slots of windows that start on these local days, both inclusive.

        Raise InvalidInput for too many days or slots.
        """
        if last < first:
            raise InvalidInput("must not be before from", "to")
        if (last - first).days >= LONGEST_PREVIEW_DAYS:
            raise InvalidInput(
                f"a preview spans {LONGEST_PREVIEW_DAYS} days at most", "to"
            )
        if pattern.count(first, last) > MOST_SLOTS:
            raise InvalidInput(f"more than {MOST_SLOTS} slots", "availability")
        return pattern.slots(first, last)

"""The one answer to "can this time be had?", for search, booking and all that follow.

What search shows is what booking accepts because both ask here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from scheduling.domain.claim import Clashes
from scheduling.domain.errors import (
    BookingLimitReached,
    BufferTimeConflict,
    DoubleBookingDetected,
    NotBookable,
    OutsideBookingWindow,
    SlotNotAvailable,
)
from scheduling.domain.period import day_in, local_day
from scheduling.domain.settings import Settings


@dataclass(frozen=True, slots=True)
class BookingWindow:
    """When a bookable start lies: after now, `notice` ahead, before `closes`."""

    now: datetime
    opens: datetime
    closes: datetime

    @classmethod
    def of(cls, settings: Settings, *, now: datetime, timezone: str) -> Self:
        """The horizon counts local days; the last of them is inclusive."""
        last = local_day(now, timezone) + timedelta(days=settings.horizon_days)
        return cls(
            now=now,
            opens=now + settings.minimum_notice,
            closes=day_in(timezone, last).end,
        )

    def admits(self, start: datetime) -> bool:
        return self.now < start and self.opens <= start < self.closes


NO_CLASHES = Clashes()


def why_not_offered(
    start: datetime,
    *,
    window: BookingWindow | None,
    has_seat: bool,
    clashes: Clashes = NO_CLASHES,
    limit_reached: bool = False,
) -> NotBookable | None:
    """Return the first reason, in the order of the rules, or None: it can be had.

    Without a window the visit is one of the past that is taken over from elsewhere.
    """
    if window is not None and not window.admits(start):
        return OutsideBookingWindow(
            f"{start.isoformat()} is past, too soon or too far ahead."
        )
    if not has_seat:
        return SlotNotAvailable(f"There is no free seat at {start.isoformat()}.")
    if clashes.overlapping:
        return DoubleBookingDetected(
            f"Somebody or something is taken at {start.isoformat()}.",
            clashes.overlapping,
        )
    if clashes.buffering:
        return BufferTimeConflict(
            f"Only the buffer is in the way at {start.isoformat()}.",
            clashes.buffering,
        )
    if limit_reached:
        return BookingLimitReached(
            f"The practitioner takes no more appointments around {start.isoformat()}."
        )
    return None

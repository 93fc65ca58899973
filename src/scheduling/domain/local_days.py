"""Days on the wall of a zone: what is asked for in them, and how they are counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduling.domain.errors import InvalidInput, InvalidPeriod
from scheduling.domain.period import Period, day_in, local_day

_A_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when, as somebody asks: two instants, or two local days of a zone
    that need not be known yet. Half-open in both cases: the day `end` is not asked for.
    """

    start: datetime | date
    end: datetime | date

    def __post_init__(self) -> None:
        if self.length <= timedelta():
            raise InvalidPeriod("must be after from", "to")

    @property
    def length(self) -> timedelta:
        if isinstance(self.start, datetime) and isinstance(self.end, datetime):
            return self.end - self.start
        if isinstance(self.start, datetime) or isinstance(self.end, datetime):
            raise InvalidPeriod("must be an instant or a day, as from is", "to")
        return self.end - self.start

    def demand_days(self, most: int) -> None:
        """Raise InvalidInput where it spans more days than that."""
        if self.length > timedelta(days=most):
            raise InvalidInput(f"must be {most} days after from at most", "to")

    def in_zone(self, timezone: str) -> "LocalDays":
        if isinstance(self.start, datetime) and isinstance(self.end, datetime):
            return LocalDays(timezone, Period(self.start, self.end).in_utc())
        return LocalDays(timezone, day_in(timezone, self.start, self.length.days))


@dataclass(frozen=True, slots=True)
class Offset:
    """How far a clock is ahead of UTC, since when."""

    since: datetime
    ahead: timedelta


@dataclass(frozen=True, slots=True)
class LocalDays:
    """A period, and the zone in which its days are counted."""

    timezone: str
    period: Period

    @property
    def dates(self) -> tuple[date, ...]:
        """Return the days that the period touches, also where nothing happens."""
        last = local_day(self.period.end - timedelta.resolution, self.timezone)
        first = local_day(self.period.start, self.timezone)
        return tuple(first + n * _A_DAY for n in range((last - first).days + 1))

    def offsets(self, before: timedelta = timedelta()) -> tuple[Offset, ...]:
        """Return what the zone's clock shows from the start of the period, or that
        long before it, to its end.

        So storage need not know zones, and reads the same clock that we do.
        """
        return tuple(_offsets(self.timezone, self.period, before))


def _offsets(timezone: str, period: Period, before: timedelta) -> Iterator[Offset]:
    zone = ZoneInfo(timezone)

    def ahead(instant: datetime) -> timedelta:
        return instant.astimezone(zone).utcoffset() or timedelta()

    at = period.start.astimezone(UTC) - before
    yield Offset(at, ahead(at))
    while at < period.end:
        later = min(at + _A_DAY, period.end.astimezone(UTC))
        if ahead(later) != ahead(at):
            # Zones do not tell when they change: search it by halves, to the second.
            still, changed = at, later
            while changed - still > _SECOND:
                middle = still + (changed - still) / 2
                if ahead(middle) == ahead(at):
                    still = middle
                else:
                    changed = middle
            yield Offset(changed.replace(microsecond=0), ahead(later))
        at = later

"""Which instants, days and zones we take at all, whichever door they come in by."""

from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import available_timezones

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""From the one on, and before the other."""


def plausible(instant: datetime) -> datetime:
    """Return it in UTC; raise ValueError for one that nobody can mean."""
    if not EARLIEST <= instant < LATEST:
        raise ValueError("must be between the years 1900 and 2200")
    return instant.astimezone(UTC)


def plausible_day(day: date) -> date:
    """Raise ValueError for one that nobody can mean."""
    if not EARLIEST.date() <= day < LATEST.date():
        raise ValueError("must be between the years 1900 and 2200")
    return day


def known_zone(name: str) -> str:
    """Raise ValueError for what is no IANA name."""
    if name not in _zones():
        raise ValueError("must be an IANA time zone")
    return name


@cache
def _zones() -> frozenset[str]:
    """Looking them up reads hundreds of files."""
    return frozenset(available_timezones() - {"localtime", "Factory"})

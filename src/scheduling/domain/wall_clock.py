"""Which instant a time on a wall is, where clocks skip an hour or show one twice.

| the wall shows it | as a start | as an end |
|---|---|---|
| once | then | then |
| twice (clocks went back) | the first time | the second time |
| twice, and the other end of the hours too | the first time | the first time |
| never (clocks went forward) | when the gap ends | when the gap ends |

An end at or before its start is the next day's. Midnight as an end is the end of the
day, which is when the next date begins: it may not exist, and of two the first counts.
An end that is shown once is that one, also where clocks go back at just that time.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MIDNIGHT = time()


class Shown(NamedTuple):
    """When a wall shows a time, in UTC. Both are the same unless it does so twice."""

    first: datetime
    last: datetime


def shown(wall: datetime, zone: ZoneInfo) -> Shown:
    """Return when a naive wall time is shown; of one that never is, the gap's end."""
    before = _offset(wall, zone)
    after = _offset(wall.replace(fold=1), zone)
    first = (wall - before).replace(tzinfo=UTC)
    if before == after:
        return Shown(first, first)
    if before > after:
        return Shown(first, (wall - after).replace(tzinfo=UTC))
    end = _end_of_gap(wall, zone)
    return Shown(end, end)


@lru_cache(maxsize=8192)
def hours_on(
    day: date, start: time, end: time, zone: ZoneInfo
) -> tuple[datetime, datetime] | None:
    """Return from when until when the hours of a local day last, in UTC.

    None where nothing is left of them: they lie in a gap, or the day itself does not
    exist (as 30 December 2011 in Samoa).
    """
    opening = datetime.combine(day, start)
    closing = datetime.combine(day if start < end else day + _DAY, end)
    opens, closes = shown(opening, zone), shown(closing, zone)
    twice = opens.first < opens.last and closes.first < closes.last
    until = closes.first if twice or end == _MIDNIGHT else closes.last
    if until <= opens.first or _is_skipped(day, opens.first, zone):
        return None
    return opens.first, until


@lru_cache(maxsize=4096)
def first_instant(timezone: str, day: date) -> datetime:
    """Return when a date begins. Of two midnights the first; where there is none, what
    comes after the gap.
    """
    return shown(datetime.combine(day, _MIDNIGHT), ZoneInfo(timezone)).first


def _is_skipped(day: date, opens: datetime, zone: ZoneInfo) -> bool:
    return opens.astimezone(zone).date() != day and first_instant(
        zone.key, day
    ) == first_instant(zone.key, day + _DAY)


@lru_cache(maxsize=1024)
def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """Search by halves, to the second: zones do not tell when they change.

    Read with the later offset the wall time lies before the change, read with the
    earlier one behind it, however long the gap is (PEP 495).
    """
    before, after = _offset(wall, zone), _offset(wall.replace(fold=1), zone)
    still = (wall - after).replace(tzinfo=UTC, microsecond=0)
    changed = (wall - before).replace(tzinfo=UTC, microsecond=0)
    while changed - still > _SECOND:
        middle = (still + (changed - still) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            still = middle
        else:
            changed = middle
    return changed


def _offset(wall: datetime, zone: ZoneInfo) -> timedelta:
    offset = zone.utcoffset(wall)
    if offset is None:
        raise ValueError(f"{zone.key} does not say how far it is from UTC")
    return offset

"""Walls of random zones, and what another library reads off them."""

from datetime import date, datetime, time, timedelta
from zoneinfo import available_timezones

from hypothesis import strategies as st
from whenever import PlainDateTime, SkippedTime, ZonedDateTime

from scheduling.domain.schedule import Day

ZONES = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))
ODD_ZONES = st.sampled_from(
    (
        "Africa/Cairo",
        "Africa/Casablanca",
        "America/Havana",
        "America/New_York",
        "America/Nuuk",
        "America/Santiago",
        "America/Scoresbysund",
        "America/St_Johns",
        "Asia/Beirut",
        "Asia/Gaza",
        "Asia/Kathmandu",
        "Asia/Kolkata",
        "Asia/Tehran",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Pacific/Chatham",
    )
)
# In these years 2011 has a day that Samoa skipped, and 2023 an odd spring in Beirut.
DAYS = st.dates(date(2011, 1, 1), date(2037, 12, 1))
TIMES = st.integers(0, 24 * 12 - 1).map(lambda n: time(n // 12, n % 12 * 5))
LENGTHS = st.sampled_from((5, 10, 15, 20, 30, 45, 60, 90, 240))
WEEK = tuple(Day)


def day_of_change(zone: str, near: date) -> date:
    """Return the local day of the next change of clocks, or the day itself."""
    noon = ZonedDateTime(near.year, near.month, near.day, 12, tz=zone)
    change = noon.next_transition()
    if change is None:
        return near
    return change.subtract(minutes=1).to_plain().date().to_stdlib()


@st.composite
def days_and_zones(draw: st.DrawFn) -> tuple[date, str]:
    """Half of them in zones with odd clocks, on a day around a change."""
    day = draw(DAYS)
    if draw(st.booleans()):
        return day, draw(ZONES)
    zone = draw(ODD_ZONES)
    shift = draw(st.integers(-1, 1))
    return day_of_change(zone, day) + timedelta(days=shift), zone


def wall(day: date, at: time) -> PlainDateTime:
    return PlainDateTime(day.year, day.month, day.day, at.hour, at.minute)


def instant(zoned: ZonedDateTime) -> datetime:
    return zoned.to_instant().to_stdlib()


def exists(at: PlainDateTime, zone: str) -> bool:
    try:
        at.assume_tz(zone, disambiguation="raise")
    except SkippedTime:
        return False
    except ValueError:  # it is shown twice
        return True
    return True


def on_or_after(at: PlainDateTime, zone: str) -> PlainDateTime:
    """Return it, or the first minute after it that a wall ever shows."""
    while not exists(at, zone):
        at = at.add(minutes=1, naive_arithmetic_ok=True)
    return at


def expected_hours(
    day: date, start: time, end: time, zone: str
) -> tuple[datetime, datetime] | None:
    """The policy once more, in the other library's words."""
    noon = wall(day, time(12))
    if not exists(noon, zone) and on_or_after(noon, zone).date() != noon.date():
        return None  # the zone skipped that day
    opening = on_or_after(wall(day, start), zone)
    after = day if start < end else day + timedelta(days=1)
    closing = on_or_after(wall(after, end), zone)
    first = opening.assume_tz(zone, disambiguation="earlier")
    early = closing.assume_tz(zone, disambiguation="earlier")
    late = closing.assume_tz(zone, disambiguation="later")
    opens_twice = instant(first) != instant(
        opening.assume_tz(zone, disambiguation="later")
    )
    if end == time():
        until = ZonedDateTime(after.year, after.month, after.day, 12, tz=zone)
        until = until.start_of("day") if exists(wall(after, time(12)), zone) else late
    elif opens_twice and instant(early) != instant(late):
        until = early
    else:
        until = late
    if instant(until) <= instant(first):
        return None
    return instant(first), instant(until)

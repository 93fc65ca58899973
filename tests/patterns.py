"""The words in which tests speak of rules, exceptions and the slots they want."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from scheduling.domain.pattern import Pattern, PatternSlot
from scheduling.domain.period import Period, day_in
from scheduling.domain.schedule import Day, Hours, WeeklyRule
from scheduling.domain.schedule_exception import Deviation, ExceptionKind

MON, TUE, SAT, SUN = (date(2030, 1, n) for n in (7, 8, 12, 13))
EVERY_DAY = tuple(Day)


def a_rule(start: str, end: str, minutes: int = 30, **told: object) -> WeeklyRule:
    return WeeklyRule(
        start=time.fromisoformat(start),
        end=time.fromisoformat(end),
        slot_minutes=minutes,
        **{"days": EVERY_DAY, **told},  # type: ignore[arg-type]
    )


def hours(start: str, end: str, minutes: int = 30, **told: object) -> Hours:
    return Hours(
        start=time.fromisoformat(start),
        end=time.fromisoformat(end),
        slot_minutes=minutes,
        **told,  # type: ignore[arg-type]
    )


def a_pattern(
    *rules: WeeklyRule, zone: str = "UTC", but: tuple[Deviation, ...] = ()
) -> Pattern:
    return Pattern(rules=rules, timezone=zone, deviations=but)


def closed(day: date | None = None, *services: str, zone: str = "UTC") -> Deviation:
    return Deviation(
        kind=ExceptionKind.CLOSED,
        on_date=day,
        period=day_in(zone, day or MON),
        service_types=services,
    )


def closed_from(start: str, end: str, *services: str) -> Deviation:
    return Deviation(
        kind=ExceptionKind.CLOSED,
        period=Period(utc(start), utc(end)),
        service_types=services,
    )


def instead(day: date, *windows: Hours) -> Deviation:
    period = day_in("UTC", day)
    return Deviation(
        kind=ExceptionKind.REPLACE, on_date=day, period=period, windows=windows
    )


def besides(day: date, *windows: Hours) -> Deviation:
    period = day_in("UTC", day)
    return Deviation(
        kind=ExceptionKind.EXTRA, on_date=day, period=period, windows=windows
    )


def utc(text: str) -> datetime:
    """Return "07T09:30" of our January."""
    return datetime.fromisoformat(f"2030-01-{text}").replace(tzinfo=UTC)


def clock(slots: list[PatternSlot], zone: str = "UTC") -> list[str]:
    """Say when slots are, on the wall: `07T09:00-09:30`."""
    there = ZoneInfo(zone)
    return [
        f"{slot.start.astimezone(there):%dT%H:%M}-{slot.end.astimezone(there):%H:%M}"
        for slot in slots
    ]

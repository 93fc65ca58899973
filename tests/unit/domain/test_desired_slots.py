"""Which slots a calendar is to have, before anybody looks at those that it has."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scheduling.domain.availability import BookingWindow
from scheduling.domain.desired_slots import (
    DesiredSlot,
    DesiredSlots,
    DesiredStretch,
    Horizon,
    Part,
    digest_of,
)
from scheduling.domain.period import Period, local_day
from scheduling.domain.schedule import (
    Day,
    NotAvailable,
    PractitionerRole,
    Schedule,
    WeeklyRule,
)
from scheduling.domain.schedule_exception import ExceptionKind, ScheduleException
from scheduling.domain.settings import Settings
from tests.builders import EIGHT, MONDAY, a_role, a_schedule, at, between
from tests.patterns import MON, TUE, a_rule, hours

NINE_TO_TEN = a_rule("09:00", "10:00")


def a_calendar(*rules: WeeklyRule, zone: str = "UTC", **told: Any) -> Schedule:  # noqa: ANN401
    calendar = a_schedule(timezone=zone)
    return replace(calendar, availability=rules or (NINE_TO_TEN,), events=(), **told)


def desired(
    calendar: Schedule,
    *exceptions: ScheduleException,
    role: PractitionerRole | None = None,
    now: datetime = EIGHT,
    days: int = 2,
    closed: Collection[date] = (),
) -> DesiredSlots:
    return DesiredSlots(
        schedule=calendar,
        role=role,
        closed_days=closed,
        exceptions=exceptions,
        horizon=Horizon.of(calendar, Settings(horizon_days=days), now),
    )


def laid(wanted: DesiredSlots, at_once: int = 40) -> list[DesiredSlot]:
    return [slot for part in wanted.parts(at_once) for slot in part.slots]


def clock(wanted: DesiredSlots, zone: str = "UTC") -> list[str]:
    there = ZoneInfo(zone)
    return [f"{slot.start.astimezone(there):%dT%H:%M}" for slot in laid(wanted)]


def said(calendar: Schedule, kind: ExceptionKind, **told: Any) -> ScheduleException:  # noqa: ANN401
    return ScheduleException.added(calendar, kind=kind, now=EIGHT, **told)


def test_the_horizons_last_day_is_inclusive() -> None:
    assert clock(desired(a_calendar())) == [
        *["07T09:00", "07T09:30"],
        *["08T09:00", "08T09:30"],
        *["09T09:00", "09T09:30"],
    ]


def test_a_calendars_own_horizon_comes_before_the_organisations() -> None:
    assert len(clock(desired(a_calendar(horizon_days=0), days=9))) == 2


@pytest.mark.parametrize("days", range(4))
def test_what_is_wanted_ends_where_booking_ends(days: int) -> None:
    """One rule for both: the last start admitted is the last one made."""
    zone = "America/New_York"
    calendar = a_calendar(a_rule("00:00", "00:00", 45), zone=zone)
    wanted = laid(desired(calendar, days=days))
    window = BookingWindow.of(
        Settings(horizon_days=days), calendar.rules, now=EIGHT, timezone=zone
    )
    assert all(window.admits(slot.start) for slot in wanted)
    more = laid(desired(calendar, days=days + 2))
    assert [slot for slot in more if window.admits(slot.start)] == wanted


def test_a_start_at_just_now_is_past() -> None:
    assert clock(desired(a_calendar(), now=at("09:00"), days=0)) == ["07T09:30"]
    assert clock(desired(a_calendar(), now=at("08:59"), days=0)) == [
        "07T09:00",
        "07T09:30",
    ]


def test_a_window_half_over_keeps_its_rest() -> None:
    wanted = desired(a_calendar(a_rule("07:30", "09:00")), days=0)
    assert clock(wanted) == ["07T08:30"]


def test_yesterdays_night_reaches_into_today() -> None:
    night = a_rule("22:00", "10:00", 60)
    assert clock(desired(a_calendar(night), days=0)) == [
        "07T09:00",
        "07T22:00",
        "07T23:00",
    ]


def test_today_is_the_calendars_day() -> None:
    late = MONDAY + timedelta(hours=23)
    wanted = desired(a_calendar(zone="Pacific/Kiritimati"), now=late, days=0)
    assert clock(wanted, "Pacific/Kiritimati") == []
    assert wanted.horizon.first_day == TUE
    wanted = desired(a_calendar(zone="Pacific/Pago_Pago"), now=MONDAY, days=0)
    assert wanted.horizon.first_day == date(2030, 1, 6)


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("America/New_York", date(2030, 3, 10), 4),  # 02:00 to 03:00 is not there
        ("America/New_York", date(2030, 11, 3), 8),  # 01:00 to 02:00 is there twice
        ("Europe/Berlin", date(2030, 6, 2), 6),
    ],
)
def test_a_night_has_as_many_half_hours_as_the_clock_gives_it(
    zone: str, day: date, expected: int
) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) - timedelta(days=1)
    calendar = a_calendar(a_rule("01:00", "04:00"), zone=zone)
    found = [
        slot
        for slot in laid(desired(calendar, now=noon, days=2))
        if local_day(slot.start, zone) == day
    ]
    assert len(found) == expected


def test_nine_oclock_stays_nine_oclock_when_clocks_change() -> None:
    before = datetime(2030, 3, 29, 12, tzinfo=UTC)
    calendar = a_calendar(a_rule("09:00", "09:30"), zone="Europe/Berlin")
    wanted = desired(calendar, now=before, days=3)
    assert clock(wanted, "Europe/Berlin") == ["30T09:00", "31T09:00", "01T09:00"]
    assert clock(wanted) == ["30T08:00", "31T07:00", "01T07:00"]


def test_a_role_that_is_not_active_or_deleted_wants_nothing() -> None:
    extra = said(a_calendar(), ExceptionKind.EXTRA, on_date=TUE, windows=_afternoon())
    for role in (a_role(active=False), a_role(deleted_at=EIGHT)):
        wanted = desired(a_calendar(), extra, role=role)
        assert laid(wanted) == []
        assert not wanted.would_want(between("09:00", "09:30", day=1))


def _afternoon() -> Any:  # noqa: ANN401
    return (hours("14:00", "15:00", 60),)


def test_a_roles_period_is_inclusive_at_both_ends() -> None:
    role = a_role(period_start=TUE, period_end=TUE)
    wanted = desired(a_calendar(), role=role)
    assert clock(wanted) == ["08T09:00", "08T09:30"]


def test_a_night_belongs_to_the_day_on_which_a_period_begins() -> None:
    night = a_rule("22:00", "02:00", 60)
    role = a_role(period_start=TUE, period_end=date(2030, 1, 9))
    # What begins on Monday night is Monday's; what is past Wednesday is no more his.
    assert clock(desired(a_calendar(night), role=role, days=5)) == [
        *["08T22:00", "08T23:00", "09T00:00", "09T01:00"],
        *["09T22:00", "09T23:00"],
    ]


def test_time_at_which_a_role_is_not_available_is_cut_out() -> None:
    away = NotAvailable(period=between("09:15", "09:20"))
    later = NotAvailable(period=between("10:00", "12:00", day=1))
    role = a_role(not_available=(away, later))
    assert clock(desired(a_calendar(), role=role, days=1)) == [
        "07T09:30",
        *["08T09:00", "08T09:30"],
    ]


def test_a_closed_day_has_no_hours_by_rule() -> None:
    assert clock(desired(a_calendar(), closed=[TUE])) == [
        *["07T09:00", "07T09:30"],
        *["09T09:00", "09T09:30"],
    ]


def test_a_night_that_begins_before_a_closed_day_is_worked_to_its_end() -> None:
    night = a_rule("22:00", "02:00", 120)
    assert clock(desired(a_calendar(night), closed=[TUE], days=2)) == [
        *["07T22:00", "08T00:00"],
        "09T22:00",
    ]


def test_extra_hours_and_replaced_ones_are_worked_on_closed_days() -> None:
    calendar = a_calendar()
    extra = said(calendar, ExceptionKind.EXTRA, on_date=MON, windows=_afternoon())
    instead = said(calendar, ExceptionKind.REPLACE, on_date=TUE, windows=_afternoon())
    wanted = desired(calendar, extra, instead, closed=[MON, TUE], days=1)
    assert clock(wanted) == ["07T14:00", "08T14:00"]
    # The counterpart: on a day like others the rule works besides.
    assert clock(desired(calendar, extra, days=0)) == [
        "07T09:00",
        "07T09:30",
        "07T14:00",
    ]


def test_closed_time_said_by_an_exception_is_closed_on_any_day() -> None:
    calendar = a_calendar()
    closed = said(calendar, ExceptionKind.CLOSED, period=between("09:00", "09:30"))
    extra = said(calendar, ExceptionKind.EXTRA, on_date=MON, windows=_afternoon())
    shut = said(calendar, ExceptionKind.CLOSED, on_date=MON)
    assert clock(desired(calendar, closed, days=0)) == ["07T09:30"]
    assert clock(desired(calendar, extra, shut, closed=[MON], days=0)) == []


def test_what_only_an_exception_wants_names_it() -> None:
    calendar = a_calendar()
    windows = (hours("09:00", "09:30"), hours("14:00", "14:30"))
    extra = said(calendar, ExceptionKind.EXTRA, on_date=MON, windows=windows)
    openers = {slot.start: slot.opened_by for slot in laid(desired(calendar, extra))}
    assert openers[at("14:00")] == extra.id
    assert openers[at("09:00")] is openers[at("09:30")] is None
    # On a closed day the rule does not want it, so that the exception does.
    wanted = laid(desired(calendar, extra, closed=[MON], days=0))
    assert [slot.opened_by for slot in wanted] == [extra.id, extra.id]


def test_the_day_that_a_zone_skipped_may_be_a_closed_one() -> None:
    now = datetime(2011, 12, 28, 20, tzinfo=UTC)
    calendar = a_calendar(zone="Pacific/Apia")
    wanted = desired(calendar, now=now, closed=[date(2011, 12, 30)], days=4)
    days = {local_day(slot.start, "Pacific/Apia") for slot in laid(wanted)}
    assert days == {date(2011, 12, 29), date(2011, 12, 31), date(2012, 1, 1)}


def test_would_want_looks_through_exceptions_that_close() -> None:
    calendar = a_calendar()
    shut = said(calendar, ExceptionKind.CLOSED, on_date=MON)
    extra = said(calendar, ExceptionKind.EXTRA, on_date=MON, windows=_afternoon())
    wanted = desired(calendar, shut, extra)
    assert wanted.would_want(between("09:00", "09:30"))
    assert wanted.would_want(between("14:00", "15:00"))
    assert not wanted.would_want(between("09:15", "09:45"))
    assert not desired(calendar, shut, closed=[MON]).would_want(
        between("09:00", "09:30")
    )


def test_would_want_knows_nights_by_the_day_they_begin() -> None:
    wanted = desired(a_calendar(a_rule("23:45", "00:15", days=(Day.SAT,))))
    night = Period(at("23:45", day=5), at("00:15", day=6))
    assert wanted.would_want(night)
    assert not wanted.would_want(Period(at("23:45", day=6), at("00:15", day=7)))


@pytest.mark.parametrize("at_once", [1, 2, 3, 7, 40])
@pytest.mark.parametrize("zone", ["UTC", "America/Havana", "Australia/Lord_Howe"])
def test_parts_are_all_time_and_the_whole_is_their_sum(zone: str, at_once: int) -> None:
    rules = (a_rule("22:10", "06:30", 50), a_rule("00:10", "03:00", 25))
    calendar = a_calendar(*rules, zone=zone)
    wanted = desired(calendar, days=20)
    parts = list(wanted.parts(at_once))
    assert parts[0].since == EIGHT + timedelta.resolution
    assert parts[-1].until is None
    assert all(part.until == after.since for part, after in pairwise(parts))
    for part in parts:
        for slot in part.slots:
            assert part.since <= slot.start
            assert part.until is None or slot.end <= part.until
    assert laid(wanted, at_once) == laid(wanted)
    assert laid(wanted) == sorted(laid(wanted))


def part(*slots: DesiredSlot) -> Part:
    return Part(EIGHT, None, [DesiredStretch.of_one(slot) for slot in slots])


def test_the_digest_tells_all_that_is_wanted_apart() -> None:
    one = DesiredSlot(at("09:00"), at("09:30"), 1, ("a", "b"))
    others = [
        [],
        [one, one],
        [one._replace(start=at("08:59"))],
        [one._replace(end=at("09:31"))],
        [one._replace(capacity=2)],
        [one._replace(service_types=("b", "a"))],
        [one._replace(service_types=("ab",))],
        [one._replace(service_types=())],
    ]

    def digest(slots: list[DesiredSlot], zone: str = "UTC") -> str:
        return digest_of(zone, [part(*slots)])

    told = {digest(slots) for slots in others}
    assert len(told) == len(others)
    assert digest([one]) not in told
    assert digest([one]) != digest([one], "Europe/London")
    halves = [part(), part(one)]
    assert digest_of("UTC", halves) == digest([one])


def test_most_on_a_day_is_never_less_than_what_a_day_has() -> None:
    rules = (a_rule("22:00", "06:00"), a_rule("09:00", "09:00", 60))
    assert desired(a_calendar(*rules)).most_on_a_day() == 16 + 24
    assert desired(a_calendar(), role=a_role(active=False)).most_on_a_day() == 0

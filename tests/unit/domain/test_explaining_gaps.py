"""Time without a slot has a reason, too."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from scheduling.domain.availability import Assignment
from scheduling.domain.explaining import (
    Question,
    Reason,
    Stretch,
)
from scheduling.domain.period import Period, day_in
from scheduling.domain.schedule import Day, Hours
from scheduling.domain.schedule_exception import Deviation, ExceptionKind
from scheduling.domain.settings import (
    Settings,
)
from scheduling.domain.slot import SlotStatus
from tests.builders import MONDAY, a_schedule, a_slot, between
from tests.unit.domain.explained import (
    NINE,
    SCHEDULE,
    WEEKDAYS,
    a_calendar,
    explained,
    slot,
)


def gaps(**known: Any) -> list[tuple[str, str, list[str]]]:  # noqa: ANN401
    """From when until when there is nothing, and why."""
    return [
        (f"{one.period.start:%a %H:%M}", f"{one.period.end:%a %H:%M}", [*one.reasons])
        for one in explained(**known)
        if one.slot_id is None
    ]


MONDAY_AND_TUESDAY = Period(MONDAY, MONDAY + timedelta(days=2))


def test_time_without_slots_is_outside_of_hours_where_rules_work_that_day() -> None:
    sunday = Period(MONDAY - timedelta(days=1), MONDAY + timedelta(days=1))
    assert gaps(period=sunday) == [
        ("Sun 00:00", "Mon 00:00", ["NO_RULE"]),
        ("Mon 00:00", "Tue 00:00", ["OUTSIDE_HOURS"]),
    ]


def test_between_slots_there_is_a_reason_too() -> None:
    one, other = slot(between("09:00", "09:30")), slot(between("10:00", "10:30"))
    stretches = explained(other, one, period=between("09:00", "11:00"))
    assert [(s.period, s.is_offered) for s in stretches] == [
        (one.period, True),
        (between("09:30", "10:00"), False),
        (other.period, True),
        (between("10:30", "11:00"), False),
    ]


def test_who_has_no_calendar_has_no_rule() -> None:
    assert gaps(calendars=(), period=NINE) == [("Mon 09:00", "Mon 09:30", ["NO_RULE"])]


def test_a_closed_day_is_an_exception_all_day() -> None:
    closed = Deviation(
        kind=ExceptionKind.CLOSED,
        on_date=MONDAY.date(),
        period=day_in("UTC", MONDAY.date()),
    )
    calendar = a_calendar(deviations=(closed,))
    assert gaps(period=MONDAY_AND_TUESDAY, calendars=(calendar,)) == [
        ("Mon 00:00", "Tue 00:00", ["EXCEPTION"]),
        ("Tue 00:00", "Wed 00:00", ["OUTSIDE_HOURS"]),
    ]


def test_an_hour_that_is_closed_is_an_exception_for_an_hour() -> None:
    lunch = Deviation(kind=ExceptionKind.CLOSED, period=between("10:00", "11:00"))
    calendar = a_calendar(deviations=(lunch,))
    assert gaps(period=between("08:00", "12:00"), calendars=(calendar,)) == [
        ("Mon 08:00", "Mon 10:00", ["OUTSIDE_HOURS"]),
        ("Mon 10:00", "Mon 11:00", ["EXCEPTION"]),
        ("Mon 11:00", "Mon 12:00", ["OUTSIDE_HOURS"]),
    ]


def test_hours_that_are_replaced_are_an_exception_where_they_were() -> None:
    afternoon = Hours(start=time(13), end=time(14), slot_minutes=30)
    replaced = Deviation(
        kind=ExceptionKind.REPLACE,
        on_date=MONDAY.date(),
        period=day_in("UTC", MONDAY.date()),
        windows=(afternoon,),
    )
    calendar = a_calendar(deviations=(replaced,))
    assert gaps(period=between("08:00", "14:00"), calendars=(calendar,)) == [
        ("Mon 08:00", "Mon 09:00", ["OUTSIDE_HOURS"]),
        ("Mon 09:00", "Mon 12:00", ["EXCEPTION"]),
        ("Mon 12:00", "Mon 14:00", ["OUTSIDE_HOURS"]),
    ]


def test_an_absence_is_an_exception_within_hours_only() -> None:
    away = Assignment(active=True, away=(between("07:00", "10:00"),))
    calendar = a_calendar(assignments=(away,))
    assert gaps(period=between("06:00", "12:00"), calendars=(calendar,)) == [
        ("Mon 06:00", "Mon 09:00", ["OUTSIDE_HOURS"]),
        ("Mon 09:00", "Mon 10:00", ["EXCEPTION"]),
        ("Mon 10:00", "Mon 12:00", ["OUTSIDE_HOURS"]),
    ]


def test_hours_beyond_the_horizon_have_no_slots_yet() -> None:
    far = Settings(horizon_days=0)
    told = gaps(period=between("08:00", "10:00", day=1), settings=far)
    assert told == [
        ("Tue 08:00", "Tue 09:00", ["OUTSIDE_HOURS"]),
        ("Tue 09:00", "Tue 10:00", ["BEYOND_HORIZON"]),
    ]


def test_closed_for_one_service_is_open_for_others() -> None:
    no_xray = Deviation(
        kind=ExceptionKind.CLOSED,
        period=between("09:00", "10:00"),
        service_types=("x-ray",),
    )
    calendar = a_calendar(deviations=(no_xray,))

    def told(service_type: str | None) -> list[str]:
        question = Question(service_type=service_type)
        ((_, _, why),) = gaps(calendars=(calendar,), question=question)
        return why

    assert told("x-ray") == ["EXCEPTION"]
    assert told("checkup") == told(None) == ["OUTSIDE_HOURS"]


def test_slots_and_rules_of_other_services_are_not_there() -> None:
    xray = slot(service_types=("x-ray",))
    calendar = a_calendar(weekly=(replace(WEEKDAYS, service_types=("x-ray",)),))
    (stretch,) = explained(
        xray, calendars=(calendar,), question=Question(service_type="checkup")
    )
    assert stretch == Stretch(NINE, (Reason.NO_RULE,))


def test_days_are_those_of_the_calendar() -> None:
    """In Auckland UTC's Sunday noon is Monday, on which rules work."""
    calendar = a_calendar(timezone="Pacific/Auckland")
    sunday = datetime(2030, 1, 6, tzinfo=UTC)
    assert gaps(
        period=Period(sunday, sunday + timedelta(days=1)), calendars=(calendar,)
    ) == [
        ("Sun 00:00", "Sun 11:00", ["NO_RULE"]),
        ("Sun 11:00", "Mon 00:00", ["OUTSIDE_HOURS"]),
    ]


def test_the_night_before_is_of_the_day_on_which_it_began() -> None:
    night = replace(WEEKDAYS, days=(Day.SUN,), start=time(22), end=time(6))
    closed = Deviation(
        kind=ExceptionKind.CLOSED,
        on_date=date(2030, 1, 6),
        period=day_in("UTC", date(2030, 1, 6)),
    )
    calendar = a_calendar(weekly=(night,), deviations=(closed,))
    assert gaps(period=between("00:00", "09:00"), calendars=(calendar,)) == [
        ("Mon 00:00", "Mon 06:00", ["EXCEPTION"]),
        ("Mon 06:00", "Mon 09:00", ["NO_RULE"]),
    ]


def test_a_day_that_a_zone_skipped_is_explained() -> None:
    calendar = a_calendar(timezone="Pacific/Apia")
    start = datetime(2011, 12, 29, tzinfo=UTC)
    stretches = explained(
        period=Period(start, start + timedelta(days=3)), calendars=(calendar,)
    )
    assert stretches[0].period.start == start
    assert stretches[-1].period.end == start + timedelta(days=3)


def test_of_two_calendars_no_rule_is_told_only_where_neither_works() -> None:
    other = a_schedule(SCHEDULE.practitioner_id)
    on_tuesday = replace(WEEKDAYS, days=(Day.TUE,))
    calendars = (
        a_calendar(weekly=(replace(WEEKDAYS, days=(Day.MON,)),)),
        a_calendar(schedule_id=other.id, weekly=(on_tuesday,)),
    )
    three_days = Period(MONDAY, MONDAY + timedelta(days=3))
    assert gaps(period=three_days, calendars=calendars) == [
        ("Mon 00:00", "Wed 00:00", ["OUTSIDE_HOURS"]),
        ("Wed 00:00", "Thu 00:00", ["NO_RULE"]),
    ]


def test_slots_upon_each_other_are_both_told() -> None:
    other = a_schedule(SCHEDULE.practitioner_id)
    elsewhere = a_slot(between("09:15", "09:45"), schedule=other)
    here = slot()
    calendars = (a_calendar(), a_calendar(schedule_id=other.id))
    stretches = explained(
        here, elsewhere, calendars=calendars, period=between("09:00", "10:00")
    )
    assert [(one.slot_id, one.period) for one in stretches] == [
        (here.id, here.period),
        (elsewhere.id, elsewhere.period),
        (None, between("09:45", "10:00")),
    ]


def test_a_slot_is_cut_to_the_range_and_offered_all_the_same() -> None:
    long = slot(between("09:00", "12:00"))
    half_past = between("09:30", "10:00")
    assert explained(long, period=half_past) == [Stretch(half_past, (), long.id)]


def test_what_was_entered_in_error_is_not_there() -> None:
    assert [
        one.slot_id for one in explained(slot(status=SlotStatus.ENTERED_IN_ERROR))
    ] == [None]

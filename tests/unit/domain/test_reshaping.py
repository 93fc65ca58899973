"""Exceptions, and what they make of the slots that are there."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from scheduling.domain.errors import InvalidStatusTransition
from scheduling.domain.events import SlotBlocked, SlotOpened
from scheduling.domain.period import Period
from scheduling.domain.schedule_exception import ExceptionKind, ScheduleException
from scheduling.domain.slot import Slot, SlotStatus
from tests.builders import MONDAY, a_schedule, at, between
from tests.calendars import LONG_AGO, Calendar, every_day, hours

MON = MONDAY.date()
TUE = MON + timedelta(days=1)


def a_morning(**told: object) -> Calendar:
    """Nine to twelve on Monday and Tuesday."""
    calendar = Calendar(**told)  # type: ignore[arg-type]
    for day in (0, 1):
        for clock in (9, 10, 11):
            calendar.with_slots(between(f"{clock}:00", f"{clock + 1}:00", day=day))
    return calendar


FREE, BLOCKED, BUSY = "free", "busy-unavailable", "busy"
OPEN_MORNING = {"09:00": FREE, "10:00": FREE, "11:00": FREE}
CLOSED_MORNING = {"09:00": BLOCKED, "10:00": BLOCKED, "11:00": BLOCKED}


def told(slots: Iterable[Slot]) -> list[type]:
    return [type(event) for slot in slots for event in slot.events]


def test_a_closed_date_blocks_its_slots_and_leaves_its_neighbours() -> None:
    calendar = a_morning()
    closed = calendar.add(ExceptionKind.CLOSED, on_date=MON)
    assert calendar.shown() == CLOSED_MORNING
    assert calendar.shown(day=1) == OPEN_MORNING
    assert {slot.blocked_by for slot in calendar.slots[:3]} == {closed.id}
    assert told(calendar.last.changed) == [SlotBlocked] * 3


def test_removed_it_is_as_if_nothing_had_been_said() -> None:
    calendar = a_morning()
    before = [replace(slot, version=0) for slot in calendar.slots]
    calendar.remove(calendar.add(ExceptionKind.CLOSED, on_date=MON))
    assert [replace(slot, version=0) for slot in calendar.slots] == before
    assert told(calendar.last.changed) == [SlotOpened] * 3


def test_said_twice_it_does_nothing_the_second_time() -> None:
    calendar = a_morning()
    calendar.add(ExceptionKind.CLOSED, on_date=MON)
    again = calendar.add(ExceptionKind.CLOSED, on_date=MON)
    assert calendar.last.changed == []
    assert len(calendar.last.closed[again.id]) == 3


def test_what_two_close_stays_closed_until_both_are_gone() -> None:
    calendar = a_morning()
    one = calendar.add(ExceptionKind.CLOSED, on_date=MON)
    other = calendar.add(ExceptionKind.CLOSED, period=between("09:30", "10:30"))
    calendar.remove(one)
    assert calendar.shown() == {"09:00": BLOCKED, "10:00": BLOCKED, "11:00": FREE}
    assert {slot.blocked_by for slot in calendar.slots[:2]} == {other.id}
    assert told(calendar.last.changed) == [SlotOpened]
    calendar.remove(other)
    assert calendar.shown() == OPEN_MORNING


def test_exact_time_blocks_what_it_touches() -> None:
    calendar = a_morning()
    calendar.add(ExceptionKind.CLOSED, period=between("09:59", "10:01"))
    assert calendar.shown() == {"09:00": BLOCKED, "10:00": BLOCKED, "11:00": FREE}


def test_exact_time_does_not_block_what_ends_or_begins_with_it() -> None:
    calendar = a_morning()
    calendar.add(ExceptionKind.CLOSED, period=between("10:00", "11:00"))
    assert calendar.shown() == {"09:00": FREE, "10:00": BLOCKED, "11:00": FREE}


def test_a_block_for_one_service_leaves_the_others() -> None:
    calendar = Calendar()
    calendar.with_slots(between("09:00", "10:00"), service_types=("x-ray",))
    calendar.with_slots(between("10:00", "11:00"), service_types=("x-ray", "cast"))
    calendar.with_slots(between("11:00", "12:00"))
    calendar.add(
        ExceptionKind.CLOSED, period=between("08:00", "18:00"), service_types=("x-ray",)
    )
    assert calendar.shown() == {"09:00": BLOCKED, "10:00": FREE, "11:00": FREE}


def test_who_has_booked_keeps_the_time_and_is_among_what_is_closed() -> None:
    calendar = a_morning()
    calendar.book("10:00")
    closed = calendar.add(ExceptionKind.CLOSED, on_date=MON)
    assert calendar.shown() == CLOSED_MORNING
    assert [s.booked for s in calendar.last.closed[closed.id]] == [0, 1, 0]
    calendar.remove(closed)
    assert calendar.shown() == {"09:00": FREE, "10:00": BUSY, "11:00": FREE}
    assert told(calendar.last.changed) == [SlotOpened] * 2


def test_a_replaced_day_keeps_what_is_equal_and_opens_the_rest() -> None:
    calendar = a_morning()
    calendar.add(
        ExceptionKind.REPLACE,
        on_date=MON,
        windows=(hours("10:00", "11:00"), hours("14:00", "15:00", 30)),
    )
    assert calendar.shown() == {
        "09:00": BLOCKED,
        "10:00": FREE,
        "11:00": BLOCKED,
        "14:00": FREE,
        "14:30": FREE,
    }
    assert calendar.shown(day=1) == OPEN_MORNING


def test_a_replacement_may_lay_other_slots_over_those_it_closes() -> None:
    calendar = a_morning()
    replaced = calendar.add(
        ExceptionKind.REPLACE, on_date=MON, windows=(hours("09:30", "11:30"),)
    )
    assert calendar.shown() == CLOSED_MORNING | {"09:30": FREE, "10:30": FREE}
    calendar.remove(replaced)
    assert calendar.shown() == OPEN_MORNING
    assert sorted(map(str, told(calendar.last.changed))) == sorted(
        map(str, [SlotOpened] * 3 + [SlotBlocked] * 2)
    )


def test_the_last_replacement_stands_and_the_one_before_comes_back() -> None:
    calendar = a_morning()
    calendar.add(ExceptionKind.REPLACE, on_date=MON, windows=(hours("14:00", "15:00"),))
    last = calendar.add(
        ExceptionKind.REPLACE, on_date=MON, windows=(hours("16:00", "17:00"),)
    )
    assert calendar.shown() == CLOSED_MORNING | {"14:00": BLOCKED, "16:00": FREE}
    calendar.remove(last)
    assert calendar.shown() == CLOSED_MORNING | {"14:00": FREE}


def test_extra_hours_open_slots_that_go_with_them() -> None:
    calendar = a_morning()
    extra = calendar.add(
        ExceptionKind.EXTRA,
        on_date=MON,
        windows=(hours("11:00", "14:00", capacity=2, service_types=("x-ray",)),),
    )
    assert calendar.shown() == OPEN_MORNING | {"12:00": FREE, "13:00": FREE}
    made = calendar.last.made[0]
    assert (made.opened_by, made.capacity) == (extra.id, 2)
    assert made.service_types == ("x-ray",)
    calendar.remove(extra)
    assert calendar.shown() == OPEN_MORNING
    assert told(calendar.last.retired) == [SlotBlocked] * 2


def test_extra_hours_do_not_lie_on_slots_that_are_there() -> None:
    calendar = a_morning()
    calendar.add(ExceptionKind.EXTRA, on_date=MON, windows=(hours("11:30", "14:30"),))
    assert calendar.shown() == OPEN_MORNING | {"12:30": FREE, "13:30": FREE}


def test_what_was_booked_in_extra_hours_stays_and_takes_nobody_more() -> None:
    calendar = a_morning()
    extra = calendar.add(
        ExceptionKind.EXTRA,
        on_date=MON,
        windows=(hours("14:00", "16:00", capacity=2),),
    )
    calendar.book("15:00")
    calendar.remove(extra)
    assert calendar.shown() == OPEN_MORNING | {"15:00": BLOCKED}
    (stranded,) = calendar.last.stranded
    assert stranded.period.start == at("15:00")


def test_what_stayed_for_who_was_booked_opens_with_the_same_hours_again() -> None:
    calendar = a_morning()
    afternoon = (hours("14:00", "16:00", capacity=2),)
    extra = calendar.add(ExceptionKind.EXTRA, on_date=MON, windows=afternoon)
    calendar.book("15:00")
    calendar.remove(extra)
    (stranded,) = calendar.last.stranded
    tomorrow = calendar.add(ExceptionKind.CLOSED, on_date=TUE)
    assert stranded.id not in {slot.id for slot in calendar.last.changed}
    calendar.remove(tomorrow)
    again = calendar.add(ExceptionKind.EXTRA, on_date=MON, windows=afternoon)
    assert calendar.shown() == OPEN_MORNING | {"14:00": FREE, "15:00": BUSY}
    assert [slot.id for slot in calendar.last.opened] == [stranded.id]
    calendar.remove(again)
    assert calendar.shown() == OPEN_MORNING | {"15:00": BLOCKED}


def test_what_two_open_stays_until_both_are_gone() -> None:
    calendar = a_morning()
    one = calendar.add(
        ExceptionKind.EXTRA, on_date=MON, windows=(hours("14:00", "16:00"),)
    )
    other = calendar.add(
        ExceptionKind.EXTRA, on_date=MON, windows=(hours("15:00", "17:00"),)
    )
    calendar.remove(one)
    assert calendar.shown() == OPEN_MORNING | {"15:00": FREE, "16:00": FREE}
    calendar.remove(other)
    assert calendar.shown() == OPEN_MORNING


def test_extra_hours_of_a_closed_date_open_when_it_is_closed_no_more() -> None:
    calendar = a_morning()
    closed = calendar.add(ExceptionKind.CLOSED, on_date=MON)
    calendar.add(ExceptionKind.EXTRA, on_date=MON, windows=(hours("14:00", "15:00"),))
    assert calendar.shown() == CLOSED_MORNING
    calendar.remove(closed)
    assert calendar.shown() == OPEN_MORNING | {"14:00": FREE}


def test_a_closed_night_is_closed_past_midnight_and_the_night_before_is_not() -> None:
    calendar = Calendar(rules=(every_day("22:00", "02:00"),))
    for day in (0, 1):
        calendar.with_slots(
            between("22:00", "23:00", day=day),
            Period(at("23:00", day=day), at("00:00", day=day + 1)),
            between("00:00", "01:00", day=day + 1),
            between("01:00", "02:00", day=day + 1),
        )
    closed = calendar.add(ExceptionKind.CLOSED, on_date=TUE)
    assert calendar.shown(day=1) == {
        "00:00": FREE,
        "01:00": FREE,
        "22:00": BLOCKED,
        "23:00": BLOCKED,
    }
    assert calendar.shown(day=2) == {"00:00": BLOCKED, "01:00": BLOCKED}
    calendar.remove(closed)
    assert {slot.status for slot in calendar.slots} == {FREE}


def test_what_staff_blocked_is_theirs() -> None:
    calendar = a_morning()
    calendar.slots[0] = replace(calendar.slots[0].blocked(now=LONG_AGO), events=())
    closed = calendar.add(ExceptionKind.CLOSED, on_date=MON)
    assert calendar.slots[0].blocked_by is None
    calendar.remove(closed)
    assert calendar.shown() == OPEN_MORNING | {"09:00": BLOCKED}


def test_what_staff_made_is_closed_with_the_rest_and_never_removed() -> None:
    calendar = Calendar(rules=())
    calendar.with_slots(between("15:00", "16:00"))
    replaced = calendar.add(ExceptionKind.REPLACE, on_date=MON)
    assert calendar.shown() == {"15:00": BLOCKED}
    calendar.remove(replaced)
    assert calendar.shown() == {"15:00": FREE}


def test_no_hours_are_laid_on_what_staff_blocked() -> None:
    calendar = Calendar(rules=())
    calendar.with_slots(between("15:00", "16:00"), status=SlotStatus.BUSY_UNAVAILABLE)
    calendar.add(ExceptionKind.EXTRA, on_date=MON, windows=(hours("14:30", "16:30"),))
    assert calendar.shown() == {"15:00": BLOCKED}


def test_what_was_entered_in_error_is_left_alone() -> None:
    calendar = Calendar()
    calendar.with_slots(between("09:00", "10:00"), status=SlotStatus.ENTERED_IN_ERROR)
    calendar.add(ExceptionKind.CLOSED, on_date=MON)
    assert calendar.last.changed == []


def test_what_has_begun_is_left_as_it_is() -> None:
    calendar = a_morning(now=at("10:00") + timedelta(seconds=1))
    calendar.add(ExceptionKind.CLOSED, on_date=MON)
    assert calendar.shown() == {"09:00": FREE, "10:00": FREE, "11:00": BLOCKED}
    calendar.add(
        ExceptionKind.EXTRA,
        on_date=MON - timedelta(days=1),
        windows=(hours("09:00", "10:00"),),
    )
    assert calendar.last.changed == []


def test_a_whole_year_is_closed_at_once() -> None:
    calendar = a_morning()
    calendar.add(
        ExceptionKind.CLOSED,
        period=Period.of(at("10:30"), timedelta(days=366)),
    )
    assert calendar.shown() == {"09:00": FREE, "10:00": BLOCKED, "11:00": BLOCKED}
    assert calendar.shown(day=1) == CLOSED_MORNING


def test_dates_are_those_of_the_schedules_zone() -> None:
    """Tuesday in Auckland begins at eleven on Monday, in UTC."""
    schedule = replace(a_schedule(timezone="Pacific/Auckland"), availability=())
    exception = ScheduleException.added(
        schedule, kind=ExceptionKind.CLOSED, on_date=date(2030, 1, 8), now=LONG_AGO
    )
    assert exception.period == Period(at("11:00"), at("11:00", day=1))


def test_nobody_blocks_twice_by_hand() -> None:
    calendar = a_morning()
    calendar.add(ExceptionKind.CLOSED, on_date=MON)
    with pytest.raises(InvalidStatusTransition):
        calendar.slots[0].blocked(now=LONG_AGO)

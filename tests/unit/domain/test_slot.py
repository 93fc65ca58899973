from dataclasses import replace

import pytest

from scheduling.domain.errors import InvalidInput
from scheduling.domain.events import SlotOpened
from scheduling.domain.slot import Slot, SlotStatus
from tests.builders import EIGHT, a_schedule, a_slot, at, between

SCHEDULE = a_schedule()
FULL = a_slot(schedule=SCHEDULE, booked=1, status=SlotStatus.BUSY, version=2)


def test_an_opened_slot_is_announced() -> None:
    slot = Slot.opened(
        SCHEDULE, between("09:00", "09:30"), capacity=3, service_types=(), now=EIGHT
    )
    assert slot.events == (
        SlotOpened(
            occurred_at=EIGHT,
            version=1,
            slot_id=slot.id,
            schedule_id=SCHEDULE.id,
            practitioner_id=SCHEDULE.practitioner_id,
            location_id=SCHEDULE.location_id,
            period=between("09:00", "09:30"),
            timezone="UTC",
            remaining=3,
        ),
    )


def test_a_slot_without_a_seat_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        a_slot(capacity=0)
    assert refused.value.field == "capacity"


@pytest.mark.parametrize(
    ("status", "seats"),
    [
        (SlotStatus.FREE, 2),
        (SlotStatus.BUSY, 2),
        (SlotStatus.BUSY_TENTATIVE, 0),
        (SlotStatus.BUSY_UNAVAILABLE, 0),
        (SlotStatus.ENTERED_IN_ERROR, 0),
    ],
)
def test_only_what_is_open_has_seats(status: SlotStatus, seats: int) -> None:
    assert a_slot(capacity=3, booked=1, status=status).remaining == seats


def test_lowered_below_what_is_booked_none_is_left() -> None:
    assert a_slot(capacity=5, booked=8).remaining == 0


def test_a_full_slot_that_is_released_is_opened_once() -> None:
    free = FULL.released(EIGHT)
    assert (free.booked, free.status, free.version) == (0, SlotStatus.FREE, 3)
    (opened,) = free.events
    assert isinstance(opened, SlotOpened)
    assert (opened.version, opened.remaining) == (3, 1)


def test_a_seat_in_a_group_that_was_not_full_is_no_news() -> None:
    group = a_slot(capacity=10, booked=8)
    assert group.released(EIGHT).booked == 7
    assert group.released(EIGHT).events == ()


def test_a_seat_in_a_group_that_was_full_is_news() -> None:
    group = a_slot(capacity=10, booked=10, status=SlotStatus.BUSY)
    (opened,) = group.released(EIGHT).events
    assert isinstance(opened, SlotOpened)
    assert opened.remaining == 1


def test_an_overbooked_slot_stays_full_when_one_of_two_goes() -> None:
    twice = replace(FULL, booked=2)
    once = twice.released(EIGHT)
    assert (once.remaining, once.status, once.events) == (0, SlotStatus.BUSY, ())


def test_a_blocked_slot_stays_blocked_when_its_seat_is_given_back() -> None:
    blocked = replace(FULL, status=SlotStatus.BUSY_UNAVAILABLE)
    released = blocked.released(EIGHT)
    assert released.status is SlotStatus.BUSY_UNAVAILABLE
    assert released.events == ()


def test_more_seats_than_there_are_are_never_given_back() -> None:
    assert a_slot().released(EIGHT).booked == 0


def test_a_slots_instants_are_told_in_utc() -> None:
    assert a_slot().period.start == at("09:00")


@pytest.mark.parametrize(
    ("booked", "status", "shown"),
    [
        (1, SlotStatus.FREE, SlotStatus.BUSY_UNAVAILABLE),
        (2, SlotStatus.BUSY, SlotStatus.BUSY),
        (1, SlotStatus.BUSY, SlotStatus.BUSY_UNAVAILABLE),
        (1, SlotStatus.BUSY_UNAVAILABLE, SlotStatus.BUSY_UNAVAILABLE),
        (0, SlotStatus.ENTERED_IN_ERROR, SlotStatus.ENTERED_IN_ERROR),
    ],
)
def test_what_no_rule_wants_has_no_seat_and_is_not_shown_as_free(
    booked: int, status: SlotStatus, shown: SlotStatus
) -> None:
    slot = a_slot(capacity=2, booked=booked, status=status, obsolete_since=EIGHT)
    assert (slot.remaining, slot.shown_status) == (0, shown)
    assert a_slot(capacity=2, booked=booked, status=status).shown_status is status


def test_seats_of_what_no_rule_wants_come_back_without_news() -> None:
    full = replace(FULL, obsolete_since=EIGHT)
    assert full.released(EIGHT).events == ()
    assert FULL.released(EIGHT).events != ()
    blocked = a_slot(status=SlotStatus.BUSY_UNAVAILABLE, obsolete_since=EIGHT)
    assert blocked.unblocked(EIGHT).events == ()
    assert replace(blocked, obsolete_since=None).unblocked(EIGHT).events != ()

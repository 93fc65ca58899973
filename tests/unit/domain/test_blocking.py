"""A slot that gives no more seats, and gives them again."""

from dataclasses import replace
from uuid import uuid4

import pytest

from scheduling.domain.errors import InvalidStatusTransition
from scheduling.domain.events import SlotBlocked, SlotOpened
from scheduling.domain.identifiers import ScheduleExceptionId
from scheduling.domain.slot import SlotStatus
from tests.builders import EIGHT, a_slot

AN_EXCEPTION = ScheduleExceptionId(uuid4())


def test_a_blocked_slot_has_no_seat_left_and_says_so() -> None:
    slot = a_slot(capacity=3, booked=1)
    blocked = slot.blocked(reason="meeting", now=EIGHT)
    assert blocked.status is SlotStatus.BUSY_UNAVAILABLE
    assert (blocked.remaining, blocked.booked) == (0, 1)
    assert blocked.blocked_reason == "meeting"
    assert blocked.version == slot.version + 1
    (news,) = blocked.events
    assert isinstance(news, SlotBlocked)
    assert (news.version, news.remaining, news.exception_id) == (2, 0, None)


def test_who_closes_it_is_told() -> None:
    blocked = a_slot().blocked(by=AN_EXCEPTION, now=EIGHT)
    assert blocked.blocked_by == AN_EXCEPTION
    (news,) = blocked.events
    assert isinstance(news, SlotBlocked)
    assert news.exception_id == AN_EXCEPTION


@pytest.mark.parametrize(
    "status", [SlotStatus.BUSY_UNAVAILABLE, SlotStatus.ENTERED_IN_ERROR]
)
def test_what_gives_no_seats_cannot_be_blocked(status: SlotStatus) -> None:
    with pytest.raises(InvalidStatusTransition):
        a_slot(status=status).blocked(now=EIGHT)


def test_an_unblocked_slot_has_the_seats_that_are_left() -> None:
    blocked = a_slot(capacity=3, booked=1).blocked(reason="meeting", now=EIGHT)
    opened = blocked.unblocked(EIGHT)
    assert (opened.status, opened.remaining) == (SlotStatus.FREE, 2)
    assert (opened.blocked_by, opened.blocked_reason) == (None, None)
    assert opened.version == 3
    (news,) = opened.events
    assert isinstance(news, SlotOpened)
    assert news.remaining == 2


def test_a_full_one_is_busy_again_and_that_is_no_news() -> None:
    blocked = replace(a_slot(booked=1, status=SlotStatus.BUSY), events=())
    opened = replace(blocked.blocked(now=EIGHT), events=()).unblocked(EIGHT)
    assert opened.status is SlotStatus.BUSY
    assert opened.events == ()


@pytest.mark.parametrize(
    "status", [s for s in SlotStatus if s is not SlotStatus.BUSY_UNAVAILABLE]
)
def test_only_a_blocked_slot_is_unblocked(status: SlotStatus) -> None:
    with pytest.raises(InvalidStatusTransition):
        a_slot(status=status).unblocked(EIGHT)


def test_what_an_exception_closes_is_not_unblocked() -> None:
    blocked = a_slot(status=SlotStatus.BUSY_UNAVAILABLE)
    with pytest.raises(InvalidStatusTransition):
        blocked.unblocked(EIGHT, closed_by=(AN_EXCEPTION,))


def test_a_seat_given_back_in_a_blocked_slot_is_nobodys() -> None:
    freed = a_slot(booked=1, status=SlotStatus.BUSY_UNAVAILABLE).released(EIGHT)
    assert (freed.status, freed.remaining) == (SlotStatus.BUSY_UNAVAILABLE, 0)
    assert freed.events == ()

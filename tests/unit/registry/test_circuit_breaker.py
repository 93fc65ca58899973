"""Who fails again and again is left alone for a while."""

import asyncio
from contextlib import suppress

import pytest

from scheduling.adapters.registry.circuit_breaker import CircuitBreaker, CircuitOpen
from tests.unit.tokens.forge import Clock

PAUSE = 10.0


class Side:
    """The other side, behind a breaker that opens after three failures."""

    def __init__(self) -> None:
        self.clock = Clock(0)
        self.turns: list[bool] = []
        self.breaker = CircuitBreaker(
            failures=3, pause=PAUSE, monotonic=self.clock, turned=self.turns.append
        )

    def works(self) -> None:
        with self.breaker.guarding():
            pass

    def fails(self) -> None:
        with suppress(ZeroDivisionError), self.breaker.guarding():
            raise ZeroDivisionError

    def is_open(self) -> bool:
        return self.breaker.is_open

    def is_refused(self) -> bool:
        try:
            self.works()
        except CircuitOpen:
            return True
        return False


@pytest.fixture
def side() -> Side:
    return Side()


def test_failures_in_a_row_open_it_and_others_are_refused(side: Side) -> None:
    side.fails()
    side.fails()
    assert not side.is_open()
    side.fails()
    assert side.is_open()
    assert side.is_refused()
    assert side.turns == [True]


def test_a_success_in_between_begins_the_count_anew(side: Side) -> None:
    for _ in range(5):
        side.fails()
        side.fails()
        side.works()
    assert side.turns == []


def test_it_stays_open_for_its_pause_and_closes_with_a_success(side: Side) -> None:
    for _ in range(3):
        side.fails()
    side.clock.advance(PAUSE - 0.001)
    assert side.is_refused()
    side.clock.advance(0.001)
    assert not side.is_refused()
    assert side.turns == [True, False]
    side.fails()
    assert not side.is_open(), "it was closed, and counts from the beginning"


def test_a_probe_that_fails_opens_it_for_another_pause(side: Side) -> None:
    for _ in range(3):
        side.fails()
    side.clock.advance(PAUSE)
    side.fails()
    assert side.is_refused()
    side.clock.advance(PAUSE - 1)
    assert side.is_refused()
    side.clock.advance(1)
    assert not side.is_refused()
    assert side.turns == [True, False], "it is told once that it is open"


def test_one_probe_goes_alone(side: Side) -> None:
    for _ in range(3):
        side.fails()
    side.clock.advance(PAUSE)
    with side.breaker.guarding():
        for _ in range(3):
            assert side.is_refused()
    assert not side.is_refused()


async def test_a_probe_that_is_cancelled_says_nothing_and_leaves_its_place(
    side: Side,
) -> None:
    for _ in range(3):
        side.fails()
    side.clock.advance(PAUSE)
    with suppress(asyncio.CancelledError), side.breaker.guarding():
        raise asyncio.CancelledError
    assert side.is_open()
    assert not side.is_refused()


def test_what_was_asked_before_it_opened_and_succeeds_late_closes_it(
    side: Side,
) -> None:
    with side.breaker.guarding():
        for _ in range(3):
            side.fails()
        assert side.is_open()
    assert not side.is_open()

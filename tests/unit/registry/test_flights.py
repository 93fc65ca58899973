"""What is asked already is not asked again."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from scheduling.adapters.registry.flights import Flights


class Question:
    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked = 0
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def __call__(self) -> object:
        self.asked += 1
        self.is_asked.set()
        await self.may_answer.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


Ask = Callable[[], Coroutine[Any, Any, object]]


def joining(flights: Flights[str, object], ask: Ask) -> asyncio.Task[object]:
    return asyncio.create_task(flights.join("one", ask))


async def test_all_who_ask_at_a_time_get_one_answer() -> None:
    flights: Flights[str, object] = Flights()
    question = Question("yes")
    waiting = [joining(flights, question) for _ in range(5)]
    other = asyncio.create_task(flights.join("other", question))
    await question.is_asked.wait()
    question.may_answer.set()
    assert await asyncio.gather(*waiting, other) == ["yes"] * 6
    assert question.asked == 2, "of another it is another question"
    await flights.join("one", question)
    assert question.asked == 3, "an answer is not kept"


async def test_a_failure_is_everybodys() -> None:
    flights: Flights[str, object] = Flights()
    question = Question(LookupError("no"))
    waiting = [joining(flights, question) for _ in range(3)]
    question.may_answer.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in found] == [LookupError] * 3


async def test_who_stops_waiting_stops_nobody_else() -> None:
    flights: Flights[str, object] = Flights()
    question = Question("yes")
    impatient, patient = joining(flights, question), joining(flights, question)
    await question.is_asked.wait()
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    question.may_answer.set()
    assert await patient == "yes"
    assert question.asked == 1


async def test_a_failure_that_nobody_waits_for_is_nobodys() -> None:
    """Warnings are errors here: a forgotten exception would be one."""
    flights: Flights[str, object] = Flights()
    question = Question(LookupError("no"))
    waiting = joining(flights, question)
    await question.is_asked.wait()
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    question.may_answer.set()
    await flights.stop()


async def test_what_is_under_way_ends_with_those_who_ask() -> None:
    flights: Flights[str, object] = Flights()
    question = Question("never")
    waiting = joining(flights, question)
    await question.is_asked.wait()
    await flights.stop()
    with pytest.raises(asyncio.CancelledError):
        await waiting

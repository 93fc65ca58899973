import asyncio

import pytest

from scheduling.application.commands.answer_once import AnswerOnce
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.ports.repositories import IdempotencyKey, StoredAnswer
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import (
    IdempotencyKeyReused,
    RequestInProgress,
    SlotNotAvailable,
)
from tests.builders import EIGHT, Clinic, open_clinic
from tests.fakes.storage import MemoryStorage

KEY = IdempotencyKey("key-1", "print-1")


@pytest.fixture
async def clinic(storage: MemoryStorage) -> Clinic:
    return await open_clinic(storage.begin)


class Desk:
    """Books the clinic's slot in the transaction that it is given."""

    def __init__(self, clinic: Clinic, patient: int = 0) -> None:
        self.clinic = clinic
        self.patient = patient
        self.runs = 0

    async def __call__(self, begin: BeginWork) -> StoredAnswer:
        self.runs += 1
        book = BookAppointment(begin, lambda: EIGHT)
        booked = await book(self.clinic.caller, self.clinic.request(self.patient))
        return StoredAnswer(201, {"ETag": '"1"'}, str(booked.id).encode())


async def test_the_same_again_is_answered_the_same_and_done_once(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    once, desk = AnswerOnce(storage.begin), Desk(clinic)
    first, replayed = await once(clinic.caller, KEY, desk)
    assert (first.status, replayed) == (201, False)
    assert await once(clinic.caller, KEY, desk) == (first, True)
    assert desk.runs == 1
    assert len(await storage.outbox(clinic.caller)) == 3


async def test_another_request_under_the_key_is_refused(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    once, desk = AnswerOnce(storage.begin), Desk(clinic)
    await once(clinic.caller, KEY, desk)
    with pytest.raises(IdempotencyKeyReused):
        await once(clinic.caller, IdempotencyKey(KEY.key, "print-2"), desk)
    assert desk.runs == 1


async def test_a_refused_command_is_not_kept_as_an_answer(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    once = AnswerOnce(storage.begin)
    other = IdempotencyKey("key-2", "print-2")
    await once(clinic.caller, KEY, Desk(clinic, 0))
    for _ in range(2):
        desk = Desk(clinic, 1)
        with pytest.raises(SlotNotAvailable):
            await once(clinic.caller, other, desk)
        assert desk.runs == 1


async def test_effect_and_answer_are_undone_together(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    once = AnswerOnce(storage.begin)
    desk = Desk(clinic)

    async def fails_at_the_end(begin: BeginWork) -> StoredAnswer:
        await desk(begin)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await once(clinic.caller, KEY, fails_at_the_end)
    assert len(await storage.outbox(clinic.caller)) == 2
    await once(clinic.caller, KEY, desk)


async def test_a_duplicate_is_told_that_the_first_is_running(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    once, desk = AnswerOnce(storage.begin), Desk(clinic)
    running, go_on = asyncio.Event(), asyncio.Event()

    async def slow(begin: BeginWork) -> StoredAnswer:
        running.set()
        await go_on.wait()
        return await desk(begin)

    first = asyncio.create_task(once(clinic.caller, KEY, slow))
    await running.wait()
    with pytest.raises(RequestInProgress):
        await once(clinic.caller, KEY, desk)
    go_on.set()
    await first
    assert desk.runs == 1

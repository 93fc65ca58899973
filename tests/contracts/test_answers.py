"""An answer under an Idempotency-Key: given once, replayed byte for byte."""

import asyncio
from dataclasses import replace

import pytest

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.repositories import IdempotencyKey, StoredAnswer
from scheduling.domain.errors import IdempotencyKeyReused, RequestInProgress
from scheduling.entrypoints.attempts import settled
from tests.builders import a_caller
from tests.contracts.storages import Storage

KEY = IdempotencyKey("7f6b", "print-of-the-request")
ANSWER = StoredAnswer(
    201, {"ETag": '"1"', "Location": "/v1/x"}, '{"name": "Žofie"}'.encode()
)


async def recalled(
    storage: Storage, caller: Caller, key: IdempotencyKey = KEY
) -> StoredAnswer | None:
    async with storage.begin(caller) as work:
        return await work.answers.recall(key)


async def keep(storage: Storage, caller: Caller) -> None:
    async with storage.begin(caller) as work:
        assert await work.answers.recall(KEY) is None
        work.answers.keep(KEY, ANSWER)


async def test_an_answer_is_recalled_byte_for_byte(everywhere: Storage) -> None:
    caller = a_caller()
    await keep(everywhere, caller)
    assert await recalled(everywhere, caller) == ANSWER


async def test_a_key_under_another_request_is_refused(everywhere: Storage) -> None:
    caller = a_caller()
    await keep(everywhere, caller)
    with pytest.raises(IdempotencyKeyReused):
        await recalled(everywhere, caller, replace(KEY, fingerprint="another"))


async def test_a_key_belongs_to_its_tenant_and_its_caller(everywhere: Storage) -> None:
    caller = a_caller()
    await keep(everywhere, caller)
    assert await recalled(everywhere, a_caller()) is None
    assert await recalled(everywhere, replace(caller, subject="another")) is None
    assert await recalled(everywhere, caller, replace(KEY, key="other")) is None


async def test_a_failed_request_leaves_its_key_free(everywhere: Storage) -> None:
    caller = a_caller()
    with pytest.raises(ZeroDivisionError):
        async with everywhere.begin(caller) as work:
            await work.answers.recall(KEY)
            work.answers.keep(KEY, ANSWER)
            raise ZeroDivisionError
    await keep(everywhere, caller)


async def test_the_same_request_elsewhere_is_told_that_it_runs(
    everywhere: Storage,
) -> None:
    caller = a_caller()
    async with everywhere.begin(caller) as first:
        await first.answers.recall(KEY)
        with pytest.raises(RequestInProgress):
            await recalled(everywhere, caller)
        assert await recalled(everywhere, replace(caller, subject="another")) is None
        first.answers.keep(KEY, ANSWER)
    assert await recalled(everywhere, caller) == ANSWER


async def test_of_parallel_duplicates_one_is_answered_and_all_hear_the_same(
    everywhere: Storage,
) -> None:
    caller = a_caller()
    runs = 0

    async def ask() -> StoredAnswer:
        nonlocal runs
        async with everywhere.begin(caller) as work:
            earlier = await work.answers.recall(KEY)
            if earlier is not None:
                return earlier
            runs += 1
            answer = replace(ANSWER, body=f"run {runs}".encode())
            work.answers.keep(KEY, answer)
        return answer

    outcomes = await asyncio.gather(
        *(settled(ask) for _ in range(20)), return_exceptions=True
    )
    stored = await recalled(everywhere, caller)
    assert stored is not None
    for outcome in outcomes:
        assert outcome == stored or isinstance(outcome, RequestInProgress)

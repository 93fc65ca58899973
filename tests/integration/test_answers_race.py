"""An answer is found by whoever gets the lock after it was given, at any instant."""

import asyncio
from functools import partial
from uuid import uuid4

from scheduling.adapters.postgres.sessions import open_pool
from scheduling.adapters.postgres.unit_of_work import begin_work
from scheduling.application.ports.repositories import IdempotencyKey, StoredAnswer
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import RequestInProgress
from tests.builders import EIGHT, a_caller

ANSWER = StoredAnswer(201, {}, b"{}")
KEYS = 150
AT_ONCE = 4


async def ask_until_answered(
    begin: BeginWork, caller: object, key: IdempotencyKey
) -> int:
    """Return how often nobody seemed to have answered, so that we did."""
    answered = 0
    while True:
        try:
            async with begin(caller) as work:  # type: ignore[arg-type]
                if await work.answers.recall(key) is not None:
                    return answered
                work.answers.keep(key, ANSWER)
            answered += 1
        except RequestInProgress:
            await asyncio.sleep(0)


async def test_of_many_who_ask_at_once_one_finds_no_answer(database_url: str) -> None:
    pool = await open_pool(database_url, role="scheduling_api", size=AT_ONCE)
    begin = partial(begin_work, pool, lambda: None, lambda: EIGHT)
    caller = a_caller()
    try:
        for _ in range(KEYS):
            key = IdempotencyKey(str(uuid4()), "print")
            asking = [ask_until_answered(begin, caller, key) for _ in range(AT_ONCE)]
            assert sum(await asyncio.gather(*asking)) == 1
    finally:
        await pool.close()

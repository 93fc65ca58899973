"""A year of quarters of an hour is never in memory at once."""

import tracemalloc
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

import pytest

from tests.builders import EIGHT
from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.generating import a_post
from tests.patterns import a_rule

Result = TypeVar("Result")

A_YEAR = 365
QUARTERS = 96 * A_YEAR + 63  # of today only what is ahead
MIB, AT_MOST = 1 << 20, 12


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[PostgresStorage]:
    async with postgres_storage(database_url, size=2) as storage:
        warm = await a_post(storage)
        await warm.generate()
        yield storage


async def most_during(run: Awaitable[Result]) -> tuple[Result, float]:
    """Return how much more was allocated at the worst moment than before, in MiB."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        done = await run
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return done, (most - before) / MIB


async def test_a_year_of_quarters_is_looked_at_in_parts(
    storage: PostgresStorage,
) -> None:
    post = await a_post(storage, a_rule("00:00", "00:00", 15), horizon=A_YEAR)
    run, first = await most_during(post.generate())
    assert run.created == QUARTERS
    # The counterpart: all of them at once take more than that.
    async with storage.begin(post.clinic.caller) as work:
        all_of_them = work.generation.slots(run.schedule_id, EIGHT, None)
        slots, most = await most_during(all_of_them)
    assert (len(slots), most > AT_MOST) == (QUARTERS, True)
    await post.put(a_rule("00:00", "00:00", 20))
    run, other_grid = await most_during(post.generate())
    assert (run.created, run.retired) == (72 * A_YEAR + 47, QUARTERS)
    assert max(first, other_grid) < AT_MOST

"""A run costs as many statements for many slots as for few."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.generating import MORNING, Post, a_post
from tests.integration.ear import BEGIN, COMMIT, READ, TENANT, WRITE, Ear
from tests.patterns import a_rule

FEW_AND_MANY = pytest.mark.parametrize("days", [2, 60])
# The schedule, what it follows, exceptions, how its slots are as a whole.
LOOK = [READ, READ, READ, READ]


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[PostgresStorage]:
    async with postgres_storage(database_url, size=1) as storage:
        # asyncpg asks about each type once, when it first meets it.
        post = await a_post(storage)
        await post.generate()
        await post.put(replace(MORNING, service_types=("eyes",)))
        await post.generate()
        yield storage


async def heard(post: Post, storage: PostgresStorage, **told: bool) -> list[str]:
    """Let it be generated, and return what was said without the test's own look."""
    ear = Ear(storage)
    async with storage.pool.acquire() as connection:
        connection.add_query_logger(ear.hear)
    said = [one for one in await ear.during(post.generate(**told)) if one != TENANT]
    async with storage.pool.acquire() as connection:
        connection.remove_query_logger(ear.hear)
    of_the_test, *said = said
    assert of_the_test == READ
    return said


@FEW_AND_MANY
async def test_of_slots_that_come_and_go(storage: PostgresStorage, days: int) -> None:
    post = await a_post(storage, horizon=days)
    is_on = [READ]
    assert await heard(post, storage) == [BEGIN, *LOOK, *is_on, "INSERT", WRITE, COMMIT]
    assert await heard(post, storage) == [BEGIN, *LOOK, WRITE, COMMIT]

    await post.book("10:30")
    await post.put(a_rule("09:00", "10:00", capacity=2), a_rule("14:00", "15:00", 60))
    slots, who_is_in_them, locked, behind_the_horizon = READ, READ, READ, READ
    assert await heard(post, storage, dry_run=True) == [
        *[*LOOK, *is_on, slots, who_is_in_them, behind_the_horizon],
    ]
    assert await heard(post, storage) == [
        *[BEGIN, *LOOK, *is_on, slots, locked, who_is_in_them],
        *["DELETE", "UPDATE", "UPDATE", "INSERT", behind_the_horizon, WRITE, COMMIT],
    ]


async def test_of_many_that_are_looked_at_in_parts(storage: PostgresStorage) -> None:
    post = await a_post(storage, a_rule("00:00", "00:00", 15), horizon=120)
    said = await heard(post, storage)
    parts = said.count("INSERT")
    assert said == [BEGIN, *LOOK, READ, *["INSERT"] * parts, WRITE, COMMIT]
    assert parts == 3
    assert len(await post.slots()) == 96 * 120 + 63
    await post.put(MORNING)
    said = await heard(post, storage)
    # Each part is read, locked, cleared and brought up to date; behind the horizon
    # there is nothing.
    assert len(said) <= len([BEGIN, *LOOK, READ, WRITE, COMMIT]) + 4 * 4

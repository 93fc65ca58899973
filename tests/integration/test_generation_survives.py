"""A run that is killed half-way is done whole by the next, or was done whole before."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from scheduling.application.commands.put_location import PutLocation
from scheduling.application.commands.put_practitioner import PutPractitioner
from scheduling.application.commands.put_practitioner_role import PutPractitionerRole
from tests.builders import EIGHT, a_location, a_practitioner, a_role
from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.generating import Post, a_post
from tests.patterns import a_rule

DAYS = 20
CALENDARS, SLOTS = 6, 96 * DAYS + 63  # of today only what is ahead
ROUND_THE_CLOCK = a_rule("00:00", "00:00", 15)


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[PostgresStorage]:
    async with postgres_storage(database_url, size=2) as storage:
        yield storage


async def some_calendars(storage: PostgresStorage) -> Post:
    """One of them is the post's; there is that of the clinic's staff, too, which wants
    nothing.
    """
    post = await a_post(storage, ROUND_THE_CLOCK, horizon=DAYS)
    caller = post.clinic.caller
    for _ in range(CALENDARS - 1):
        practitioner, location = a_practitioner(), a_location()
        await PutPractitioner(storage.begin, lambda: EIGHT)(caller, practitioner)
        await PutLocation(storage.begin, lambda: EIGHT)(caller, location)
        role = a_role(practitioner.id, location.id, availability=(ROUND_THE_CLOCK,))
        await PutPractitionerRole(storage.begin, lambda: EIGHT)(caller, role)
    return post


async def rolling(database_url: str, post: Post) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.rolling", database_url),
        str(post.clinic.caller.tenant_id),
        stdout=PIPE,
    )


async def next_line(process: Process) -> list[str]:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 60)).decode().split()


async def until_it_writes(database_url: str) -> None:
    """Wait until a run is just writing slots, which nobody else can see yet."""
    connection = await asyncpg.connect(database_url)
    writing = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
        " AND query LIKE 'INSERT INTO slots%' AND datname = current_database()"
    )
    try:
        while not await connection.fetchval(writing):  # noqa: ASYNC110  # has to be asked
            await asyncio.sleep(0)
    finally:
        await connection.close()


async def made(post: Post) -> Counter[Any]:
    slots = await post.storage.slots(post.clinic.caller)
    by_hand = {slot.id for slot in post.clinic.slots}
    return Counter(slot.schedule_id for slot in slots if slot.id not in by_hand)


async def test_killed_half_way_and_begun_again(
    database_url: str, storage: PostgresStorage
) -> None:
    post = await some_calendars(storage)
    for _ in range(3):
        process = await rolling(database_url, post)
        await next_line(process)
        await until_it_writes(database_url)
        process.kill()
        await process.wait()
        # Of each calendar there is all or nothing.
        assert set((await made(post)).values()) <= {SLOTS}
    assert len(await made(post)) < CALENDARS, "it was done before it was killed"

    process = await rolling(database_url, post)
    said = [line async for line in _lines(process)]
    assert await process.wait() == 0
    assert len(said) == CALENDARS + 1
    assert {word for word, *_ in said} == {"again", "done"}
    assert list((await made(post)).values()) == [SLOTS] * CALENDARS
    outbox = await storage.outbox(post.clinic.caller)
    told = [one for one in outbox if one.subject.endswith("generation.completed")]
    assert len(told) == CALENDARS + 1, "each is told once, however often it was begun"


async def _lines(process: Process) -> AsyncIterator[list[str]]:
    while line := await next_line(process):
        yield line

"""Runs under the database role of the process that they happen in."""

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from scheduling.application.commands.roll_horizon_forward import RollHorizonForward
from scheduling.domain.schedule_exception import ExceptionKind
from tests.builders import at, between
from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.generating import MORNING, Post, a_post
from tests.patterns import a_rule, hours


@pytest.fixture
async def post(database_url: str) -> AsyncIterator[Post]:
    """Slots are made by the inbox, all else is done by the API."""
    inbox = postgres_storage(database_url, role="scheduling_inbox", size=2)
    async with postgres_storage(database_url, size=2) as storage, inbox as other:
        post = await a_post(storage, replace(MORNING, capacity=2))
        post.begin = other.begin
        yield post


async def test_the_inbox_may_do_all_that_a_run_does(post: Post) -> None:
    assert (await post.generate()).created == 12
    await post.book("10:00")
    await post.hold("10:30", patient=1)
    await post.open_by_hand(between("13:15", "13:45"))
    await post.say(ExceptionKind.EXTRA, hours("15:00", "16:00"), day=1)
    await post.place(timezone="Europe/London", closed_days=(at("00:00", day=2).date(),))
    await post.put(a_rule("09:00", "10:00", capacity=1), a_rule("13:00", "14:00"))
    run = await post.generate()
    assert run.created > 0
    assert run.updated > 0
    assert run.retired > 0
    assert run.retained == 2
    assert run.conflicts > 0
    assert (await post.generate(dry_run=True)).created == 0
    assert await post.follow(1) is None
    roll = RollHorizonForward(post.begin, post.clock, post.almanac)
    assert [one.failure async for one in roll(post.clinic.caller)] == [None, None]


async def test_it_sees_no_other_tenants_slots_even_by_raw_sql(
    post: Post, database_url: str
) -> None:
    await post.generate()
    inbox = {"role": "scheduling_inbox"}
    connection = await asyncpg.connect(database_url, server_settings=inbox)
    try:
        for table in ("slots", "generation_runs", "schedules"):
            assert await connection.fetch(f"SELECT * FROM {table}") == []  # noqa: S608
    finally:
        await connection.close()
    assert isinstance(post.storage, PostgresStorage)

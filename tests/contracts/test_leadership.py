"""One process does a job at a time, and another goes on when that one dies."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from scheduling.adapters.postgres.leadership import lock_of, open_leadership
from scheduling.application.ports.leadership import (
    AFTER_DEATH,
    AFTER_FAILURE,
    JobRun,
    Leadership,
    LeadershipLost,
    NotNow,
    RunOutcome,
    Taken,
)
from tests.fakes.leadership import Board, MemoryLeadership

HOURLY = timedelta(hours=1)


@dataclass(frozen=True)
class Office:
    """Two processes; `later` lets time go by since a job began, `kill` ends the
    session of the first.
    """

    one: Leadership
    other: Leadership
    later: Callable[[str, timedelta], Awaitable[None]]
    kill: Callable[[], Awaitable[None]]


@pytest.fixture(params=["memory", "postgres"])
async def office(request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    if request.param == "memory":
        board = Board()
        one = MemoryLeadership(board)

        async def later(_job: str, by: timedelta) -> None:
            board.now += by

        async def kill() -> None:
            one.lose()

        yield Office(one, MemoryLeadership(board), later, kill)
        return
    url = request.getfixturevalue("shared_database_url")
    async with AsyncExitStack() as held:
        first = await held.enter_async_context(open_leadership(url))
        second = await held.enter_async_context(open_leadership(url))
        admin = await asyncpg.connect(url)
        held.push_async_callback(admin.close)

        async def age(job: str, by: timedelta) -> None:
            await admin.execute("SET ROLE scheduling_cron")
            await admin.execute(
                "UPDATE cron_runs SET started_at = started_at - $2::interval "
                "WHERE job = $1",
                job,
                by,
            )
            await admin.execute("RESET ROLE")

        async def terminate() -> None:
            name = a_job()
            async with first.turn(name, None):
                await admin.execute(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks "
                    "WHERE locktype = 'advisory' AND objid::bigint = $1",
                    lock_of(name),
                )

        yield Office(first, second, age, terminate)


def a_job() -> str:
    """The database is shared by these tests; jobs are not."""
    return f"job-{uuid4()}"


async def the_run(leadership: Leadership, job: str) -> JobRun:
    (found,) = [run for run in await leadership.runs() if run.job == job]
    return found


async def test_while_one_is_at_a_job_nobody_else_is(office: Office) -> None:
    job, another = a_job(), a_job()
    async with office.one.turn(job, None) as turn:
        assert turn == Taken()
        async with office.other.turn(job, None) as meanwhile:
            assert meanwhile == NotNow(None)
        async with office.other.turn(another, None) as elsewhere:
            assert elsewhere == Taken()
        assert (await the_run(office.other, job)).held
    async with office.other.turn(job, None) as afterwards:
        assert afterwards == Taken()


async def test_who_never_had_a_turn_takes_it_at_once(office: Office) -> None:
    async with office.one.turn(a_job(), HOURLY) as turn:
        assert turn == Taken()


async def test_how_a_run_went_is_kept(office: Office) -> None:
    job = a_job()
    async with office.one.turn(job, HOURLY):
        assert (await the_run(office.one, job)).outcome is RunOutcome.RUNNING
        await office.one.ended(job, done=7)
    run = await the_run(office.other, job)
    assert (run.outcome, run.done, run.failure) == (RunOutcome.DONE, 7, None)
    assert not run.held
    assert run.duration is not None
    assert run.succeeded_at is not None
    assert run.succeeded_at >= run.started_at


async def test_a_failure_leaves_when_it_last_went_well(office: Office) -> None:
    job = a_job()
    async with office.one.turn(job, None):
        await office.one.ended(job, done=7)
    well = (await the_run(office.one, job)).succeeded_at
    async with office.one.turn(job, None):
        await office.one.ended(job, done=1, failure="KeyError")
    run = await the_run(office.one, job)
    assert (run.outcome, run.done, run.failure) == (RunOutcome.FAILED, 1, "KeyError")
    assert run.succeeded_at == well


async def test_a_new_run_says_nothing_of_how_the_last_one_failed(
    office: Office,
) -> None:
    job = a_job()
    async with office.one.turn(job, None):
        await office.one.ended(job, done=1, failure="KeyError")
    async with office.one.turn(job, None):
        run = await the_run(office.other, job)
    assert (run.outcome, run.done, run.failure) == (RunOutcome.RUNNING, 0, None)
    assert run.duration is None


@pytest.mark.parametrize(
    ("failure", "pause"), [(None, HOURLY), ("KeyError", AFTER_FAILURE)]
)
async def test_what_was_done_is_due_after_its_interval_and_a_failure_sooner(
    office: Office, failure: str | None, pause: timedelta
) -> None:
    job = a_job()
    async with office.one.turn(job, HOURLY):
        await office.one.ended(job, done=0, failure=failure)
    for leadership in (office.one, office.other):
        async with leadership.turn(job, HOURLY) as early:
            assert isinstance(early, NotNow)
            assert early.due_in is not None
            assert timedelta() < early.due_in <= pause
    await office.later(job, pause)
    async with office.other.turn(job, HOURLY) as due:
        assert due == Taken()


async def test_asked_for_at_any_time_it_is_not_too_early(office: Office) -> None:
    job = a_job()
    async with office.one.turn(job, HOURLY):
        await office.one.ended(job, done=0)
    async with office.other.turn(job, None) as turn:
        assert turn == Taken()


async def test_what_was_left_is_taken_up_soon_by_whoever_comes(
    office: Office,
) -> None:
    job = a_job()
    async with office.one.turn(job, HOURLY):
        pass
    assert (await the_run(office.other, job)).was_left
    async with office.other.turn(job, HOURLY) as early:
        assert isinstance(early, NotNow)
        assert early.due_in is not None
        assert early.due_in <= AFTER_DEATH
    await office.later(job, AFTER_DEATH)
    async with office.other.turn(job, HOURLY) as due:
        assert due == Taken()


async def test_the_turn_of_a_process_that_dies_is_free(office: Office) -> None:
    job = a_job()
    with pytest.raises(LeadershipLost):
        async with office.one.turn(job, HOURLY) as turn:
            assert turn == Taken()
            await office.kill()
            assert (await the_run(office.other, job)).was_left
            async with office.other.turn(job, None) as another:
                assert another == Taken()
            await office.one.ended(job, done=1)
    with pytest.raises(LeadershipLost):
        async with office.one.turn(job, HOURLY):
            pass

"""`scheduling cron`: each job when it is due, by one process at a time."""

import asyncio
import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scheduling.adapters.embedded.folders import free_port
from scheduling.adapters.postgres.leadership import open_leadership
from scheduling.application.ports.leadership import NotNow, RunOutcome, Taken
from scheduling.domain.period import Period
from scheduling.entrypoints.cron.jobs import JOBS, Job
from tests.builders import open_clinic
from tests.contracts.put_there import a_visit, put_there
from tests.contracts.storages import postgres_storage
from tests.cronning import (
    Errand,
    cron,
    cron_process,
    end_session_of,
    known_runs,
    until_run,
    until_told,
)
from tests.integration.test_outbox_commands import typed

OFTEN = Job("often", timedelta(milliseconds=50), "is done again and again")
SELDOM = Job("seldom", timedelta(hours=1), "is done now and then")


async def test_a_job_is_done_again_and_again_when_it_is_due(database_url: str) -> None:
    often, seldom = Errand.at_once_done(), Errand.at_once_done()
    async with cron(database_url, {OFTEN: often, SELDOM: seldom}):
        await often.until(ended=5)
        await until_run(database_url, "seldom", "done")
    assert seldom.begun == 1
    runs = await known_runs(database_url)
    assert runs["seldom"].outcome is RunOutcome.DONE
    assert runs["seldom"].done == seldom.done
    assert runs["seldom"].duration is not None


async def test_started_again_it_waits_for_what_is_not_due_yet(
    database_url: str,
) -> None:
    seldom, again, often = (Errand.at_once_done() for _ in range(3))
    async with cron(database_url, {SELDOM: seldom}):
        await until_run(database_url, "seldom", "done")
    async with cron(database_url, {SELDOM: again, OFTEN: often}):
        await often.until(ended=5)
    assert (seldom.begun, again.begun) == (1, 0)


async def test_of_several_processes_one_at_a_time_does_a_job(
    database_url: str,
) -> None:
    errand = Errand.at_once_done()
    jobs = {OFTEN: errand}
    async with (
        cron(database_url, jobs),
        cron(database_url, jobs),
        cron(database_url, jobs),
    ):
        await errand.until(ended=20)
    assert errand.most_at_once == 1


async def test_another_process_goes_on_when_the_one_that_is_at_it_dies(
    database_url: str,
) -> None:
    errand = Errand()
    async with cron(database_url, {OFTEN: errand}), cron(database_url, {OFTEN: errand}):
        await errand.until(begun=1)
        await end_session_of(database_url, "often")
        await errand.until(begun=2)
        errand.gate.set()
        await errand.until(ended=3)
    assert errand.most_at_once == 1


async def test_who_is_stopped_and_not_dead_gives_its_turn_away(
    database_url: str,
) -> None:
    async with (
        open_leadership(database_url, silent_at_most=1) as silent,
        open_leadership(database_url) as other,
        silent.turn("job", None),
    ):
        async with other.turn("job", None) as turn:
            assert turn == NotNow(None)
        await asyncio.wait_for(silent.lost, 10)
        async with other.turn("job", None) as turn:
            assert turn == Taken()


async def test_a_job_that_fails_says_so_and_stops_no_other(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    failing, often = Errand.at_once_done(fails=True), Errand.at_once_done()
    async with cron(database_url, {SELDOM: failing, OFTEN: often}) as figures:
        run = await until_run(database_url, "seldom", "failed")
        await often.until(ended=often.ended + 5)
        value = figures.registry.get_sample_value
        labels = {"job": "seldom", "outcome": "failed"}
        assert value("scheduling_cron_runs_total", labels) == 1
    assert run.failure == "KeyError"
    assert run.succeeded_at is None
    assert "Marker" not in caplog.text


async def test_what_is_under_way_is_left_between_two_pieces_when_told_to_stop(
    database_url: str,
) -> None:
    errand = Errand()
    async with cron(database_url, {SELDOM: errand}):
        await errand.until(begun=1)
        asyncio.get_running_loop().call_later(0.05, errand.gate.set)
    assert errand.ended == 1
    run = (await known_runs(database_url))["seldom"]
    assert run.was_left
    assert run.due_at(SELDOM.every) - run.started_at < timedelta(minutes=1)


async def test_a_run_that_takes_too_long_is_given_up(database_url: str) -> None:
    hasty = Job("hasty", SELDOM.every, "", longest=timedelta(milliseconds=50))
    errand = Errand()
    async with cron(database_url, {hasty: errand}):
        run = await until_run(database_url, "hasty", "failed")
    assert (run.failure, errand.at_once) == ("TimeoutError", 0)


async def test_the_figures_are_the_jobs_whichever_process_did_it(
    database_url: str,
) -> None:
    seldom, often = Errand.at_once_done(), Errand.at_once_done()
    async with cron(database_url, {SELDOM: seldom}):
        run = await until_run(database_url, "seldom", "done")
    async with cron(database_url, {SELDOM: seldom, OFTEN: often}) as figures:
        await often.until(ended=1)
        value = figures.registry.get_sample_value
        known = value(
            "scheduling_cron_last_success_timestamp_seconds", {"job": "seldom"}
        )
        assert run.succeeded_at is not None
        assert known == run.succeeded_at.timestamp()
        assert value("scheduling_cron_failing", {"job": "seldom"}) == 0


async def test_killed_in_the_middle_it_leaves_the_rest_to_the_next_one(
    database_url: str, tmp_path: Path
) -> None:
    """A thousand patients did not come. Each is told of once, by whichever process."""
    async with postgres_storage(database_url, size=2) as storage:
        clinic = await open_clinic(storage.begin)
        hour_ago = Period.of(datetime.now(UTC) - timedelta(hours=1), timedelta(hours=1))
        visits = [a_visit(clinic, hour_ago) for _ in range(1000)]
        await put_there(storage, clinic, *visits)
    first = await cron_process(database_url, tmp_path / "first.log")
    told = await until_told(database_url, "appointment.no-show", 1)
    first.kill()
    await first.wait()
    assert len(told) < len(visits)
    port = free_port()
    second = await cron_process(
        database_url, tmp_path / "second.log", SCHEDULING_CRON_METRICS_PORT=str(port)
    )
    told = await until_told(database_url, "appointment.no-show", len(visits))
    assert told == {visit.appointment.id: 1 for visit in visits}
    for job in JOBS:
        await until_run(database_url, job.name, "done")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
    figures = (await reader.read()).decode()
    writer.close()
    second.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(second.wait(), 15) == 0
    assert "scheduling_cron_last_start_timestamp_seconds" in figures
    assert '"error"' not in (tmp_path / "second.log").read_text()


async def test_a_job_is_done_once_from_the_command_line_and_its_standing_is_told(
    database_url: str,
) -> None:
    url = {"SCHEDULING_DATABASE_URL": database_url}
    code, before, err = await typed("cron", "status", **url)
    assert (code, err) == (0, "")
    assert before.count("never ran") == len(JOBS)
    code, out, err = await typed("cron", "run", "retention", "--once", **url)
    assert (code, out, err) == (0, "retention: 0 done\n", "")
    code, out, _ = await typed("cron", "status", "--json", **url)
    told = {one["job"]: one for one in json.loads(out)}
    assert code == 0
    assert told.keys() == {job.name for job in JOBS}
    assert told["retention"]["standing"] == "done"
    assert told["retention"]["lastSuccess"] is not None
    assert told["no-show-sweep"]["standing"] == "never ran"


async def test_a_job_that_there_is_not_is_refused(database_url: str) -> None:
    code, _, err = await typed(
        "cron", "run", "nothing", "--once", SCHEDULING_DATABASE_URL=database_url
    )
    assert code == 2
    assert "no-show-sweep" in err


async def test_what_another_is_at_is_not_done_a_second_time(database_url: str) -> None:
    errand = Errand()
    retention = next(job for job in JOBS if job.name == "retention")
    async with cron(database_url, {retention: errand}):
        await errand.until(begun=1)
        code, out, _ = await typed(
            "cron",
            "run",
            "retention",
            "--once",
            SCHEDULING_DATABASE_URL=database_url,
        )
        errand.gate.set()
    assert (code, out) == (0, "retention: another process is at it\n")

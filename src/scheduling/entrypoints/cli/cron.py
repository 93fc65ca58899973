"""`scheduling cron`: the process that does what is due, and a look at how it goes."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from scheduling.application.ports.leadership import JobRun, LeadershipLost
from scheduling.entrypoints.cli.processes import After, wait_for
from scheduling.entrypoints.cli.servers import DEFAULT_DATA_DIR, DataDir, database_url
from scheduling.entrypoints.cron.jobs import JOBS, Job, job_named
from scheduling.entrypoints.settings import Settings

app = typer.Typer(invoke_without_command=True)


@app.callback()
def cron(context: typer.Context, *, after: After = None) -> None:
    """Do each job when it is due, until it is told to stop."""
    if context.invoked_subcommand is not None:
        return
    from scheduling.entrypoints.cron.process import (  # noqa: PLC0415  # see app.py
        run,
    )

    wait_for(after)
    asyncio.run(run(Settings()))


@app.command("run")
def run_job(
    job: Annotated[str, typer.Argument(help=", ".join(job.name for job in JOBS))],
    *,
    once: Annotated[
        bool,
        typer.Option("--once", help="Now, whether it is due or not, and then end"),
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Do one job: when it is due, until it is told to stop; or once, now.

    One that another process is at is not done a second time. Ends with 1 where it was
    done once and has failed.
    """
    try:
        wanted = job_named(job)
    except LookupError as error:
        raise typer.BadParameter(str(error), param_hint="JOB") from error
    from scheduling.entrypoints.cron import process  # noqa: PLC0415  # see app.py

    settings = Settings().model_copy(
        update={"database_url": SecretStr(database_url(data_dir))}
    )
    if not once:
        asyncio.run(process.run(settings, [wanted]))
        return
    if not asyncio.run(process.run_once(settings, wanted, typer.echo)):
        raise typer.Exit(1)


@app.command()
def status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Tell when each job last ran, how long it took, and what came of it."""
    try:
        known = {run.job: run for run in asyncio.run(_runs(database_url(data_dir)))}
    except LeadershipLost as away:
        typer.echo(f"the database does not answer: {away}", err=True)
        raise typer.Exit(1) from away
    if as_json:
        told = [_document(job, known.get(job.name)) for job in JOBS]
        typer.echo(json.dumps(told, indent=2))
        return
    now = datetime.now(UTC)
    for job in JOBS:
        typer.echo(_line(job, known.get(job.name), now))


async def _runs(url: str) -> Sequence[JobRun]:
    from scheduling.adapters.postgres.leadership import (  # noqa: PLC0415  # see app.py
        open_leadership,
    )

    async with open_leadership(url) as leadership:
        return await leadership.runs()


def _standing(run: JobRun | None) -> str:
    if run is None:
        return "never ran"
    return "left half-done" if run.was_left else run.outcome.value


def _document(job: Job, run: JobRun | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "job": job.name,
        "what": job.what,
        "everySeconds": job.every.total_seconds(),
        "standing": _standing(run),
    }
    if run is not None:
        took, well = run.duration, run.succeeded_at
        told |= {
            "lastStart": run.started_at.isoformat(),
            "durationSeconds": None if took is None else took.total_seconds(),
            "done": run.done,
            "failure": run.failure,
            "lastSuccess": None if well is None else well.isoformat(),
            "dueAt": run.due_at(job.every).isoformat(),
        }
    return told


def _line(job: Job, run: JobRun | None, now: datetime) -> str:
    words = [f"{job.name:<16} every {_length(job.every):<6} {_standing(run)}"]
    if run is not None:
        words.append(f"began {_length(now - run.started_at)} ago")
        if run.duration is not None:
            words.append(f"took {run.duration.total_seconds():.1f} s")
            words.append(f"{run.done} done")
        if run.failure is not None:
            well = run.succeeded_at
            since = f"{_length(now - well)} ago" if well else "never"
            words.append(f"{run.failure}; last went well {since}")
    return ", ".join(words)


def _length(time: timedelta) -> str:
    seconds = max(int(time.total_seconds()), 0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size or seconds == size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"

"""`scheduling cron`: does each job when it is due, until it is told to stop.

Everything hangs on a session for turns and two pools to the database. When the session
breaks, all is thrown away and begun anew: nothing is remembered that the database does
not know.
"""

import asyncio
import contextlib
import random
from collections.abc import (
    AsyncIterator,
    Callable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from datetime import timedelta

import structlog

from scheduling.adapters.postgres.leadership import (
    BEAT,
    PostgresLeadership,
    open_leadership,
)
from scheduling.application.ports.leadership import LeadershipLost, NotNow
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.entrypoints.cron.figures import CronFigures
from scheduling.entrypoints.cron.jobs import JOBS, Job, Work
from scheduling.entrypoints.cron.running import Turns
from scheduling.entrypoints.cron.works import works_over
from scheduling.entrypoints.lifetime import (
    Pauses,
    every,
    faults_in,
    serving_metrics,
    stop_when_told,
    unless,
)
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.telemetry import configure_logging, open_metrics
from scheduling.entrypoints.wiring.cron import CronStorage, cron_role, open_cron_storage
from scheduling.entrypoints.wiring.storage import Misconfigured

FIRST_WITHIN = timedelta(seconds=2)
"""Jobs that are due at the start begin one after the other, by chance."""

LATER_BY = (0.0, 0.1)
LATER_AT_MOST = timedelta(seconds=5)
"""After a job is due it is begun that part of its interval later, by chance."""

LOOK_AGAIN = timedelta(seconds=10)
"""At the latest, while another process is at it: it may die."""

SHOW_EVERY = 10.0
SHORTEST_PAUSE = 0.05
GRACE = 20.0
"""Seconds that pieces under way have to be finished when we are told to stop."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Cron:
    settings: Settings
    jobs: Sequence[Job] = JOBS
    works: Callable[[CronStorage, Settings], Mapping[str, Work]] = works_over
    first_within: timedelta = FIRST_WITHIN


async def run(settings: Settings, jobs: Sequence[Job] = JOBS) -> None:
    """Work until SIGTERM or SIGINT; pieces under way are finished.

    Raise SystemExit where settings are missing, or make no sense together.
    """
    if settings.database_url is None:
        raise SystemExit("set SCHEDULING_DATABASE_URL")
    configure_logging(settings.log_level)
    stop = stop_when_told()
    metrics = open_metrics()
    figures = CronFigures(metrics.registry)
    with serving_metrics(metrics, settings.cron_metrics_port):
        try:
            await work_until(stop, Cron(settings, jobs), figures)
        except Misconfigured as wrong:
            raise SystemExit(str(wrong)) from wrong


async def run_once(settings: Settings, job: Job, say: Callable[[str], None]) -> bool:
    """Do a job now, whether it is due or not; tell whether it has not failed. Where
    another process is at it, it is being done.
    """
    configure_logging(settings.log_level)
    stop = stop_when_told()
    figures = CronFigures(open_metrics().registry)
    try:
        async with open_stand(settings) as (storage, leadership):
            beating = asyncio.create_task(every(BEAT, leadership.beat))
            try:
                turns = Turns(leadership, figures, stop)
                work = works_over(storage, settings)[job.name]
                ended = await turns(job, work, whether_due=False)
            finally:
                beating.cancel()
    except Misconfigured as wrong:
        raise SystemExit(str(wrong)) from wrong
    except (DatabaseUnavailable, LeadershipLost) as away:
        log.error("the database is away", job=job.name, why=type(away).__name__)  # noqa: TRY400  # no defect
        return False
    if isinstance(ended, NotNow):
        say(f"{job.name}: another process is at it")
        return True
    left = ", left half-done" if ended.was_left else ""
    failed = f", failed: {ended.failure}" if ended.failure else ""
    say(f"{job.name}: {ended.done} done{left}{failed}")
    return not (ended.failure or ended.was_left)


async def work_until(stop: asyncio.Event, cron: Cron, figures: CronFigures) -> None:
    """Connect, work, and after any fault begin again, until `stop` is set."""
    pauses = Pauses()
    while not stop.is_set():
        pauses.begin()
        try:
            async with open_stand(cron.settings) as (storage, leadership):
                log.info("cron working", jobs=[job.name for job in cron.jobs])
                turns = Turns(leadership, figures, stop)
                await _work(turns, cron, storage, leadership)
        except* (DatabaseUnavailable, LeadershipLost) as faults:
            pause = pauses.after_a_fault()
            figures.fault()
            log.warning("cron begins anew", faults=faults_in(faults), pause=pause)
            await unless(stop, pause)
    log.info("cron stopped")


@contextlib.asynccontextmanager
async def open_stand(
    settings: Settings,
) -> AsyncIterator[tuple[CronStorage, PostgresLeadership]]:
    """Raise DatabaseUnavailable or LeadershipLost where nobody answers."""
    url = settings.database_url.get_secret_value() if settings.database_url else ""
    async with (
        open_leadership(url, role=cron_role(settings)) as leadership,
        open_cron_storage(settings) as storage,
    ):
        yield storage, leadership


async def _work(
    turns: Turns, cron: Cron, storage: CronStorage, leadership: PostgresLeadership
) -> None:
    works = cron.works(storage, cron.settings)

    async def tell_loss() -> None:
        await leadership.lost
        raise LeadershipLost("the session has ended")

    async def show() -> None:
        turns.figures.known(await leadership.runs())

    async with asyncio.TaskGroup() as tasks:
        helpers = [
            tasks.create_task(work)
            for work in (
                tell_loss(),
                every(BEAT, leadership.beat),
                every(SHOW_EVERY, show),
            )
        ]
        lanes = [
            tasks.create_task(_lane(turns, job, works[job.name], cron.first_within))
            for job in cron.jobs
        ]
        await turns.stop.wait()
        await asyncio.wait(lanes, timeout=GRACE)
        for task in (*helpers, *lanes):
            task.cancel()


async def _lane(turns: Turns, job: Job, work: Work, first_within: timedelta) -> None:
    within = min(job.every, first_within).total_seconds()
    pause = random.uniform(0, within)  # noqa: S311  # no secret
    while True:
        await unless(turns.stop, pause)
        if turns.stop.is_set():
            return
        pause = _until_next(job, await turns(job, work))


def _until_next(job: Job, ended: object) -> float:
    """Return seconds; by chance, so that several processes do not look together."""
    if isinstance(ended, NotNow) and ended.due_in is None:
        look = min(job.every, LOOK_AGAIN).total_seconds()
        return look * random.uniform(0.5, 1)  # noqa: S311  # no secret
    later = min(
        job.every * random.uniform(*LATER_BY),  # noqa: S311  # no secret
        LATER_AT_MOST,
    )
    due_in = ended.due_in if isinstance(ended, NotNow) else None
    return max(((due_in or timedelta()) + later).total_seconds(), SHORTEST_PAUSE)

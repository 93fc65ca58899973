"""P4: the events of an aggregate are in the stream in the order of its versions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.chaos.announcing import Plan, announced, meddling, send_anew
from tests.chaos.checks.announced import successors
from tests.chaos.clinic import Clinic
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage
from tests.chaos.trouble import Trouble

ANYWHERE = [
    Trouble.a_killed_process,
    Trouble.a_stopped_process,
    Trouble.one_that_wakes_too_late,
    Trouble.a_hung_process,
    Trouble.ended_sessions,
    Trouble.a_cut_line_to_the_broker,
]


async def run(setting: Setting) -> Outcome:
    """Partitions change hands all the time, also out of hands that sleep."""
    plan = Plan(
        kinds=ANYWHERE + ([] if setting.servers else [Trouble.a_killed_broker]),
        seconds=180,
        breaks=_first_ones_held_back,
        finds=("late:",),
    )
    return await announced(setting, plan, trials=successors)


@asynccontextmanager
async def _first_ones_held_back(stage: Stage, clinic: Clinic) -> AsyncIterator[None]:
    async with meddling(
        stage, "IF NEW.aggregate_version = 1 THEN NEW.published_at := now(); END IF;"
    ):
        yield
    await send_anew(
        stage,
        "UPDATE outbox SET published_at = NULL"
        " WHERE tenant_id = $1 AND aggregate_version = 1",
        clinic,
    )


EXPERIMENT = Experiment(
    id="P4",
    promise="order per aggregate in the stream",
    broken="first versions held back until the others were sent",
    run=run,
    short="tests/integration/test_relay_survives.py",
)

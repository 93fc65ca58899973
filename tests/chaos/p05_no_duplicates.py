"""P5: no duplicate id in the stream inside the dedupe window."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
import orjson

from tests.chaos.announcing import Plan, announced, send_anew
from tests.chaos.checks.announced import STREAM
from tests.chaos.clinic import Clinic
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage
from tests.chaos.trouble import Trouble

SHORTEST = 100_000_000
"""Nanoseconds: of the windows that the broker allows."""

ANYWHERE = [
    Trouble.lost_answers_of_the_broker,
    Trouble.lost_answers_of_the_database,
    Trouble.one_that_wakes_too_late,
    Trouble.a_cut_line_to_the_broker,
    Trouble.a_killed_process,
]


async def run(setting: Setting) -> Outcome:
    """What was stored or marked, and the relay has not learned of it, is sent again."""
    plan = Plan(
        kinds=ANYWHERE + ([] if setting.servers else [Trouble.a_killed_broker]),
        seconds=180,
        breaks=_after_the_window,
        finds=("doubled:",),
    )
    return await announced(setting, plan, trials=len)


@asynccontextmanager
async def _after_the_window(stage: Stage, clinic: Clinic) -> AsyncIterator[None]:
    """The broker has forgotten all ids when everything is sent once more."""
    yield
    client = await nats.connect(stage.servers.nats_url)
    try:
        answer = await client.request(f"$JS.API.STREAM.INFO.{STREAM}", b"")
        config = orjson.loads(answer.data)["config"] | {"duplicate_window": SHORTEST}
        changed = await client.request(
            f"$JS.API.STREAM.UPDATE.{STREAM}", orjson.dumps(config)
        )
    finally:
        await client.close()
    if b'"error"' in changed.data:
        raise RuntimeError(changed.data.decode())
    await asyncio.sleep(1)  # ten windows
    await send_anew(
        stage, "UPDATE outbox SET published_at = NULL WHERE tenant_id = $1", clinic
    )


EXPERIMENT = Experiment(
    id="P5",
    promise="no duplicate id in the stream inside the dedupe window",
    broken="everything sent again after a window of 100 ms",
    run=run,
    short="tests/integration/test_relay_survives.py",
)

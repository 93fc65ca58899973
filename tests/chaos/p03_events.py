"""P3: each committed change has its event, no event without commit."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import nats

from tests.chaos.announcing import Plan, announced, meddling
from tests.chaos.clinic import Clinic
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage
from tests.chaos.trouble import Trouble

ANYWHERE = [
    Trouble.a_killed_process,
    Trouble.a_stopped_process,
    Trouble.a_hung_process,
    Trouble.ended_sessions,
    Trouble.ended_sessions_of_all,
    Trouble.a_killed_api,
]
OF_OUR_SERVERS = [
    Trouble.a_killed_broker,
    Trouble.a_hung_broker,
    Trouble.a_killed_database,
    Trouble.a_restarted_database,
]


async def run(setting: Setting) -> Outcome:
    plan = Plan(
        kinds=ANYWHERE + ([] if setting.servers else OF_OUR_SERVERS),
        seconds=240,
        breaks=_marking_too_early,
        finds=("lost:", "invented:"),
    )
    return await announced(setting, plan, trials=len)


@asynccontextmanager
async def _marking_too_early(stage: Stage, clinic: Clinic) -> AsyncIterator[None]:
    """Every tenth event is taken for sent before it is, and one is sent of what was
    never committed.
    """
    async with meddling(
        stage, "IF NEW.id % 10 = 0 THEN NEW.published_at := now(); END IF;"
    ):
        yield
    id = str(uuid4())
    body = {
        "id": id,
        "type": "appointment.created",
        "subject": str(uuid4()),
        "aggregateversion": 1,
    }
    client = await nats.connect(stage.servers.nats_url)
    try:
        await client.jetstream().publish(
            f"scheduling.{clinic.tenant}.appointment.created",
            json.dumps(body).encode(),
            headers={"Nats-Msg-Id": id},
        )
    finally:
        await client.close()


EXPERIMENT = Experiment(
    id="P3",
    promise="each committed change has its event, no event without commit",
    broken="events marked before they were sent, one sent that was never committed",
    run=run,
    short="tests/integration/test_relay_survives.py",
)

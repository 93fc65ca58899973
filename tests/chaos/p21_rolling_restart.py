"""P21: API processes stop and start anew, one after the other, and no request fails."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from functools import partial
from random import Random

from tests.chaos.checks.acknowledged import acknowledged
from tests.chaos.client import Client, Scribe
from tests.chaos.clinic import Clinic, open_clinic
from tests.chaos.crowd import Crowd
from tests.chaos.ledger import Entry, Ledger, entries
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage, a_stage

APIS = 2
WALK_INS = 6
"""Clients with a new connection for each request, beside those who keep theirs."""
KEPT = 10
PAUSE = 0.02
"""Seconds between two requests of one client, on average."""
BETWEEN = 1500
"""Requests on kept lines from one restart to the next, in full: some seconds, in which
who was started last comes to serve.
"""

Turn = Callable[[], Awaitable[None]]


async def run(setting: Setting) -> Outcome:
    restarts, killed = (60, 10) if setting.full else (2, 1)
    async with a_stage(
        setting.folder, servers=setting.servers, apis=APIS, relays=1
    ) as stage:
        names = stage.names("api")
        outcome = await _tried(
            stage, setting, "whole", _turns(stage.restart_gently, names, restarts)
        )
        control = await _tried(
            stage, setting, "broken", _turns(stage.restart, names, killed)
        )
    return Outcome(
        trials=outcome.trials,
        failures=outcome.failures,
        counts=outcome.counts,
        faults=outcome.faults,
        control=control,
        remark="A request has failed as soon as it did once, though clients ask again."
        " The short version kills; none restarts in good order.",
    )


def _turns(
    restart: Callable[[str], Awaitable[None]], names: Sequence[str], times: int
) -> list[Turn]:
    return [partial(restart, names[number % len(names)]) for number in range(times)]


async def _tried(
    stage: Stage, setting: Setting, name: str, turns: Sequence[Turn]
) -> Outcome:
    clinic = await open_clinic(
        stage.servers.superuser_url, practitioners=12, patients=400, slots=360
    )
    before = Counter(stage.faults.counts)
    path = stage.folder / f"{name}.ndjson"
    between = BETWEEN if setting.full else BETWEEN // 10
    with closing(Ledger(path)) as ledger:
        crowd = Crowd(
            *(stage, clinic, ledger, setting.seed, KEPT, PAUSE),
            patients=len(clinic.patients),
        )
        async with (
            crowd.at_work(),
            _walking_in(stage, clinic, ledger, setting.seed),
        ):
            for turn in turns:
                await crowd.until(attempts=crowd.attempts + between)
                await turn()
            await crowd.until(attempts=crowd.attempts + between)
    written = entries(path)
    lost = await acknowledged(
        stage.servers.superuser_url,
        clinic.tenant,
        [one for one in written if one.kind != "look"],
    )
    return Outcome(
        trials=len(written),
        failures=[words for one in written for words in _failed(one)] + lost,
        counts=_counted(written),
        faults=stage.faults.counts - before,
    )


@asynccontextmanager
async def _walking_in(
    stage: Stage, clinic: Clinic, ledger: Ledger, seed: int
) -> AsyncIterator[None]:
    """Let some look for free time while the block runs, each time on a new line."""
    stop = asyncio.Event()

    async def walk_in(number: int) -> None:
        chance = Random(f"{seed}/{number}")  # noqa: S311  # told
        client = Client(*stage.address(), stage.token(clinic.tenant))
        scribe = Scribe(client, ledger)
        while not stop.is_set():
            practitioner = chance.choice(clinic.practitioners)
            day = clinic.start(0).date()
            path = f"/v1/practitioners/{practitioner}/slots?date={day}"
            await scribe.ask("look", "GET", path, headers={"Connection": "close"})
            client.hang_up()
            await asyncio.sleep(chance.uniform(0, 2 * PAUSE))

    async with asyncio.TaskGroup() as tasks:
        for number in range(WALK_INS):
            tasks.create_task(walk_in(number))
        try:
            yield
        finally:
            stop.set()


def _failed(entry: Entry) -> list[str]:
    if entry.status is None:
        return [f"{entry.kind} {entry.number} was not answered: {entry.why}"]
    if entry.status >= 500:
        return [f"{entry.kind} {entry.number} was answered {entry.status}"]
    return []


def _counted(written: list[Entry]) -> dict[str, float]:
    looks = [one for one in written if one.kind == "look"]
    kept = [one for one in written if one.kind != "look"]
    waits = sorted(one.milliseconds for one in written if one.status is not None)
    return {
        "requests on kept lines": len(kept),
        "of these not answered": sum(one.status is None for one in kept),
        "requests on new lines": len(looks),
        "of these unanswered": sum(one.status is None for one in looks),
        "5xx": sum(one.status is not None and one.status >= 500 for one in written),
        "longest wait in ms": waits[-1] if waits else float("inf"),
    }


EXPERIMENT = Experiment(
    id="P21",
    promise="a rolling restart under load fails no request",
    broken="the processes killed instead of asked to stop",
    run=run,
    short="tests/acceptance/test_outages.py",
)

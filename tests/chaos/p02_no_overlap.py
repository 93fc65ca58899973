"""P2: never two active claims of one exclusive actor overlapping; losers learn fast."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from random import Random

import asyncpg

from tests.chaos.checks.acknowledged import acknowledged
from tests.chaos.checks.held import held_by_two
from tests.chaos.checks.overlaps import overlaps
from tests.chaos.clinic import Clinic, open_clinic
from tests.chaos.crowd import Crowd
from tests.chaos.faults import every
from tests.chaos.ledger import Entry, Ledger, entries
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage, a_stage

LOST = ("SLOT_NOT_AVAILABLE", "NEW_SLOT_NOT_AVAILABLE", "DOUBLE_BOOKING_DETECTED")
ENOUGH = 200_000
BUSY = 503
FAST = 100.0
"""Milliseconds within which 99 of 100 losers know it, in full."""


async def run(setting: Setting) -> Outcome:
    attempts, broken, clients = (ENOUGH, 4000, 64) if setting.full else (700, 300, 24)
    async with a_stage(
        setting.folder, servers=setting.servers, apis=2, relays=1
    ) as stage:
        outcome = await _tried(stage, setting, "whole", attempts, clients)
        await _break(stage.servers.superuser_url)
        control = await _tried(stage, setting, "broken", broken, clients, seek=True)
    slow = outcome.counts["p99 of 409 in ms"]
    late = [f"p99 of 409 is {slow:.0f} ms"] if setting.full and slow > FAST else []
    return Outcome(
        trials=outcome.trials,
        failures=outcome.failures + late,
        counts=outcome.counts,
        faults=outcome.faults,
        control=control,
    )


async def _tried(
    stage: Stage,
    setting: Setting,
    name: str,
    attempts: int,
    clients: int,
    *,
    seek: bool = False,
) -> Outcome:
    """With `seek` go on until two overlap: how soon they do is a matter of luck."""
    clinic = await open_clinic(
        stage.servers.superuser_url, practitioners=4, patients=40, slots=72
    )
    path = stage.folder / f"{name}.ndjson"
    before = Counter(stage.faults.counts)

    async def kill_one(chance: Random) -> None:
        await stage.restart(chance.choice(stage.names("api")))

    with closing(Ledger(path)) as ledger:
        crowd = Crowd(
            stage,
            clinic,
            ledger,
            seed=setting.seed,
            size=clients,
            pause=0.15 if setting.full else 0.02,
        )
        async with crowd.at_work():
            if setting.full:
                async with every(10, kill_one, setting.seed):
                    await crowd.until(attempts=attempts)
            else:
                await crowd.until(attempts=attempts // 2)
                await kill_one(Random(setting.seed))  # noqa: S311  # told
                await crowd.until(attempts=attempts)
            seen = await overlaps(stage.servers.superuser_url, clinic.tenant)
            while seek and not seen and crowd.attempts < attempts * 20:
                await crowd.until(attempts=crowd.attempts + attempts // 10)
                seen = await overlaps(stage.servers.superuser_url, clinic.tenant)
    written = entries(path)
    counts = await _counted(stage, written)
    failures = await _judged(stage, clinic, written, counts["deadlocks"])
    failures += [words for words in seen if words not in failures]
    return Outcome(
        trials=len(written),
        failures=failures,
        counts=counts,
        faults=stage.faults.counts - before,
    )


async def _judged(
    stage: Stage, clinic: Clinic, written: Sequence[Entry], deadlocks: float
) -> list[str]:
    """A 503 is a lost race in the wrong words where PostgreSQL saw a deadlock; without
    one, a slow machine has shed what it could not do in time.
    """
    url, tenant = stage.servers.superuser_url, clinic.tenant
    failures = await overlaps(url, tenant)
    failures += held_by_two(written)
    failures += await acknowledged(url, tenant, written)
    refused = [one for one in written if one.status is not None and one.status >= 500]
    failures += [
        f"{one.kind} was answered {one.status} {one.told.get('code')}"
        for one in refused
        if one.status != BUSY or deadlocks
    ]
    return failures


async def _counted(stage: Stage, written: Sequence[Entry]) -> dict[str, float]:
    waits = sorted(
        one.milliseconds for one in written if one.told.get("code") in LOST
    ) or [float("inf")]
    connection = await asyncpg.connect(stage.servers.superuser_url)
    deadlocks: int = await connection.fetchval(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    await connection.close()
    return {
        "requests": len(written),
        "done": sum(one.done for one in written),
        "lost": len(waits),
        "never answered": sum(one.status is None for one in written),
        "p50 of 409 in ms": waits[len(waits) // 2],
        "p99 of 409 in ms": waits[len(waits) * 99 // 100],
        "shed with 503": sum(one.status == BUSY for one in written),
        "deadlocks": deadlocks,
    }


async def _break(superuser_url: str) -> None:
    """Take the last word from the database."""
    connection = await asyncpg.connect(superuser_url)
    await connection.execute("ALTER TABLE claims DROP CONSTRAINT ex_claims_no_overlap")
    await connection.close()


EXPERIMENT = Experiment(
    id="P2",
    promise="never two active claims of one exclusive actor overlapping; losers get 409"
    " fast",
    broken="the exclusion constraint dropped",
    run=run,
    short="tests/chaos/test_short.py",
)

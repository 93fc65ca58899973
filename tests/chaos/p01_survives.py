"""P1: an acknowledged booking survives kill -9 of every process, and a power cut."""

from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random

import asyncpg

from tests.chaos.checks.acknowledged import acknowledged
from tests.chaos.checks.overlaps import overlaps
from tests.chaos.checks.published import not_in_stream, until_published
from tests.chaos.clinic import open_clinic
from tests.chaos.crowd import Crowd
from tests.chaos.disk import NONE, Disk, a_disk
from tests.chaos.ledger import Ledger, entries
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.servers import OwnServers
from tests.chaos.stage import SERVERS, Stage, a_stage

ROUNDS = 24
"""In full; every other one ends with a power cut, where that can be had."""


async def run(setting: Setting) -> Outcome:
    """Take own servers: they are killed."""
    with ExitStack() as closing_last:
        size = 8192 if setting.full else 1024
        disk = closing_last.enter_context(a_disk(setting.folder, megabytes=size))
        ground = setting.folder if disk is None else disk.place
        async with a_stage(
            setting.folder / "stage",
            servers=OwnServers.below(_open_to_all(ground / "servers")),
            apis=2 if setting.full else 1,
            relays=1,
            inboxes=1 if setting.full else 0,
            crons=1 if setting.full else 0,
        ) as stage:
            rounds = ROUNDS if setting.full else 1
            outcome = await _tried(stage, setting, "whole", rounds, disk)
            await _break(stage.servers.superuser_url)
            rounds = 2 if setting.full else 1
            control = await _tried(stage, setting, "broken", rounds, disk)
    return Outcome(
        trials=outcome.trials,
        failures=outcome.failures,
        counts=outcome.counts,
        faults=outcome.faults,
        control=control,
        remark=NONE + "." if disk is None else "",
    )


async def _tried(
    stage: Stage, setting: Setting, name: str, rounds: int, disk: Disk | None
) -> Outcome:
    chance = Random(setting.seed)  # noqa: S311  # told
    url = stage.servers.superuser_url
    clinic = await open_clinic(url, practitioners=8, patients=200, slots=360)
    before = Counter(stage.faults.counts)
    path = setting.folder / f"{name}.ndjson"
    with closing(Ledger(path)) as ledger:
        crowd = Crowd(
            stage, clinic, ledger, seed=setting.seed, size=16, pause=0.03, patients=200
        )
        async with crowd.at_work():
            for number in range(rounds):
                each = 150 if setting.full else 30
                await crowd.until(done=crowd.done + chance.randint(each, 2 * each))
                await _everything_dies(stage, disk if (number + rounds) % 2 else None)
            await crowd.until(done=crowd.done + 20)
    written = entries(path)
    failures = await acknowledged(url, clinic.tenant, written)
    failures += await overlaps(url, clinic.tenant)
    failures += await until_published(url, clinic.tenant)
    failures += await not_in_stream(url, stage.servers.nats_url, clinic.tenant, written)
    return Outcome(
        trials=sum(one.done for one in written),
        failures=failures,
        counts={
            "requests": len(written),
            "acknowledged": sum(one.done for one in written),
            "ambiguous": sum(one.ambiguous for one in written),
        },
        faults=stage.faults.counts - before,
    )


async def _everything_dies(stage: Stage, disk: Disk | None) -> None:
    """All at once, and nobody has time for anything."""
    if disk is not None:
        stage.faults.note("power cut")
        disk.cut_power()
    await stage.kill(*stage.running)
    if disk is not None:
        disk.unplug()
        disk.plug_in()
    for name in SERVERS:
        await stage.start(name)
    for name in stage.names("api", "relay", "inbox", "cron"):
        await stage.start(name)
    await stage.until_ready()


async def _break(superuser_url: str) -> None:
    """Have PostgreSQL acknowledge what it has not written."""
    connection = await asyncpg.connect(superuser_url)
    for setting in ("synchronous_commit = off", "wal_writer_delay = '10s'"):
        await connection.execute(f"ALTER SYSTEM SET {setting}")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


def _open_to_all(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    return folder


EXPERIMENT = Experiment(
    id="P1",
    promise="an acknowledged booking survives kill -9 of every process and a power cut",
    broken="`synchronous_commit` off",
    run=run,
    short="tests/chaos/test_short.py, tests/acceptance/test_outages.py",
)

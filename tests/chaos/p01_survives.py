"""P1: an acknowledged booking survives kill -9 of every process, and a power cut.

In full also a disk that is full: what cannot be written is not acknowledged either.
"""

import asyncio
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

BUSY = 503
ROUNDS = 24
"""In full; where there is a disk for it, a third each ends with a power cut, with a
disk that is full, and with the death of all processes.
"""


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
                await _something_happens(stage, crowd, disk, rounds - number)
            await crowd.until(done=crowd.done + 20)
    written = entries(path)
    failures = await acknowledged(url, clinic.tenant, written)
    failures += await overlaps(url, clinic.tenant)
    failures += await until_published(url, clinic.tenant)
    failures += [
        f"{one.kind} was answered {one.status}"
        for one in written
        if one.status is not None and one.status >= 500 and one.status != BUSY
    ]
    failures += await not_in_stream(url, stage.servers.nats_url, clinic.tenant, written)
    return Outcome(
        trials=sum(one.done for one in written),
        failures=failures,
        counts={
            "requests": len(written),
            "acknowledged": sum(one.done for one in written),
            "ambiguous": sum(one.ambiguous for one in written),
            "of these 503": sum(one.status == BUSY for one in written),
        },
        faults=stage.faults.counts - before,
    )


async def _something_happens(
    stage: Stage, crowd: Crowd, disk: Disk | None, turn: int
) -> None:
    """The last turn is a power cut, if there is a disk for that."""
    if disk is not None and turn % 3 == 0:
        await _disk_fills(stage, crowd, disk)
    else:
        await _everything_dies(stage, disk if turn % 3 == 1 else None)


async def _disk_fills(stage: Stage, crowd: Crowd, disk: Disk) -> None:
    """Let them go on for a while, then make room, as a person would."""
    stage.faults.note("disk full")
    await asyncio.to_thread(disk.fill)
    await crowd.until(attempts=crowd.attempts + 200)
    disk.clear()
    # Without a disk nats-server puts JetStream away until it is started again.
    await stage.restart_gently("nats")
    for name in stage.names():
        if stage.running[name].process.returncode is not None:
            await stage.start(name)
    await stage.until_ready()


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

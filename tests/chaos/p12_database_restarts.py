"""P12: PostgreSQL restarts: only 503 with Retry-After meanwhile, recovery within 5 s,
no connection that stays bad.

Two clinics work at once: a connection that came back as another tenant's would show.
"""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass, replace
from random import Random

import asyncpg

from tests.chaos.announcing import a_wide_clinic, a_wide_crowd, as_superuser
from tests.chaos.checks.acknowledged import acknowledged
from tests.chaos.checks.overlaps import overlaps
from tests.chaos.faults import signal_family, terminate_sessions
from tests.chaos.ledger import Entry, Ledger, entries
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage, a_stage

WITHIN = 5.0
"""Seconds from PostgreSQL's first connection on, after which nobody is refused."""
CLINICS = 2
RESTARTS = 24
AT_EASE = 2.0
"""Seconds of work between recovery and the next restart."""


@dataclass(frozen=True, slots=True)
class Outage:
    how: str
    down_at: float
    up_at: float

    @property
    def over_at(self) -> float:
        return self.up_at + WITHIN

    def excuses(self, entry: Entry) -> bool:
        """Whether a refusal at that moment is to be borne."""
        return self.down_at <= entry.ended_at <= self.over_at

    def meets(self, entry: Entry) -> bool:
        return self.down_at <= entry.ended_at and entry.asked_at <= self.over_at

    def hung(self, entry: Entry) -> bool:
        """Whether it was under way all the time from before the end until too late."""
        return entry.asked_at < self.up_at and entry.ended_at > self.over_at


Restart = Callable[[Stage, Random], Awaitable[None]]


async def stopped(stage: Stage, _chance: Random) -> None:
    await stage.restart_gently("postgres")


async def killed(stage: Stage, _chance: Random) -> None:
    await stage.restart("postgres")


async def away_for_a_while(stage: Stage, chance: Random) -> None:
    await stage.kill("postgres")
    await asyncio.sleep(chance.uniform(2, 8))
    await stage.start("postgres")


async def a_killed_backend(stage: Stage, chance: Random) -> None:
    """The whole server starts over when one of its processes dies so."""
    stage.faults.note("kill -9", "a backend")
    url = stage.servers.superuser_url
    connection = await asyncpg.connect(url)
    pids = await connection.fetch(BACKENDS)
    await connection.close()
    if pids:
        signal_family(chance.choice(pids)["pid"], signal.SIGKILL)
    await _until_it_answers(url)


async def ended_sessions(stage: Stage, _chance: Random) -> None:
    await terminate_sessions(stage.servers.superuser_url, "%", stage.faults)


KINDS: list[Restart] = [
    stopped,
    killed,
    away_for_a_while,
    a_killed_backend,
    ended_sessions,
]
BACKENDS = """
SELECT pid FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
  AND datname = current_database()
"""


async def run(setting: Setting) -> Outcome:
    setting = replace(setting, servers=None)
    chance = Random(setting.seed)  # noqa: S311  # told
    if setting.full:
        kinds = [chance.choice(KINDS) for _ in range(RESTARTS)]
    else:
        kinds = [chance.choice(KINDS[:3]), a_killed_backend]
    async with a_stage(setting.folder, apis=2, relays=1) as stage:
        outcome = await _tried(setting, stage, "whole", kinds, chance)
        control = await _tried(setting, stage, "broken", [_nobody_let_in], chance)
    wanted = ("late:", "answer:")
    missed = [
        kind
        for kind in wanted
        if not any(one.startswith(kind) for one in control.failures)
    ]
    return replace(
        outcome,
        control=replace(control, failures=[]) if missed else control,
        remark=f"The control did not find: {missed}." if missed else "",
    )


async def _nobody_let_in(stage: Stage, _chance: Random) -> None:
    """PostgreSQL is back and lets the product in too late; an API dies besides."""


async def _tried(
    setting: Setting,
    stage: Stage,
    name: str,
    kinds: Sequence[Restart],
    chance: Random,
) -> Outcome:
    before = Counter(stage.faults.counts)
    clinics = [await a_wide_clinic(stage) for _ in range(CLINICS)]
    paths = [stage.folder / f"{name}-{n}.ndjson" for n in range(CLINICS)]
    outages: list[Outage] = []
    async with AsyncExitStack() as at_work:
        for clinic, path in zip(clinics, paths, strict=True):
            ledger = at_work.enter_context(closing(Ledger(path)))
            crowd = a_wide_crowd(setting, stage, clinic, ledger)
            await at_work.enter_async_context(crowd.at_work())
        for kind in kinds:
            await asyncio.sleep(AT_EASE)
            outages.append(await _outage(stage, kind, chance))
            # As long as it may take, and then work from which it would show.
            await asyncio.sleep(WITHIN)
        await asyncio.sleep(AT_EASE)
    failures: list[str] = []
    written: list[Entry] = []
    url = stage.servers.superuser_url
    for clinic, path in zip(clinics, paths, strict=True):
        told = entries(path)
        failures += await acknowledged(url, clinic.tenant, told)
        failures += await overlaps(url, clinic.tenant)
        written += told
    return Outcome(
        trials=sum(any(o.meets(one) for o in outages) for one in written),
        failures=wrong_answers(written, outages) + failures,
        counts=_counted(written, outages),
        faults=stage.faults.counts - before,
    )


async def _outage(stage: Stage, kind: Restart, chance: Random) -> Outage:
    down_at = time.monotonic()
    if kind is not _nobody_let_in:
        await kind(stage, chance)
        return Outage(kind.__name__, down_at, time.monotonic())
    await as_superuser(stage, "ALTER ROLE scheduling CONNECTION LIMIT 0")
    await stage.restart_gently("postgres")
    up_at = time.monotonic()
    await asyncio.sleep(WITHIN + 1)
    await stage.restart("api-1")
    await as_superuser(stage, "ALTER ROLE scheduling CONNECTION LIMIT -1")
    return Outage(kind.__name__, down_at, up_at)


def wrong_answers(written: Sequence[Entry], outages: Sequence[Outage]) -> list[str]:
    """Return the refusals of the wrong kind, and those that nothing excuses."""
    found = []
    for one in written:
        if one.status is None:
            found.append(f"answer: {one.kind} got none")
        elif one.status >= 500:
            if one.status != 503 or not one.told["retry_after"]:
                found.append(f"answer: {one.kind} got {one.status}, {one.told}")
            if not any(outage.excuses(one) for outage in outages):
                after = min(
                    (one.ended_at - o.up_at for o in outages if o.up_at < one.ended_at),
                    default=0.0,
                )
                found.append(f"late: {one.kind} was refused {after:.1f} s after")
        elif any(outage.hung(one) for outage in outages):
            found.append(f"late: {one.kind} hung for {one.milliseconds:.0f} ms")
    return found


def _counted(written: Sequence[Entry], outages: Sequence[Outage]) -> dict[str, float]:
    refused = [one for one in written if one.status == 503]
    recovery = [
        max(
            (one.ended_at - outage.up_at for one in refused if outage.excuses(one)),
            default=0.0,
        )
        for outage in outages
    ]
    return {
        "requests": len(written),
        "acknowledged": sum(one.done for one in written),
        "answered with 503": len(refused),
        "restarts": len(outages),
        "seconds until the last 503, at most": max(0.0, *recovery),
        "seconds away, at most": max(o.up_at - o.down_at for o in outages),
    }


async def _until_it_answers(url: str) -> None:
    """Return when PostgreSQL takes connections again after it has started over."""
    async with asyncio.timeout(60):
        while True:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await (await asyncpg.connect(url)).close()
                return
            await asyncio.sleep(0.02)  # another process: it cannot be awaited


EXPERIMENT = Experiment(
    id="P12",
    promise="PostgreSQL restarts: only 503 + Retry-After meanwhile, recovery <= 5 s,"
    " no poisoned connections",
    broken="PostgreSQL lets nobody in for 6 s after its restart, and an API is killed",
    run=run,
    short="tests/acceptance/test_outages.py",
)

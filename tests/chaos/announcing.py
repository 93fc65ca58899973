"""Clients change things while those who announce it are in trouble: for P3, P4 and P5.

The three differ in what happens, and in how their controls are broken; all that each
run committed is judged by all three.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    closing,
)
from dataclasses import dataclass
from pathlib import Path
from random import Random

import asyncpg

from tests.chaos.checks.announced import (
    Told,
    doubled,
    lost_or_invented,
    out_of_order,
    waiting,
    whole_stream,
)
from tests.chaos.clinic import Clinic, open_clinic
from tests.chaos.crowd import Crowd
from tests.chaos.faults import every
from tests.chaos.ledger import Entry, Ledger, entries
from tests.chaos.outcome import Outcome, Setting
from tests.chaos.stage import PATIENCE, Stage, a_stage
from tests.chaos.trouble import Kind, Trouble, in_trouble

Break = Callable[[Stage, Clinic], AbstractAsyncContextManager[None]]
"""Around the work of a control, which it leaves with all events sent that will be."""

IN_CONTROL = 200
"""Changes that a control takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    kinds: Sequence[Kind]
    """Of trouble: in short each comes once, in full they are drawn."""
    seconds: float
    """In full."""
    breaks: Break
    finds: Sequence[str]
    """How failures begin that the control must have, each of them at least once."""


@dataclass(frozen=True, slots=True)
class Evidence:
    clinic: Clinic
    written: list[Entry]
    stream: list[Told]
    waits: int


async def announced(
    setting: Setting, plan: Plan, trials: Callable[[Sequence[Told]], int]
) -> Outcome:
    async with (
        a_stage(setting.folder, servers=setting.servers, apis=2, relays=0) as stage,
        in_trouble(stage, "relay", 3 if setting.full else 2) as trouble,
    ):
        whole = await _tried(setting, plan, trouble)
        failures = await judged(stage, whole)
        faults = +stage.faults.counts
        broken = await _broken(setting, plan, stage)
        found = await judged(stage, broken)
    wanted = [one for one in found if one.startswith(tuple(plan.finds))]
    missed = [word for word in plan.finds if not any(word in one for one in wanted)]
    return Outcome(
        trials=trials(whole.stream),
        failures=failures,
        counts=counted(whole),
        faults=faults,
        control=Outcome(
            trials=trials(broken.stream), failures=[] if missed else wanted
        ),
        remark=f"The control did not find: {missed}." if missed else "",
    )


async def judged(stage: Stage, evidence: Evidence) -> list[str]:
    """Return all that is wrong, each sentence beginning with its kind."""
    tenant, stream = evidence.clinic.tenant, evidence.stream
    failures = await lost_or_invented(
        stage.servers.superuser_url, tenant, evidence.written, stream
    )
    failures += out_of_order(stream)
    failures += doubled(stream)
    if evidence.waits:
        failures.append(f"waiting: {evidence.waits} events, long after all is well")
    return failures


def counted(evidence: Evidence) -> dict[str, float]:
    return {
        "requests": len(evidence.written),
        "acknowledged": sum(one.done for one in evidence.written),
        "unclear": sum(one.ambiguous for one in evidence.written),
        "events": len(evidence.stream),
        "aggregates": len({one.of for one in evidence.stream}),
    }


async def _tried(setting: Setting, plan: Plan, trouble: Trouble) -> Evidence:
    stage = trouble.stage
    clinic = await a_wide_clinic(stage)
    async with at_work(stage, "relay"):
        path = stage.folder / "whole.ndjson"
        with closing(Ledger(path)) as ledger:
            crowd = a_wide_crowd(setting, stage, clinic, ledger)

            async def one(chance: Random) -> None:
                await chance.choice(plan.kinds)(trouble, chance)

            async with crowd.at_work():
                if setting.full:
                    async with every(4, one, setting.seed):
                        await asyncio.sleep(plan.seconds)
                else:
                    chance = Random(setting.seed)  # noqa: S311  # told
                    for kind in chance.sample(plan.kinds, len(plan.kinds)):
                        await crowd.until(done=crowd.done + 20)
                        await kind(trouble, chance)
                    await crowd.until(done=crowd.done + 20)
        waits = await until_sent(stage, clinic)
    # Nobody who sends is left when the stream is read.
    return await evidence_of(stage, clinic, path=path, waits=waits)


async def _broken(setting: Setting, plan: Plan, stage: Stage) -> Evidence:
    clinic = await a_wide_clinic(stage)
    path = stage.folder / "broken.ndjson"
    async with at_work(stage, "relay"), plan.breaks(stage, clinic):
        with closing(Ledger(path)) as ledger:
            crowd = a_wide_crowd(setting, stage, clinic, ledger)
            async with crowd.at_work():
                await crowd.until(done=IN_CONTROL)
        await until_sent(stage, clinic)
    return await evidence_of(stage, clinic, path=path, waits=0)


async def evidence_of(
    stage: Stage, clinic: Clinic, *, path: Path, waits: int
) -> Evidence:
    stream = await whole_stream(stage.servers.nats_url, clinic.tenant)
    return Evidence(clinic, entries(path), stream, waits)


async def a_wide_clinic(stage: Stage) -> Clinic:
    """Return one with room for most wishes: events are wanted, not refusals."""
    return await open_clinic(
        stage.servers.superuser_url, practitioners=12, patients=600, slots=720
    )


def a_wide_crowd(
    setting: Setting, stage: Stage, clinic: Clinic, ledger: Ledger
) -> Crowd:
    return Crowd(
        stage,
        clinic,
        ledger,
        seed=setting.seed,
        size=16 if setting.full else 8,
        pause=0.05 if setting.full else 0.02,
        patients=len(clinic.patients),
    )


async def until_sent(stage: Stage, clinic: Clinic) -> int:
    """Return how many events still wait when none does, or when patience ends."""
    ends = asyncio.get_running_loop().time() + PATIENCE
    while count := await waiting(stage.servers.superuser_url, clinic.tenant):
        if asyncio.get_running_loop().time() > ends:
            break
        await asyncio.sleep(0.1)  # another process: it cannot be awaited
    return count


@asynccontextmanager
async def at_work(stage: Stage, *kinds: str) -> AsyncIterator[None]:
    """Start all processes of these kinds, and stop them at the end."""
    names = stage.names(*kinds)
    for name in names:
        await stage.start(name)
    try:
        yield
    finally:
        await asyncio.gather(*(stage.running[name].stop() for name in names))


async def as_superuser(stage: Stage, statement: str, *given: object) -> None:
    connection = await asyncpg.connect(stage.servers.superuser_url)
    try:
        await connection.execute(statement, *given)
    finally:
        await connection.close()


@asynccontextmanager
async def meddling(stage: Stage, with_each: str) -> AsyncIterator[None]:
    """Have PL/pgSQL done to each row (NEW) that comes into the outbox."""
    await as_superuser(
        stage,
        "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN {with_each} RETURN NEW; END$$",
    )
    await as_superuser(
        stage,
        "CREATE TRIGGER meddle BEFORE INSERT ON outbox"
        " FOR EACH ROW EXECUTE FUNCTION meddle()",
    )
    try:
        yield
    finally:
        await as_superuser(stage, "DROP FUNCTION meddle CASCADE")


async def send_anew(stage: Stage, statement: str, clinic: Clinic) -> None:
    """Have rows forget that they were sent, and relays that begin anew."""
    await as_superuser(stage, statement, clinic.tenant)
    for name in stage.names("relay"):
        await stage.restart(name)
    await until_sent(stage, clinic)

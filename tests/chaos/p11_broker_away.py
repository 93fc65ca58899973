"""P11: NATS away for minutes: the API does not notice, the backlog drains in order."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace

from tests.chaos.announcing import (
    Evidence,
    a_wide_clinic,
    a_wide_crowd,
    counted,
    evidence_of,
    judged,
    meddling,
    until_sent,
)
from tests.chaos.checks.announced import waiting
from tests.chaos.crowd import Crowd
from tests.chaos.ledger import Entry, Ledger
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage, a_stage

WITH, AWAY = 60.0, 180.0
"""Seconds in full; the first before and again after."""
SLOWER = (1.5, 5.0)
"""How much longer than with NATS 99 of 100 may take without: times, and milliseconds
more. Two runs of the same differ by that on a machine that is shared.
"""
IN_SHORT = 60
"""Changes in each part."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """When NATS was killed, when it answered again, and how much waited by then."""

    away_at: float
    back_at: float
    backlog: int
    drained_in: float

    def while_away(self, entries: Sequence[Entry]) -> list[Entry]:
        return [
            one
            for one in entries
            if one.ended_at > self.away_at and one.asked_at < self.back_at
        ]


async def run(setting: Setting) -> Outcome:
    setting = replace(setting, servers=None)
    async with a_stage(setting.folder, apis=2, relays=2) as stage:
        whole, stretch = await _tried(setting, stage, "whole")
        failures = await judged(stage, whole) + _noticed(whole, stretch)
        counts, slower = _waits(whole, stretch)
        if setting.full:
            failures += slower
        faults = +stage.faults.counts
        broken, cut_off = await _tried(setting, stage, "broken", meddled=True)
        found = await judged(stage, broken) + _noticed(broken, cut_off)
        found += _waits(broken, cut_off)[1]
    kinds = ("lost:", "noticed:", "slower:")
    missed = [kind for kind in kinds if not any(one.startswith(kind) for one in found)]
    return Outcome(
        trials=len(stretch.while_away(whole.written)),
        failures=failures,
        counts=counted(whole)
        | {
            "seconds away": stretch.back_at - stretch.away_at,
            "backlog": stretch.backlog,
            "seconds to drain it": stretch.drained_in,
        }
        | counts,
        faults=faults,
        control=Outcome(trials=len(broken.written), failures=[] if missed else found),
        remark=f"The control did not find: {missed}." if missed else "",
    )


async def _tried(
    setting: Setting, stage: Stage, name: str, *, meddled: bool = False
) -> tuple[Evidence, Stretch]:
    clinic = await a_wide_clinic(stage)
    path = stage.folder / f"{name}.ndjson"
    full = setting.full and not meddled
    with closing(Ledger(path)) as ledger:
        crowd = a_wide_crowd(setting, stage, clinic, ledger)
        async with crowd.at_work():
            await _work(crowd, WITH if full else 0)
            away_at = time.monotonic()
            await stage.kill("nats")
            # The control's outbox wants the broker: it refuses, waits, or forgets.
            async with meddling(stage, CUT_OFF) if meddled else nullcontext():
                await _work(crowd, AWAY if full else 0)
            backlog = await waiting(stage.servers.superuser_url, clinic.tenant)
            await stage.start("nats")
            back_at = time.monotonic()
            # What comes in meanwhile is sent behind it.
            await _until_waiting(stage, crowd, fewer_than=max(backlog // 20, 20))
            drained_in = time.monotonic() - back_at
            await _work(crowd, WITH if full else 0)
    waits = await until_sent(stage, clinic)
    evidence = await evidence_of(stage, clinic, path=path, waits=waits)
    return evidence, Stretch(away_at, back_at, backlog, drained_in)


CUT_OFF = """
IF NEW.id % 10 = 0 THEN RAISE EXCEPTION 'no broker'; END IF;
IF NEW.id % 10 = 1 THEN PERFORM pg_sleep(3); END IF;
IF NEW.id % 10 = 5 THEN NEW.published_at := now(); END IF;
"""


async def _work(crowd: Crowd, seconds: float) -> None:
    if seconds:
        await asyncio.sleep(seconds)
    else:
        await crowd.until(done=crowd.done + IN_SHORT)


async def _until_waiting(stage: Stage, crowd: Crowd, *, fewer_than: int) -> None:
    async with asyncio.timeout(300):
        while True:
            count = await waiting(stage.servers.superuser_url, crowd.clinic.tenant)
            if count < fewer_than:
                return
            await asyncio.sleep(0.1)  # another process: it cannot be awaited


def _noticed(evidence: Evidence, stretch: Stretch) -> list[str]:
    """Return what was asked without NATS and answered with a fault, or not at all."""
    return [
        f"noticed: {one.kind} was answered {one.status}"
        for one in stretch.while_away(evidence.written)
        if one.ambiguous
    ]


def _waits(evidence: Evidence, stretch: Stretch) -> tuple[dict[str, float], list[str]]:
    """Return the 99th percentiles of what was done with and without, and whether the
    second is too much.
    """
    done = [one for one in evidence.written if one.done]
    before = _p99(one for one in done if one.ended_at < stretch.away_at)
    without = _p99(stretch.while_away(done))
    after = _p99(one for one in done if one.asked_at > stretch.back_at)
    times, more = SLOWER
    counts = {
        "p99 before in ms": before,
        "p99 without NATS in ms": without,
        "p99 after in ms": after,
    }
    if without > times * max(before, after) + more:
        return counts, [f"slower: p99 {without:.0f} ms, with NATS {before:.0f} ms"]
    return counts, []


def _p99(entries: Iterable[Entry]) -> float:
    waits = sorted(one.milliseconds for one in entries)
    return waits[len(waits) * 99 // 100]


EXPERIMENT = Experiment(
    id="P11",
    promise="NATS away for minutes: API does not notice, backlog drains in order",
    broken="an outbox that without NATS refuses some rows, forgets some, and is slow",
    run=run,
    short="tests/acceptance/test_events.py",
)

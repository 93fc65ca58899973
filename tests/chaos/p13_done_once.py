"""P13: retries with an Idempotency-Key make one thing, and are answered alike."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, nullcontext, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import asyncpg

from tests.chaos.checks.once import once
from tests.chaos.client import Client, Scribe
from tests.chaos.clinic import Clinic, open_clinic
from tests.chaos.faults import every
from tests.chaos.ledger import Ledger, entries
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage, a_stage

DUPLICATES = 3
"""Who ask for the same thing at the same time, each on a line of its own."""
GOES_AWAY = 0.25
"""Of all first requests, how many are not waited for."""


async def run(setting: Setting) -> Outcome:
    things, broken, hands = (8000, 300, 12) if setting.full else (60, 40, 8)
    async with a_stage(
        setting.folder, servers=setting.servers, apis=2, relays=1
    ) as stage:
        outcome = await _tried(stage, setting, "whole", things, hands)
        async with _forgetting(stage.servers.superuser_url):
            control = await _tried(stage, setting, "broken", broken, hands)
    return Outcome(
        trials=outcome.trials,
        failures=outcome.failures,
        counts=outcome.counts,
        faults=outcome.faults,
        control=control,
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    kind: str
    path: str
    body: object
    key: str
    patient: str


@dataclass(eq=False)
class Hand:
    """Takes up one patient after the other: each is booked, cancelled, and put on the
    waitlist, by several who know nothing of each other.
    """

    stage: Stage
    clinic: Clinic
    ledger: Ledger
    chance: Random
    lines: list[Client] = field(default_factory=list)

    async def work(self, numbers: range) -> None:
        token = self.stage.token(self.clinic.tenant)
        self.lines = [
            Client(*self.stage.address(number), token) for number in range(DUPLICATES)
        ]
        try:
            for number in numbers:
                await self._serve(number)
        finally:
            for line in self.lines:
                line.hang_up()

    async def _serve(self, number: int) -> None:
        patient = self.clinic.patients[number]
        slots = next(iter(self.clinic.slots.values()))
        start = self.clinic.start(0)
        wish = {
            "patientId": patient,
            "earliest": start.isoformat(),
            "latest": self.clinic.start(1).isoformat(),
        }
        await self._together("wait", "/v1/waitlist", wish, patient)
        booking = {
            "patientId": patient,
            "slotId": slots[number % len(slots)],
            "appointmentType": "follow-up",
        }
        visit = await self._together("book", "/v1/appointments", booking, patient)
        off = {"reasonCode": "patient", "initiatedBy": "patient", "version": 1}
        path = f"/v1/appointments/{visit['id']}/cancel"
        await self._together("cancel", path, off, patient)

    async def _together(
        self, kind: str, path: str, body: object, patient: str
    ) -> dict[str, Any]:
        """Return what one of them was answered, once all have an answer."""
        key = str(UUID(int=self.chance.getrandbits(128)))
        wanted = Wanted(kind, path, body, key, patient)
        answers = await asyncio.gather(
            *(
                self._insist(line, Random(f"{key}/{number}"), wanted)  # noqa: S311
                for number, line in enumerate(self.lines)
            )
        )
        return answers[0]

    async def _insist(
        self, line: Client, chance: Random, wanted: Wanted
    ) -> dict[str, Any]:
        scribe = Scribe(line, self.ledger)
        within = chance.uniform(0, 0.03) if chance.random() < GOES_AWAY else None
        while True:
            answer = None
            with suppress(TimeoutError):
                async with asyncio.timeout(within):
                    answer = await scribe.ask(
                        wanted.kind,
                        "POST",
                        wanted.path,
                        wanted.body,
                        headers={"Idempotency-Key": wanted.key},
                        key=wanted.key,
                        patient=wanted.patient,
                    )
            within = None
            if answer is not None and answer.status < 300:
                thing: dict[str, Any] = answer.json()
                return thing
            if answer is not None and not _come_back(answer.status, answer.code):
                return {"id": UUID(int=0)}  # the checker will see what it was
            await asyncio.sleep(chance.uniform(0.01, 0.1))


def _come_back(status: int, code: str | None) -> bool:
    return status >= 500 or code == "REQUEST_IN_PROGRESS"


async def _tried(
    stage: Stage, setting: Setting, name: str, things: int, hands: int
) -> Outcome:
    # Seats for all in each slot: that the second of two is too late must not be the
    # reason why there is only one.
    clinic = await open_clinic(
        stage.servers.superuser_url,
        practitioners=1,
        patients=things,
        slots=72,
        capacity=things,
    )
    before = Counter(stage.faults.counts)
    path = stage.folder / f"{name}.ndjson"
    chance = Random(setting.seed)  # noqa: S311  # told

    async def kill_one(chance: Random) -> None:
        await stage.restart(chance.choice(stage.names("api")))

    with closing(Ledger(path)) as ledger:
        killing = every(8, kill_one, setting.seed) if setting.full else nullcontext()
        async with killing, asyncio.TaskGroup() as tasks:
            for first in range(hands):
                hand = Hand(stage, clinic, ledger, Random(chance.random()))  # noqa: S311
                tasks.create_task(hand.work(range(first, things, hands)))
            if not setting.full:
                await ledger.until(things * DUPLICATES)
                await kill_one(chance)
    written = entries(path)
    return Outcome(
        trials=len({one.said["key"] for one in written}),
        failures=await once(stage.servers.superuser_url, clinic.tenant, written),
        counts={
            "requests": len(written),
            "never answered": sum(one.status is None for one in written),
            "replayed": sum(bool(one.told.get("replayed")) for one in written),
            "still running": sum(
                one.told.get("code") == "REQUEST_IN_PROGRESS" for one in written
            ),
        },
        faults=stage.faults.counts - before,
    )


@asynccontextmanager
async def _forgetting(superuser_url: str) -> AsyncIterator[None]:
    """Take the kept answers from the table, again and again."""
    connection = await asyncpg.connect(superuser_url)

    async def forget() -> None:
        while True:
            await connection.execute("DELETE FROM idempotency_keys")
            await asyncio.sleep(0.005)

    task = asyncio.create_task(forget())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await connection.close()


EXPERIMENT = Experiment(
    id="P13",
    promise="retries with an Idempotency-Key make one thing",
    broken="the kept answers deleted all the time",
    run=run,
    short="tests/chaos/test_short.py",
)

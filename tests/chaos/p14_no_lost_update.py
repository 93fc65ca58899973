"""P14: no lost update, whoever writes at the same time with `If-Match`."""

import asyncio
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from random import Random

from tests.chaos.checks.added import lost_updates
from tests.chaos.client import Answer, Client, NoAnswerError, Scribe
from tests.chaos.clinic import Clinic, open_clinic
from tests.chaos.faults import every
from tests.chaos.ledger import Ledger, entries
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage, a_stage


async def run(setting: Setting) -> Outcome:
    adds, broken, clients = (20_000, 800, 24) if setting.full else (240, 120, 12)
    async with a_stage(
        setting.folder, servers=setting.servers, apis=2, relays=1
    ) as stage:
        outcome = await _tried(stage, setting, "whole", adds, clients)
        control = await _tried(stage, setting, "broken", broken, clients, blind=True)
    return Outcome(
        trials=outcome.trials,
        failures=outcome.failures,
        counts=outcome.counts,
        faults=outcome.faults,
        control=control,
    )


@dataclass(frozen=True, slots=True)
class Thing:
    """A number that all read, add one to and write back: in a visit's notes, or in a
    patient's name.
    """

    kind: str
    id: str

    @property
    def path(self) -> str:
        return f"/v1/{self.kind}/{self.id}"

    def number(self, seen: Answer) -> int:
        told = seen.json()
        words: str = (
            (told["notes"] or "") if self.kind == "appointments" else told["name"]
        )
        last = words.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    def written(self, number: int) -> tuple[str, dict[str, object]]:
        if self.kind == "appointments":
            return "PATCH", {"notes": str(number)}
        return "PUT", {"name": f"Somebody {number}", "active": True}


@dataclass(eq=False)
class Adder:
    client: Client
    ledger: Ledger
    things: list[Thing]
    chance: Random
    blind: bool

    async def work(self, stop: asyncio.Event) -> None:
        scribe = Scribe(self.client, self.ledger)
        try:
            while not stop.is_set():
                try:
                    await self._add(scribe, self.chance.choice(self.things))
                except NoAnswerError:
                    continue
        finally:
            self.client.hang_up()

    async def _add(self, scribe: Scribe, thing: Thing) -> None:
        seen = await self.client.ask("GET", thing.path)
        if seen.status != 200:
            return
        tag = seen.headers["etag"]
        if self.blind:
            # Names a version that it has not read.
            await asyncio.sleep(self.chance.uniform(0, 0.02))
            tag = (await self.client.ask("GET", thing.path)).headers["etag"]
        number = thing.number(seen) + 1
        method, body = thing.written(number)
        await scribe.ask(
            thing.kind,
            method,
            thing.path,
            body,
            headers={"If-Match": tag},
            thing=thing.id,
            base=int(tag.strip('"')),
            number=number,
        )


async def _tried(
    stage: Stage,
    setting: Setting,
    name: str,
    adds: int,
    clients: int,
    *,
    blind: bool = False,
) -> Outcome:
    clinic = await open_clinic(
        stage.servers.superuser_url, practitioners=1, patients=4, slots=36
    )
    things = await _things(stage, clinic)
    before = Counter(stage.faults.counts)
    path = stage.folder / f"{name}.ndjson"
    stop = asyncio.Event()

    async def kill_one(chance: Random) -> None:
        await stage.restart(chance.choice(stage.names("api")))

    with closing(Ledger(path)) as ledger:
        async with asyncio.TaskGroup() as tasks:
            for number in range(clients):
                adder = Adder(
                    Client(
                        *stage.address(number + 1),
                        stage.token(clinic.tenant, subject=f"adder-{number}"),
                    ),
                    ledger,
                    things,
                    Random(f"{setting.seed}/{number}"),  # noqa: S311  # told
                    blind,
                )
                tasks.create_task(adder.work(stop))
            if setting.full:
                async with every(10, kill_one, setting.seed):
                    await ledger.until(adds)
            else:
                await ledger.until(adds // 2)
                await kill_one(Random(setting.seed))  # noqa: S311
                await ledger.until(adds)
            stop.set()
    written = entries(path)
    return Outcome(
        trials=len(written),
        failures=await lost_updates(
            stage.servers.superuser_url, clinic.tenant, written
        ),
        counts={
            "writes": len(written),
            "done": sum(one.done for one in written),
            "refused as stale": sum(one.status in {409, 412} for one in written),
            "never answered": sum(one.status is None for one in written),
        },
        faults=stage.faults.counts - before,
    )


async def _things(stage: Stage, clinic: Clinic) -> list[Thing]:
    client = Client(*stage.address(), stage.token(clinic.tenant))
    things = []
    for number, patient in enumerate(clinic.patients[:2]):
        body = {
            "patientId": clinic.patients[2 + number],
            "slotId": clinic.slots[clinic.practitioners[0]][number],
            "appointmentType": "follow-up",
        }
        made = await client.ask("POST", "/v1/appointments", body)
        things += [
            Thing("appointments", made.json()["id"]),
            Thing("patients", patient),
        ]
    client.hang_up()
    return things


EXPERIMENT = Experiment(
    id="P14",
    promise="no lost update",
    broken="clients who name a version that they have not read",
    run=run,
    short="tests/chaos/test_short.py",
)

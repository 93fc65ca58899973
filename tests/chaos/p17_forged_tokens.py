"""P17: a token that the issuer did not give is refused at every door."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import NamedTemporaryFile
from uuid import uuid4

import asyncpg
from joserfc.jwk import OKPKey

from tests.chaos.client import Client, Scribe
from tests.chaos.clinic import Clinic, open_clinic
from tests.chaos.forgeries import Forger, Key, key_set, new_keys
from tests.chaos.ledger import Entry, Ledger, entries
from tests.chaos.outcome import Experiment, Outcome, Setting
from tests.chaos.stage import Stage, a_stage

HANDS = 4
Named = tuple[str, str]
"""What is wrong with a token, and the token."""
Door = tuple[str, str, object | None]
"""Method, path, body."""


async def run(setting: Setting) -> Outcome:
    mutations = 40_000 if setting.full else 150
    async with a_stage(
        setting.folder, servers=setting.servers, apis=1, relays=0
    ) as stage:
        clinic = await open_clinic(
            stage.servers.superuser_url, practitioners=1, patients=1, slots=36
        )
        keys, strangers = new_keys(), new_keys()
        forger = Forger(stage.issuer.name, clinic.tenant, keys, strangers)
        trial = Trial(stage, clinic)
        await trial.publish(forger, keys.values())
        chance = Random(setting.seed)  # noqa: S311  # told
        true = [forger.true(kind, sub=f"{kind}-{n}") for kind in keys for n in (1, 2)]
        forged = list(forger.forged())
        shown = {
            "true": [("true", one) for one in true],
            "forged": forged,
            "mutated": [forger.mutated(chance, true) for _ in range(mutations)],
        }
        path = stage.folder / "whole.ndjson"
        failures = await trial.knock(path, shown)
        failures += await _rotation(trial, forger, true)
        failures += await trial.booked()

        # The break: whoever may write where keys are published is the issuer.
        await trial.publish(
            Forger(forger.issuer, clinic.tenant, strangers, keys), strangers.values()
        )
        broken = stage.folder / "broken.ndjson"
        found = await trial.knock(broken, {"forged": list(forger.by_strangers())})
        found += await trial.booked()
    written = entries(path)
    return Outcome(
        trials=sum(one.kind != "true" for one in written),
        failures=failures,
        counts={
            "kinds of forgery": len(forged),
            "tokens with a bit turned or parts exchanged": mutations,
            **Counter(f"answers {one.status}" for one in written),
        },
        control=Outcome(trials=len(entries(broken)), failures=found),
    )


@dataclass
class Trial:
    """The doors at which tokens are shown: a read, a patient's data, a booking."""

    stage: Stage
    clinic: Clinic
    lines: list[Client] = field(default_factory=list)

    async def publish(self, forger: Forger, keys: Iterable[Key]) -> None:
        """Publish these and no others, and return when the API has read them: a name
        that it does not know makes it look at once.
        """
        key = OKPKey.generate_key("Ed25519", {"kid": str(uuid4())})
        probe = Forger(forger.issuer, forger.tenant, {"ed": key}, {})
        _replace(self.stage.issuer.jwks_file, key_set(*keys, key))
        client = Client(*self.stage.address(), probe.true("ed"))
        answer = await client.ask("GET", "/v1/settings")
        client.hang_up()
        if answer.status != 200:
            raise RuntimeError(f"new keys are not believed: {answer.status}")

    async def knock(self, path: Path, shown: Mapping[str, list[Named]]) -> list[str]:
        """Show each at its doors; return what was judged wrongly."""
        each = [(kind, one) for kind, named in shown.items() for one in named]
        with closing(Ledger(path)) as ledger:
            async with asyncio.TaskGroup() as tasks:
                for hand in range(HANDS):
                    tasks.create_task(self._show(ledger, each[hand::HANDS]))
        return [words for one in entries(path) for words in _judged(one)]

    async def _show(self, ledger: Ledger, shown: list[tuple[str, Named]]) -> None:
        client = Client(*self.stage.address(), "")
        scribe = Scribe(client, ledger)
        try:
            for number, (kind, (what, token)) in enumerate(shown):
                client.token = token
                for method, path, body in self._doors(kind, number):
                    await scribe.ask(kind, method, path, body, what=what, door=path)
        finally:
            client.hang_up()

    def _doors(self, kind: str, number: int) -> list[Door]:
        [slots] = self.clinic.slots.values()
        [patient] = self.clinic.patients
        booking = {
            "patientId": patient,
            "slotId": slots[number % len(slots)],
            "appointmentType": "follow-up",
        }
        doors: list[Door] = [
            ("GET", "/v1/settings", None),
            ("GET", f"/v1/patients/{patient}", None),
            ("POST", "/v1/appointments", booking),
        ]
        if kind == "mutated":
            return [doors[number % len(doors)]]
        # The true ones only look: what is booked here was booked by a forgery.
        return doors[:2] if kind == "true" else doors

    async def booked(self) -> list[str]:
        connection = await asyncpg.connect(self.stage.servers.superuser_url)
        try:
            count: int = await connection.fetchval(
                "SELECT count(*) FROM appointments WHERE tenant_id = $1",
                self.clinic.tenant,
            )
        finally:
            await connection.close()
        return [f"{count} visits were booked by forgeries"] if count else []


async def _rotation(trial: Trial, forger: Forger, true: list[str]) -> list[str]:
    """Take the keys back, one kind after the other: their tokens go with them, also
    those that the process remembers.
    """
    failures = []
    for kind in forger.keys:
        left = [key for name, key in forger.keys.items() if name != kind]
        await trial.publish(forger, left)
        rotated = [
            one for one in true if forger.true(kind).startswith(one.split(".")[0])
        ]
        path = trial.stage.folder / f"rotated-{kind}.ndjson"
        failures += await trial.knock(
            path, {"forged": [("of a key taken back", one) for one in rotated]}
        )
    return failures


def _judged(entry: Entry) -> list[str]:
    expected = 200 if entry.kind == "true" else 401
    if entry.status == expected:
        return []
    what, door = entry.said["what"], entry.said["door"]
    return [f"{entry.kind} ({what}) at {door} was answered {entry.status}"]


def _replace(path: Path, text: bytes) -> None:
    with NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)


EXPERIMENT = Experiment(
    id="P17",
    promise="forged tokens are refused",
    broken="a stranger's keys published as the issuer's",
    run=run,
    short="tests/unit/tokens/test_verifying.py, tests/acceptance/test_every_door.py",
)

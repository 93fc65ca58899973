"""Clients that book, move and cancel in each other's way, and write down all of it.

Each asks again under the same Idempotency-Key until it is answered, as generated
clients do. Half of what they ask for is what many want at the same moment: the same
patient or room at one time with different practitioners, the same time of one.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.chaos.client import Answer, Client, Scribe
from tests.chaos.clinic import SLOTS_A_DAY, Clinic
from tests.chaos.ledger import Ledger
from tests.chaos.stage import PATIENCE, Stage

ROOMS = [str(UUID(int=number)) for number in range(1, 4)]
HOT = 0.25
"""Seconds for which many want the same."""


@dataclass(frozen=True, slots=True)
class Wish:
    practitioner: str
    patient: str
    first: int
    """The number of its first slot."""
    quarters: int
    room: str | None


@dataclass(eq=False)
class Crowd:
    stage: Stage
    clinic: Clinic
    ledger: Ledger
    seed: int
    size: int
    pause: float
    """Seconds between an answer and the next request, on average."""
    patients: int = 40
    """So many of the clinic's are wanted at all."""
    attempts: int = 0
    done: int = 0
    _step: asyncio.Event = field(default_factory=asyncio.Event)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Let them work while the block runs; who waits for an answer gets it, or gives
        up and leaves it open.
        """
        async with asyncio.TaskGroup() as tasks:
            for number in range(self.size):
                tasks.create_task(self._member(number))
            try:
                yield
            finally:
                self._stop.set()

    async def until(self, *, attempts: int = 0, done: int = 0) -> None:
        """Return when so many requests were made, and so many had their effect."""
        while self.attempts < attempts or self.done < done:
            self._step.clear()
            async with asyncio.timeout(PATIENCE):
                await self._step.wait()

    async def _member(self, number: int) -> None:
        chance = random.Random(self.seed * 1009 + number)  # noqa: S311  # told
        client = Client(
            *self.stage.address(number + 1), self.stage.token(self.clinic.tenant)
        )
        scribe = Scribe(client, self.ledger)
        mine: list[dict[str, Any]] = []
        try:
            while not self._stop.is_set():
                await self._one(scribe, chance, mine)
                await asyncio.sleep(chance.uniform(0, 2 * self.pause))
        finally:
            client.hang_up()

    async def _one(
        self, scribe: Scribe, chance: random.Random, mine: list[dict[str, Any]]
    ) -> None:
        if len(mine) < 2 and (not mine or chance.random() < 0.7):
            await self._book(scribe, chance, mine)
        elif chance.random() < 0.5:
            await self._move(scribe, chance, mine)
        else:
            await self._cancel(scribe, chance, mine)

    async def _book(
        self, scribe: Scribe, chance: random.Random, mine: list[dict[str, Any]]
    ) -> None:
        wish = self._wish(chance)
        body: dict[str, Any] = {
            "patientId": wish.patient,
            "appointmentType": "follow-up",
        }
        if wish.quarters == 1:
            body["slotId"] = self.clinic.slots[wish.practitioner][wish.first]
        else:
            body |= self._when(wish)
            body["locationId"] = self.clinic.location
        if wish.room is not None:
            body["resources"] = [{"type": "room", "id": wish.room}]
        answer = await self._insist(
            scribe, chance, "book", "/v1/appointments", body, patient=wish.patient,
            room=wish.room,
        )  # fmt: skip
        if answer is not None and answer.status == 201:
            mine.append(answer.json())

    async def _move(
        self, scribe: Scribe, chance: random.Random, mine: list[dict[str, Any]]
    ) -> None:
        visit = mine.pop(chance.randrange(len(mine)))
        body = {**self._when(self._wish(chance)), "version": visit["version"]}
        path = f"/v1/appointments/{visit['id']}/reschedule"
        answer = await self._insist(scribe, chance, "move", path, body, id=visit["id"])
        if answer is not None and answer.status == 200:
            mine.append(answer.json())
        elif answer is not None and answer.code != "OPTIMISTIC_LOCK_CONFLICT":
            mine.append(visit)

    async def _cancel(
        self, scribe: Scribe, chance: random.Random, mine: list[dict[str, Any]]
    ) -> None:
        visit = mine.pop(chance.randrange(len(mine)))
        body = {
            "reasonCode": "patient",
            "initiatedBy": "patient",
            "version": visit["version"],
        }
        path = f"/v1/appointments/{visit['id']}/cancel"
        await self._insist(scribe, chance, "cancel", path, body, id=visit["id"])

    async def _insist(
        self,
        scribe: Scribe,
        chance: random.Random,
        kind: str,
        path: str,
        body: object,
        **said: object,
    ) -> Answer | None:
        """Ask until it is answered; None where the work ended before that."""
        key = str(UUID(int=chance.getrandbits(128)))
        headers = {"Idempotency-Key": key}
        while True:
            self.attempts += 1
            self._step.set()
            answer = await scribe.ask(
                kind, "POST", path, body, headers=headers, key=key, **said
            )
            if answer is not None and answer.status < 500:
                if answer.status < 300:
                    self.done += 1
                if answer.code != "REQUEST_IN_PROGRESS":
                    return answer
            if self._stop.is_set():
                return None
            await asyncio.sleep(chance.uniform(0.02, 0.2))

    def _when(self, wish: Wish) -> dict[str, Any]:
        return {
            "practitionerId": wish.practitioner,
            "start": self.clinic.start(wish.first).isoformat(),
            "durationMinutes": wish.quarters * 15,
        }

    def _wish(self, chance: random.Random) -> Wish:
        if chance.random() < 0.5:
            # What all draw who draw now, but for the practitioner.
            common = random.Random(f"{self.seed}/{int(time.monotonic() / HOT)}")  # noqa: S311
        else:
            common = chance
        patient = common.choice(self.clinic.patients[: self.patients])
        first = common.randrange(len(next(iter(self.clinic.slots.values()))))
        room = common.choice([*ROOMS, None, None, None])
        quarters = chance.randint(1, 3)
        if first % SLOTS_A_DAY + quarters > SLOTS_A_DAY:
            quarters = 1
        practitioner = chance.choice(self.clinic.practitioners)
        return Wish(practitioner, patient, first, quarters, room)

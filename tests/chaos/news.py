"""News from outside: some twice, some poison, in whatever order. Drawn and sent."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import nats
import orjson
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from tests.chaos.checks.followed import STREAM, Sent, unanswered

STRUCTURED = {"Content-Type": "application/cloudevents+json"}
TENANTS = 5
VERSIONS = 8
"""Of each patient's news."""
PATIENCE = 120.0

POISON: list[tuple[dict[str, object], str]] = [
    ({"id": None}, "NOT_A_CLOUD_EVENT"),
    ({"specversion": "9"}, "NOT_A_CLOUD_EVENT"),
    ({"data": {"equipmentId": "none"}}, "VALIDATION_FAILED"),
    ({"tenantid": str(UUID(int=9))}, "TENANT_MISMATCH"),
    ({"type": "equipment.stolen"}, "BAD_SUBJECT"),
]


@dataclass(slots=True)
class News:
    sent: Sent
    messages: list[tuple[str, bytes]] = field(default_factory=list)

    @classmethod
    def drawn(cls, chance: Random, count: int, *, poison: int = 0) -> "News":
        """Return `count` messages, shuffled: a fifth come for the second time, a third
        of the others are versions of patients.
        """
        tenants = [UUID(int=chance.getrandbits(128), version=4) for _ in range(TENANTS)]
        news = cls(Sent(tenants))
        spoilt = dict(news._spoilt(chance, number) for number in range(poison))
        news.sent.poison = spoilt
        whole = (count - poison) * 4 // 5
        while len(news.messages) < poison + whole // 3:
            news._patient(chance)
        while len(news.messages) < poison + whole:
            news._low_stock(chance)
        repeated = [one for one in news.messages if one[1] not in spoilt]
        news.messages += chance.choices(repeated, k=count - len(news.messages))
        chance.shuffle(news.messages)
        return news

    def _patient(self, chance: Random) -> None:
        tenant, patient = chance.choice([*self.sent.tenants]), _id(chance)
        for version in range(1, VERSIONS + 1):
            name = f"Somebody {version}"
            self._add(
                tenant,
                "patient.created" if version == 1 else "patient.updated",
                _event(
                    chance,
                    "patient.created" if version == 1 else "patient.updated",
                    {"patientId": patient, "name": name},
                    aggregateversion=version,
                ),
            )
            self.sent.newest[patient] = name

    def _low_stock(self, chance: Random) -> None:
        event = _low_stock(chance)
        self.sent.once.add(event["id"])
        self._add(chance.choice([*self.sent.tenants]), event["type"], event)

    def _spoilt(self, chance: Random, number: int) -> tuple[bytes, str]:
        change, reason = POISON[number % len(POISON)]
        event = _low_stock(chance)
        event = {n: v for n, v in (event | change).items() if v is not None}
        tenant = chance.choice([*self.sent.tenants])
        return self._add(tenant, "equipment.low-stock", event), reason

    def _add(self, tenant: UUID, type: str, event: dict[str, Any]) -> bytes:
        body = orjson.dumps(event)
        self.messages.append((f"inbox.{tenant}.{type}", body))
        return body


async def send(
    nats_url: str, messages: Sequence[tuple[str, bytes]], *, seconds: float = 0.0
) -> None:
    """Send all, spread over that time; what was not confirmed is sent again."""
    client = await nats.connect(nats_url, error_cb=_unheard, max_reconnect_attempts=-1)
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        jetstream = client.jetstream()
        for number, (subject, body) in enumerate(messages):
            await _insist(jetstream, subject, body)
            due = began + seconds * number / len(messages)
            if due > clock():
                await asyncio.sleep(due - clock())
    finally:
        await client.close()


async def _insist(jetstream: JetStreamContext, subject: str, body: bytes) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await jetstream.publish(
                    subject, body, headers=STRUCTURED, stream=STREAM, timeout=2
                )
            except (NatsError, TimeoutError):
                # The broker is away, or the stream is yet to be made.
                await asyncio.sleep(0.05)
            else:
                return


async def until_followed(nats_url: str) -> None:
    """Return when all that the broker has is answered for, or when patience ends: the
    judge will say what is missing.
    """
    clock = asyncio.get_running_loop().time
    ends = clock() + PATIENCE
    while clock() < ends:
        if not await unanswered(nats_url):
            return
        await asyncio.sleep(0.2)  # a server: it cannot be awaited


def _low_stock(chance: Random) -> dict[str, Any]:
    data = {"equipmentId": _id(chance), "locationId": _id(chance)}
    return _event(chance, "equipment.low-stock", data)


def _event(
    chance: Random, type: str, data: object, **attributes: object
) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": _id(chance),
        "source": "/somebody",
        "type": type,
        "data": data,
        **attributes,
    }


def _id(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


async def _unheard(_error: Exception) -> None:
    """Servers are killed on purpose here."""

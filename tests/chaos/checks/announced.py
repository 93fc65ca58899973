"""What was announced: the stream against the ledger, the tables and the outbox.

It knows of an event what docs/events.md tells everybody: its id is `Nats-Msg-Id` and
`id` of the body, its aggregate `subject`, its place there `aggregateversion`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import nats
import orjson
from nats.aio.client import Client
from nats.errors import TimeoutError as NothingMoreError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from tests.chaos.ledger import Entry

STREAM = "SCHEDULING"
AT_ONCE = 500
QUIET = 5.0
"""Seconds in which a broker that has more would have sent it."""

ANNOUNCED_BY = {
    "book": "appointment.created",
    "move": "appointment.updated",
    "cancel": "appointment.cancelled",
}

OUTBOX = "SELECT event_id::text AS id, body FROM outbox WHERE tenant_id = $1"
VERSIONS = "SELECT id::text, version FROM appointments WHERE tenant_id = $1"
WAITING = """
SELECT count(*) FROM outbox WHERE tenant_id = $1 AND published_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Told:
    """A message of the stream."""

    sequence: int
    id: str
    body: bytes
    content: dict[str, Any]

    @property
    def of(self) -> str:
        aggregate: str = self.content["subject"]
        return aggregate

    @property
    def version(self) -> int:
        version: int = self.content["aggregateversion"]
        return version


async def whole_stream(nats_url: str, tenant: UUID) -> list[Told]:
    """Return the tenant's part of the stream, from its beginning, in its order."""
    client = await nats.connect(nats_url)
    try:
        subject = f"scheduling.{tenant}.>"
        jetstream = client.jetstream()
        expected = await _count(client, subject)
        subscription = await jetstream.pull_subscribe(
            subject,
            stream=STREAM,
            config=ConsumerConfig(
                ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL
            ),
        )
        found: list[Told] = []
        while len(found) < expected:
            try:
                messages = await subscription.fetch(AT_ONCE, timeout=QUIET)
            except NothingMoreError:
                break
            found += [
                Told(
                    message.metadata.sequence.stream,
                    (message.headers or {}).get("Nats-Msg-Id", ""),
                    message.data,
                    orjson.loads(message.data),
                )
                for message in messages
            ]
        if len(found) != expected:
            raise RuntimeError(f"read {len(found)} of {expected} messages")
        return found
    finally:
        await client.close()


async def waiting(superuser_url: str, tenant: UUID) -> int:
    """Count what was committed and is not marked as published."""
    connection = await asyncpg.connect(superuser_url)
    try:
        count: int = await connection.fetchval(WAITING, tenant)
        return count
    finally:
        await connection.close()


async def lost_or_invented(
    superuser_url: str, tenant: UUID, entries: Iterable[Entry], stream: Sequence[Told]
) -> list[str]:
    """Return which committed changes have no event, and which events no change.

    Asked in three ways: of the outbox by id and bytes, of the visits by their versions,
    of the ledger by what was acknowledged.
    """
    connection = await asyncpg.connect(superuser_url)
    try:
        outbox = {
            row["id"]: row["body"] for row in await connection.fetch(OUTBOX, tenant)
        }
        visits = {
            row["id"]: row["version"]
            for row in await connection.fetch(VERSIONS, tenant)
        }
    finally:
        await connection.close()
    ids = {one.id for one in stream}
    found = [f"lost: {id} was committed" for id in outbox.keys() - ids]
    found += [f"invented: {id} was never committed" for id in ids - outbox.keys()]
    found += [
        f"changed: {one.id} has other bytes, or another id, than were committed"
        for one in stream
        if (one.id in outbox and outbox[one.id] != one.body)
        or one.content["id"] != one.id
    ]
    told = {
        (one.of, one.version): one.content["type"]
        for one in stream
        if one.content["type"].startswith("appointment.")
    }
    steps = {(id, n) for id, last in visits.items() for n in range(1, last + 1)}
    found += [f"lost: {id} came to version {n}" for id, n in steps - told.keys()]
    found += [f"invented: {id} has no version {n}" for id, n in told.keys() - steps]
    for entry in entries:
        if entry.done and entry.kind in ANNOUNCED_BY:
            step = (entry.told["id"], entry.told["version"])
            if told.get(step) != ANNOUNCED_BY[entry.kind]:
                found.append(f"lost: {entry.kind} {step} is told as {told.get(step)}")
    return found


def out_of_order(stream: Iterable[Told]) -> list[str]:
    """Return what comes after a later version of the same. What is there twice is
    judged by where it came first: the second is another fault.
    """
    last: dict[str, int] = defaultdict(int)
    seen: set[str] = set()
    found = []
    for one in stream:
        if one.id in seen:
            continue
        seen.add(one.id)
        if one.version < last[one.of]:
            found.append(f"late: {one.of} {one.version} after {last[one.of]}")
        last[one.of] = max(last[one.of], one.version)
    return found


def doubled(stream: Iterable[Told]) -> list[str]:
    """Return which ids are there more than once, by header or body."""
    times: Counter[str] = Counter()
    for one in stream:
        times.update({one.id, one.content["id"]})
    return [f"doubled: {id} is there {n} times" for id, n in times.items() if n > 1]


def successors(stream: Iterable[Told]) -> int:
    """Count the events that have an earlier one of the same to come after."""
    events = Counter(one.of for one in stream)
    return sum(events.values()) - len(events)


async def _count(client: Client, subject: str) -> int:
    answer = await client.request(
        f"$JS.API.STREAM.INFO.{STREAM}",
        orjson.dumps({"subjects_filter": subject}),
        timeout=QUIET,
    )
    told = orjson.loads(answer.data)
    if "error" in told:
        raise RuntimeError(f"no stream: {told['error']}")
    return sum((told["state"].get("subjects") or {}).values())

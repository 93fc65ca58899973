"""What news from outside came to, by SQL alone: once each, the newest last, and poison
put aside for its reason.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import nats
import orjson

STREAM, CONSUMER = "SCHEDULING_INBOX", "scheduling-inbox"

# Counted from what was announced, whatever the inbox remembers.
EFFECTS = """
SELECT convert_from(body, 'UTF8')::jsonb #>> '{data,sourceEventId}' AS id
FROM outbox WHERE tenant_id = ANY ($1) AND subject LIKE '%.notification.requested'
"""
NAMES = "SELECT id::text, name FROM patients WHERE tenant_id = ANY ($1)"
DEAD = "SELECT body, reason FROM dead_letters WHERE tenant_id = ANY ($1)"


@dataclass(slots=True)
class Sent:
    """What was sent to some tenants."""

    tenants: Collection[UUID]
    once: set[str] = field(default_factory=set)
    """Ids of events of which each has one effect, however often it came."""
    newest: dict[str, str] = field(default_factory=dict)
    """Patients, and the name in the newest of their news, in whatever order it came."""
    poison: Mapping[bytes, str] = field(default_factory=dict)
    """What cannot be followed, and why."""


async def not_followed(superuser_url: str, sent: Sent) -> list[str]:
    connection = await asyncpg.connect(superuser_url)
    try:
        tenants = [*sent.tenants]
        effects = Counter(r["id"] for r in await connection.fetch(EFFECTS, tenants))
        names = {r["id"]: r["name"] for r in await connection.fetch(NAMES, tenants)}
        letters = Counter(
            (r["body"], r["reason"]) for r in await connection.fetch(DEAD, tenants)
        )
    finally:
        await connection.close()
    found = [f"lost: {id}" for id in sent.once - effects.keys()]
    found += [f"invented: {id}" for id in effects.keys() - sent.once]
    found += [f"doubled: {id}, {n} times" for id, n in effects.items() if n > 1]
    found += [
        f"stale: {id} is {names.get(id)}, the newest is {name}"
        for id, name in sent.newest.items()
        if names.get(id) != name
    ]
    expected = Counter(sent.poison.items())
    found += [f"not put aside: {one}" for one in expected - letters]
    found += [f"put aside: {one}" for one in letters - expected]
    return found


async def unanswered(nats_url: str) -> int:
    """Count what the broker has not delivered, or nobody has acknowledged."""
    client = await nats.connect(nats_url)
    try:
        answer = await client.request(
            f"$JS.API.CONSUMER.INFO.{STREAM}.{CONSUMER}", b"", timeout=5
        )
    finally:
        await client.close()
    told = orjson.loads(answer.data)
    if "error" in told:
        raise RuntimeError(f"no consumer: {told['error']}")
    count: int = told["num_pending"] + told["num_ack_pending"]
    return count

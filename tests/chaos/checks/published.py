"""What was acknowledged is in the stream, and what was marked as published."""

import asyncio
import json
import time
from collections.abc import Iterable
from uuid import UUID

import asyncpg
import nats

from tests.chaos.ledger import Entry

PATIENCE = 60.0


async def until_published(superuser_url: str, tenant: UUID) -> list[str]:
    """Return when nothing of the tenant waits any more; a complaint where that does not
    come.
    """
    connection = await asyncpg.connect(superuser_url)
    deadline = time.monotonic() + PATIENCE
    try:
        while True:
            waiting: int = await connection.fetchval(
                "SELECT count(*) FROM outbox"
                " WHERE tenant_id = $1 AND published_at IS NULL",
                tenant,
            )
            if waiting == 0:
                return []
            if time.monotonic() > deadline:
                return [f"{waiting} events are not published"]
            await asyncio.sleep(0.05)
    finally:
        await connection.close()


async def not_in_stream(
    superuser_url: str, nats_url: str, tenant: UUID, entries: Iterable[Entry]
) -> list[str]:
    """Compare with all of the tenant's messages, read raw: after what is marked, for
    inbox and relay may still be at work.
    """
    connection = await asyncpg.connect(superuser_url)
    try:
        rows = await connection.fetch(
            "SELECT event_id::text FROM outbox"
            " WHERE tenant_id = $1 AND published_at IS NOT NULL",
            tenant,
        )
    finally:
        await connection.close()
    ids, created = await _stream(nats_url, tenant)
    found = [
        f"event {row['event_id']} is marked as published, and is not in the stream"
        for row in rows
        if row["event_id"] not in ids
    ]
    found += [
        f"booking {one.told['id']} was never told"
        for one in entries
        if one.kind == "book" and one.done and one.told["id"] not in created
    ]
    return found


async def _stream(nats_url: str, tenant: UUID) -> tuple[set[str], set[str]]:
    """Return the ids of all events, and the visits that were told to be created."""
    client = await nats.connect(nats_url)
    try:
        subject = f"scheduling.{tenant}.>"
        info = await client.jsm().stream_info("SCHEDULING", subject)
        count = sum((info.state.subjects or {}).values())
        subscription = await client.jetstream().subscribe(
            subject, ordered_consumer=True
        )
        told = [
            json.loads((await subscription.next_msg(timeout=PATIENCE)).data)
            for _ in range(count)
        ]
    finally:
        await client.close()
    created = {one["subject"] for one in told if one["type"] == "appointment.created"}
    return {one["id"] for one in told}, created

"""Events committed as the API's writers commit them, and the judge of what came out."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from scheduling.application.ports.messaging import WaitingEvent

INSERT = """
INSERT INTO outbox (tenant_id, event_id, partition, aggregate_id, aggregate_version,
    subject, body, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())
"""


@asynccontextmanager
async def writer(
    database_url: str,
) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """A session of the role that writes events."""
    connection = await asyncpg.connect(
        database_url, server_settings={"role": "scheduling_api"}
    )
    try:
        yield connection
    finally:
        connection.terminate()


async def insert(
    connection: "asyncpg.Connection[asyncpg.Record]", events: Iterable[WaitingEvent]
) -> None:
    """In the transaction that is open, each under its own tenant."""
    for event in events:
        await connection.execute(
            "SELECT set_config('app.tenant_id', $1, true)", str(event.tenant_id)
        )
        await connection.execute(
            INSERT,
            event.tenant_id,
            event.event_id,
            event.partition,
            event.aggregate_id,
            event.aggregate_version,
            event.subject,
            event.body,
        )


async def commit(database_url: str, events: Iterable[WaitingEvent]) -> None:
    async with writer(database_url) as connection, connection.transaction():
        await insert(connection, events)


def complaints(committed: Sequence[WaitingEvent], arrived: Sequence[UUID]) -> list[str]:
    """Return what was lost, doubled, invented or out of order per aggregate."""
    known = {event.event_id: event for event in committed}
    times = Counter(arrived)
    found = [f"lost {id}" for id in known if not times[id]]
    found += [f"doubled {id}" for id, count in times.items() if count > 1]
    found += [f"invented {id}" for id in times if id not in known]
    last: dict[tuple[UUID, UUID], int] = {}
    for id in arrived:
        if (event := known.get(id)) is None:
            continue
        if last.get(event.aggregate, 0) > event.aggregate_version:
            found.append(f"{id} is version {event.aggregate_version}, too late")
        last[event.aggregate] = event.aggregate_version
    return found

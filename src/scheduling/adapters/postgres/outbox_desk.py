"""The operator's side of the outbox: look, unblock, send again."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from scheduling.adapters.postgres import outbox_statements as sql
from scheduling.adapters.postgres.bell import OUTBOX_CHANNEL, REPLAYED
from scheduling.adapters.postgres.statements import Statement
from scheduling.application.ports.messaging import (
    BlockedAggregate,
    EventNotFound,
    OutboxDesk,
    OutboxStatus,
)


class PostgresOutboxDesk(OutboxDesk):
    """Made by `open_desk`."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def status(self) -> OutboxStatus:
        async with self._connection.transaction(
            isolation="repeatable_read", readonly=True
        ):
            pending = await self._fetch(sql.PENDING)
            blocked = await self._fetch(sql.BLOCKED)
            holders = await self._fetch(sql.HOLDERS)
        return OutboxStatus(
            pending=sum(row["pending"] for row in pending),
            lag=max((row["lag"] for row in pending), default=timedelta(0)),
            pending_by_partition={row["partition"]: row["pending"] for row in pending},
            holders={
                row["partition"]: row["pid"] for row in holders if not row["is_member"]
            },
            blocked=[
                BlockedAggregate(
                    tenant_id=row["tenant_id"],
                    aggregate_id=row["aggregate_id"],
                    event_id=row["event_id"],
                    blocked_at=row["blocked_at"],
                    reason=row["blocked_reason"] or "",
                    waiting=row["waiting"],
                )
                for row in blocked
            ],
        )

    async def unblock(self, aggregates: Iterable[UUID] | None = None) -> int:
        async with self._telling_relays():
            rows = await self._fetch(
                sql.UNBLOCK, aggregates=None if aggregates is None else [*aggregates]
            )
        return len(rows)

    async def republish(
        self, *, first: UUID | None, last: UUID | None, since: datetime | None
    ) -> int:
        async with self._telling_relays():
            asked = [event for event in (first, last) if event is not None]
            rows = await self._fetch(sql.POSITIONS, events=asked)
            places = {row["event_id"]: row["id"] for row in rows}
            for event in asked:
                if event not in places:
                    raise EventNotFound(f"no event {event} in the outbox")
            again = await self._fetch(
                sql.REPUBLISH,
                low=places[first] if first is not None else None,
                high=places[last] if last is not None else None,
                since=since,
            )
        return len(again)

    @asynccontextmanager
    async def _telling_relays(self) -> AsyncIterator[None]:
        """In one transaction: relays hear of it when it is to be seen, not before."""
        async with self._connection.transaction():
            yield
            await self._connection.execute(f"NOTIFY {OUTBOX_CHANNEL}, '{REPLAYED}'")

    async def _fetch(
        self, statement: Statement, **values: object
    ) -> list[asyncpg.Record]:
        return await self._connection.fetch(
            statement.sql, *statement.arguments(**values)
        )


@asynccontextmanager
async def open_desk(
    database_url: str, *, role: str | None = "scheduling_relay"
) -> AsyncIterator[PostgresOutboxDesk]:
    settings = {"application_name": "scheduling outbox desk"}
    connection = await asyncpg.connect(
        database_url,
        server_settings=settings | ({"role": role} if role else {}),
        timeout=10,
    )
    try:
        yield PostgresOutboxDesk(connection)
    finally:
        await connection.close(timeout=5)

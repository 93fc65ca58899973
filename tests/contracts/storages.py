"""PostgreSQL with the windows that `MemoryStorage` has, for the contracts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from functools import cached_property, partial
from typing import Any

import asyncpg
import orjson

from scheduling.adapters.cloud_events.outgoing import Envelope
from scheduling.adapters.postgres.audit import GroupCommittedAudit
from scheduling.adapters.postgres.reminder_writes import channel_from
from scheduling.adapters.postgres.rows import appointment_from, slot_from
from scheduling.adapters.postgres.sessions import open_pool
from scheduling.adapters.postgres.unit_of_work import begin_work
from scheduling.application.ports.audit import AuditClient, Outcome
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.appointment import Appointment
from scheduling.domain.claim import ActorKind, Claim
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot
from scheduling.domain.waitlist import WaitlistEntry
from tests.builders import EIGHT
from tests.fakes.storage import MemoryStorage
from tests.fakes.transaction import AuditRow, StoredReminder


def silent() -> None:
    """A bell that nobody hears."""


@dataclass(frozen=True)
class PostgresStorage:
    pool: "asyncpg.Pool[asyncpg.Record]"

    @property
    def begin(self) -> BeginWork:
        return partial(begin_work, self.pool, silent, lambda: EIGHT)

    @cached_property
    def recorder(self) -> AuditClient:
        return GroupCommittedAudit(self.pool, lambda: EIGHT)

    async def outbox(self, caller: Caller) -> list[Envelope]:
        """Return the tenant's events in the order in which they were committed."""
        rows = await self.rows(caller, "SELECT * FROM outbox ORDER BY id")
        return [
            Envelope(
                event_id=row["event_id"],
                aggregate_id=row["aggregate_id"],
                aggregate_version=row["aggregate_version"],
                subject=row["subject"],
                body=row["body"],
            )
            for row in rows
        ]

    async def claims(self, caller: Caller) -> list[Claim]:
        rows = await self.rows(caller, "SELECT *, upper(taken) AS until FROM claims")
        return [
            Claim(
                appointment_id=AppointmentId(row["appointment_id"]),
                kind=ActorKind(row["actor_kind"]),
                actor_id=row["actor_id"],
                share_id=row["share_id"],
                period=Period(row["starts_at"], row["ends_at"]),
                until=row["until"],
                overbooked=row["overbooked"],
                expires_at=row["expires_at"],
            )
            for row in rows
        ]

    async def appointments(self, caller: Caller) -> list[Appointment]:
        rows = await self.rows(caller, "SELECT * FROM appointments")
        return [appointment_from(row) for row in rows]

    async def slots(self, caller: Caller) -> list[Slot]:
        return [
            slot_from(row) for row in await self.rows(caller, "SELECT * FROM slots")
        ]

    async def waitlist(self, caller: Caller) -> list[WaitlistEntry]:
        rows = await self.rows(caller, "SELECT id FROM waitlist_entries")
        async with self.begin(caller) as work:
            return [await work.waitlist.get(row["id"]) for row in rows]

    async def reminders(self, caller: Caller) -> list[StoredReminder]:
        rows = await self.rows(caller, "SELECT * FROM reminders ORDER BY due_at")
        return [
            StoredReminder(
                **{f.name: row[f.name] for f in fields(StoredReminder)}
                | {"channel": channel_from(row["channel"])}
            )
            for row in rows
        ]

    async def audit(self, caller: Caller) -> list[AuditRow]:
        rows = await self.rows(caller, "SELECT * FROM audit ORDER BY id")
        return [
            AuditRow(
                id=row["id"],
                at=row["at"],
                actor=row["actor"],
                action=row["action"],
                outcome=Outcome(row["outcome"]),
                entity_type=row["entity_type"],
                entity_id=row["entity_id"],
                entity_version=row["entity_version"],
                changes={k: tuple(v) for k, v in orjson.loads(row["changes"]).items()},
                request_id=row["request_id"],
            )
            for row in rows
        ]

    async def rows(self, caller: Caller, sql: str) -> Sequence[Any]:
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "SELECT set_config('app.tenant_id', $1, true)", str(caller.tenant_id)
            )
            return await connection.fetch(sql)


Storage = MemoryStorage | PostgresStorage


@asynccontextmanager
async def postgres_storage(
    url: str, *, size: int = 8, role: str = "scheduling_api"
) -> AsyncIterator[PostgresStorage]:
    pool = await open_pool(url, role=role, size=size)
    try:
        yield PostgresStorage(pool)
    finally:
        await pool.close()

"""What was followed, and how far the news of each aggregate were.

Who has the same event, or news of the same aggregate, waits for us under an advisory
lock, and reads what we left in a second statement: one alone would look at what was
there before it had the lock. The event's lock always comes first, so that no two wait
for each other. The primary key has the last word should two ever pass.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, Text, Uuid, func, literal_column, select

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import INBOX, POSITIONS, TENANT
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.inbox import (
    InboxRepository,
    Outcome,
    ReceivedEvent,
)
from scheduling.application.ports.messages import Message

_OF_EVENTS: ColumnElement[int] = literal_column("44")
_OF_AGGREGATES: ColumnElement[int] = literal_column("45")


@cache
def _locking(kind: ColumnElement[int]) -> Statement:
    name = func.hashtextextended(given("name", Text), kind)
    return compiled(select(func.pg_advisory_xact_lock(name)), locks=True)


@cache
def _recalling() -> Statement:
    inbox = t.inbox
    return compiled(
        select(inbox.c.outcome).where(
            inbox.c.tenant_id == TENANT,
            inbox.c.source == given("source", Text),
            inbox.c.event_id == given("event_id", Text),
        )
    )


@cache
def _position() -> Statement:
    positions = t.inbox_positions
    return compiled(
        select(positions.c.version, positions.c.stored_at).where(
            positions.c.tenant_id == TENANT,
            positions.c.kind == given("kind", Text),
            positions.c.aggregate_id == given("aggregate_id", Uuid),
        )
    )


@dataclass(frozen=True, slots=True)
class PostgresInbox(InboxRepository):
    transaction: Transaction

    async def recall(self, event: ReceivedEvent[Message]) -> Outcome | None:
        name = f"{event.tenant_id}\n{event.source}\n{event.id}"
        await self.transaction.rows(_locking(_OF_EVENTS), name=name)
        row = await self.transaction.row(
            _recalling(), source=event.source, event_id=event.id
        )
        return None if row is None else Outcome(row["outcome"])

    async def is_stale(self, event: ReceivedEvent[Message]) -> bool:
        aggregate = event.message.aggregate
        if aggregate is None:
            return False
        name = f"{event.tenant_id}\n{aggregate.kind}\n{aggregate.id}"
        await self.transaction.rows(_locking(_OF_AGGREGATES), name=name)
        row = await self.transaction.row(
            _position(), kind=aggregate.kind, aggregate_id=aggregate.id
        )
        if row is None:
            return False
        if row["version"] is None or event.version is None:
            newer: bool = row["stored_at"] > event.stored_at
            return newer
        followed: bool = event.version <= row["version"]
        return followed

    def remember(
        self, event: ReceivedEvent[Message], outcome: Outcome, now: datetime
    ) -> None:
        batch = self.transaction.batch
        batch.add(
            INBOX,
            {
                "source": event.source,
                "event_id": event.id,
                "type": event.type,
                "received_at": now,
                "outcome": outcome,
            },
        )
        aggregate = event.message.aggregate
        if aggregate is not None and outcome is Outcome.APPLIED:
            batch.add(
                POSITIONS,
                {
                    "kind": aggregate.kind,
                    "aggregate_id": aggregate.id,
                    "version": event.version,
                    "stored_at": event.stored_at,
                },
            )

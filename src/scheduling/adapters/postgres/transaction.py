"""One caller's reads, and the writes gathered so far.

What only reads, or reads and then writes one statement, needs no BEGIN and no COMMIT: a
statement is a transaction by itself, and under READ COMMITTED each sees what is
committed when it begins anyway. Two round trips of four are saved so, and nobody keeps
a connection while thinking: six of them do the work of twenty. A transaction is opened,
and its connection held, where something is locked; all that follows is then in it.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from scheduling.adapters.cloud_events.outgoing import to_envelope
from scheduling.adapters.postgres.batch import AUDIT, OUTBOX, Write
from scheduling.adapters.postgres.sending import Batch
from scheduling.adapters.postgres.sessions import Sessions
from scheduling.adapters.postgres.statements import Connection, Statement
from scheduling.adapters.postgres.tables import OUTBOX_PARTITIONS
from scheduling.application.ports.audit import Outcome
from scheduling.application.ports.identity import Caller
from scheduling.domain.changes import Changes
from scheduling.domain.events import Event
from scheduling.domain.identifiers import new_id


@dataclass(slots=True)
class Transaction:
    """`held` is the connection of an open transaction; None while none is needed.
    `kept_waiting`: whoever books with these practitioners where limits are set, or
    moves their appointments, waits until it ends.
    """

    sessions: Sessions
    caller: Caller
    batch: Batch = field(default_factory=Batch)
    held: Connection | None = None
    earlier: list[Batch] = field(default_factory=list)
    kept_waiting: set[UUID] = field(default_factory=set)

    def then(self) -> None:
        """Write what is gathered from here on after what was gathered before.

        The writes of one batch are one statement, and none of them sees what another
        does: a seat that is given back and taken again needs two.
        """
        if self.batch:
            self.earlier.append(self.batch)
            self.batch = Batch()

    @property
    def has_news(self) -> bool:
        return self.wrote(OUTBOX)

    def wrote(self, kind: Write) -> bool:
        return any(kind.name in batch.rows for batch in (*self.earlier, self.batch))

    async def rows(self, statement: Statement, **values: Any) -> Sequence[Any]:  # noqa: ANN401
        """Run a reading statement for the caller's tenant."""
        connection = self.held or await self._take(locks=statement.locks)
        arguments = statement.arguments(tenant_id=self.caller.tenant_id, **values)
        try:
            found: Sequence[Any] = await connection.fetch(statement.sql, *arguments)
        finally:
            await self._leave(connection)
        return found

    async def row(self, statement: Statement, **values: Any) -> Any:  # noqa: ANN401
        """Return the first row, or None."""
        found = await self.rows(statement, **values)
        return found[0] if found else None

    async def commit(self) -> None:
        """Write what was gathered. Raise DecisionOutdated where that is too late."""
        if self.batch or self.earlier:
            connection = self.held or await self._take(locks=bool(self.earlier))
            try:
                await self.write(connection)
            finally:
                await self._leave(connection)
        await self._end("COMMIT")

    async def write(self, connection: Connection) -> None:
        """Send what was gathered. Raise DecisionOutdated where that is too late."""
        for batch in (*self.earlier, self.batch):
            if batch:
                await batch.send(connection, self.caller.tenant_id)

    async def undo(self) -> None:
        """Roll back; a connection that is lost has done so, and its loss is not told
        instead of why all this is undone.
        """
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await self._end("ROLLBACK")

    async def _take(self, *, locks: bool = False) -> Connection:
        connection = await self.sessions.take(self.caller.tenant_id)
        if locks:
            self.held = connection
            await connection.execute("BEGIN")
        return connection

    async def _leave(self, connection: Connection) -> None:
        if connection is not self.held:
            await self.sessions.give_back(connection)

    async def _end(self, how: str) -> None:
        connection, self.held = self.held, None
        if connection is None:
            return
        try:
            # A lost connection has rolled back by itself; it can never have committed.
            if how == "COMMIT" or not connection.is_closed():
                await connection.execute(how)
        finally:
            await self.sessions.give_back(connection)

    def announce(self, events: Iterable[Event]) -> None:
        """Put the news into the outbox, in the order in which they happened."""
        caller = self.caller
        for event in events:
            envelope = to_envelope(event, caller.tenant_id, caller.traceparent)
            self.batch.add(
                OUTBOX,
                {
                    "event_id": envelope.event_id,
                    "partition": envelope.aggregate_id.int % OUTBOX_PARTITIONS,
                    "aggregate_id": envelope.aggregate_id,
                    "aggregate_version": envelope.aggregate_version,
                    "subject": envelope.subject,
                    "body": envelope.body.decode(),
                    "created_at": event.occurred_at,
                },
            )

    def audit(
        self,
        action: str,
        entity_type: str,
        entity_id: UUID,
        *,
        version: int,
        changes: Changes,
        at: datetime,
    ) -> None:
        """Record who did what to which thing, with old and new by field."""
        self.batch.add(
            AUDIT,
            {
                "id": new_id(at),
                "at": at,
                "actor": self.caller.subject,
                "action": action,
                "outcome": Outcome.DONE,
                "entity_type": entity_type,
                "entity_id": entity_id,
                "entity_version": version,
                "changes": changes,
                "request_id": self.caller.request_id,
            },
        )

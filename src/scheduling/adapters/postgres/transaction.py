"""An open transaction of one tenant, and the writes gathered for it so far."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from scheduling.adapters.cloud_events import to_envelope
from scheduling.adapters.postgres.batch import AUDIT, OUTBOX, Batch
from scheduling.adapters.postgres.statements import Connection, Statement
from scheduling.adapters.postgres.tables import OUTBOX_PARTITIONS
from scheduling.application.ports.identity import Caller
from scheduling.domain.events import Event
from scheduling.domain.identifiers import new_id

Changes = Mapping[str, tuple[object, object]]
"""Old and new value by field; ids, codes and times only."""


@dataclass(frozen=True, slots=True)
class Transaction:
    connection: Connection
    caller: Caller
    batch: Batch = field(default_factory=Batch)

    async def rows(self, statement: Statement, **values: Any) -> Sequence[Any]:  # noqa: ANN401
        """Run a reading statement for the caller's tenant."""
        arguments = statement.arguments(tenant_id=self.caller.tenant_id, **values)
        found: Sequence[Any] = await self.connection.fetch(statement.sql, *arguments)
        return found

    async def row(self, statement: Statement, **values: Any) -> Any:  # noqa: ANN401
        """Return the first row, or None."""
        arguments = statement.arguments(tenant_id=self.caller.tenant_id, **values)
        return await self.connection.fetchrow(statement.sql, *arguments)

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
                "outcome": "done",
                "entity_type": entity_type,
                "entity_id": entity_id,
                "entity_version": version,
                "changes": changes,
                "request_id": self.caller.request_id,
            },
        )

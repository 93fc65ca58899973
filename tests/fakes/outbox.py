"""The outbox and the broker in memory, and events to put into them."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from scheduling.application.ports.messaging import (
    BatchRefused,
    BlockedAggregate,
    BrokerUnavailable,
    EventNotFound,
    EventPublisher,
    Outbox,
    OutboxDesk,
    OutboxStatus,
    RefusedForGood,
    RelayJournal,
    WaitingEvent,
)

PARTITIONS = 64
TENANT = UUID("0193a000-0000-7000-8000-000000000001")


def an_event(
    aggregate_id: UUID | None = None,
    version: int = 1,
    *,
    tenant_id: UUID = TENANT,
    body: bytes = b"{}",
    subject: str | None = None,
    event_id: UUID | None = None,
) -> WaitingEvent:
    """Return an event as a writer makes it; the outbox gives it its id."""
    aggregate = aggregate_id or uuid4()
    return WaitingEvent(
        id=0,
        tenant_id=tenant_id,
        partition=aggregate.int % PARTITIONS,
        aggregate_id=aggregate,
        aggregate_version=version,
        event_id=event_id or uuid4(),
        subject=subject or f"scheduling.{tenant_id}.appointment.created",
        body=body,
    )


def in_partition(number: int) -> UUID:
    """Return a fresh aggregate id whose events go to that partition."""
    return UUID(int=uuid4().int // PARTITIONS * PARTITIONS + number)


@dataclass
class Row:
    event: WaitingEvent
    created_at: datetime
    published_at: datetime | None = None
    blocked_at: datetime | None = None
    blocked_reason: str = ""


@dataclass
class MemoryOutbox(Outbox, OutboxDesk):
    rows: list[Row] = field(default_factory=list)
    busy: set[int] = field(default_factory=set)
    now: datetime = datetime(2030, 1, 7, 8, tzinfo=UTC)

    async def commit(self, *events: WaitingEvent) -> None:
        for event in events:
            placed = event._replace(id=len(self.rows) + 1)
            self.rows.append(Row(placed, self.now))

    @property
    def waiting(self) -> list[UUID]:
        return [row.event.event_id for row in self.rows if row.published_at is None]

    @property
    def blocked(self) -> dict[UUID, str]:
        return {row.event.event_id: row.blocked_reason for row in self._blocked()}

    @asynccontextmanager
    async def claim(self, limit: int) -> AsyncIterator[Sequence[WaitingEvent]]:
        stopped = {row.event.aggregate for row in self._blocked()}
        events = [
            row.event
            for row in self.rows
            if row.published_at is None
            and row.event.aggregate not in stopped
            and row.event.partition not in self.busy
        ]
        events.sort(key=lambda event: (event.partition, event.id))
        events = events[:limit]
        taken = {event.partition for event in events}
        self.busy |= taken
        try:
            yield events
        finally:
            self.busy -= taken

    async def mark_published(self, events: Sequence[WaitingEvent]) -> None:
        for event in events:
            self._row(event).published_at = self.now

    async def block(self, event: WaitingEvent, reason: str) -> None:
        row = self._row(event)
        row.blocked_at, row.blocked_reason = self.now, reason

    async def status(self) -> OutboxStatus:
        waiting = [row for row in self.rows if row.published_at is None]
        by_partition: dict[int, int] = {}
        for row in waiting:
            number = row.event.partition
            by_partition[number] = by_partition.get(number, 0) + 1
        return OutboxStatus(
            pending=len(waiting),
            lag=max(
                (self.now - row.created_at for row in waiting), default=timedelta()
            ),
            pending_by_partition=by_partition,
            holders={},
            blocked=[
                BlockedAggregate(
                    tenant_id=row.event.tenant_id,
                    aggregate_id=row.event.aggregate_id,
                    event_id=row.event.event_id,
                    blocked_at=row.blocked_at or self.now,
                    reason=row.blocked_reason,
                    waiting=sum(
                        other.event.aggregate == row.event.aggregate
                        for other in waiting
                    ),
                )
                for row in self._blocked()
            ],
        )

    async def unblock(self, aggregates: Iterable[UUID] | None = None) -> int:
        asked = None if aggregates is None else set(aggregates)
        rows = [
            row
            for row in self._blocked()
            if asked is None or row.event.aggregate_id in asked
        ]
        for row in rows:
            row.blocked_at, row.blocked_reason = None, ""
        return len(rows)

    async def republish(
        self, *, first: UUID | None, last: UUID | None, since: datetime | None
    ) -> int:
        low = self._place(first) if first is not None else 0
        high = self._place(last) if last is not None else len(self.rows)
        rows = [
            row
            for row in self.rows
            if row.published_at is not None
            and low <= row.event.id <= high
            and (since is None or row.published_at >= since)
        ]
        for row in rows:
            row.published_at = None
        return len(rows)

    def _blocked(self) -> list[Row]:
        return [
            row
            for row in self.rows
            if row.published_at is None and row.blocked_at is not None
        ]

    def _row(self, event: WaitingEvent) -> Row:
        return self.rows[event.id - 1]

    def _place(self, event_id: UUID) -> int:
        for row in self.rows:
            if row.event.event_id == event_id:
                return row.event.id
        raise EventNotFound(f"no event {event_id} in the outbox")


@dataclass
class MemoryBroker(EventPublisher):
    """Keeps an event id once, as JetStream does within its duplicate window."""

    stream: list[WaitingEvent] = field(default_factory=list)
    poison: dict[UUID, str] = field(default_factory=dict)
    """What is refused before anything of a batch is sent."""
    refused_late: set[UUID] = field(default_factory=set)
    """What only the server refuses: a batch with it comes back without a word why."""
    away_after: int | None = None
    """How many more calls are answered; the one after is stored, but not answered."""
    batches: list[int] = field(default_factory=list)
    in_flight: set[tuple[UUID, UUID]] = field(default_factory=set)

    @property
    def ids(self) -> list[UUID]:
        return [event.event_id for event in self.stream]

    async def publish_together(self, events: Sequence[WaitingEvent]) -> None:
        if reasons := {
            event.event_id: self.poison[event.event_id]
            for event in events
            if event.event_id in self.poison
        }:
            raise RefusedForGood(reasons)
        ids = [event.event_id for event in events]
        if not set(ids).isdisjoint({*self.ids, *self.refused_late}) or len(
            set(ids)
        ) < len(ids):
            raise BatchRefused
        self.stream.extend(events)
        self.batches.append(len(events))
        self._answer()

    async def publish(self, event: WaitingEvent) -> None:
        if event.aggregate in self.in_flight:
            raise AssertionError("two events of one aggregate are in flight")
        self.in_flight.add(event.aggregate)
        try:
            reason = self.poison.get(event.event_id)
            if reason is None and event.event_id in self.refused_late:
                reason = "refused by the server"
            if reason is not None:
                raise RefusedForGood({event.event_id: reason})
            if event.event_id not in self.ids:
                self.stream.append(event)
            self._answer()
        finally:
            self.in_flight.discard(event.aggregate)

    def _answer(self) -> None:
        if self.away_after is not None:
            self.away_after -= 1
            if self.away_after < 0:
                raise BrokerUnavailable("no answer")


@dataclass
class MemoryJournal(RelayJournal):
    told_published: list[UUID] = field(default_factory=list)
    told_blocked: dict[UUID, str] = field(default_factory=dict)

    def published(self, events: Sequence[WaitingEvent]) -> None:
        self.told_published.extend(event.event_id for event in events)

    def blocked(self, event: WaitingEvent, reason: str) -> None:
        self.told_blocked[event.event_id] = reason

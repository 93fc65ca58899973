"""Events on their way out: where they wait, and who takes them to the broker."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, TypeAlias
from uuid import UUID

AggregateKey: TypeAlias = tuple[UUID, UUID]
"""Tenant and aggregate: two tenants may have chosen the same id for a thing."""


class WaitingEvent(NamedTuple):
    """One row of the outbox: an event as the exact bytes that will be on the wire.

    A named tuple, for a relay makes some fifty thousand of them in a second.
    """

    id: int
    tenant_id: UUID
    partition: int
    aggregate_id: UUID
    aggregate_version: int
    event_id: UUID
    subject: str
    body: bytes

    @property
    def aggregate(self) -> AggregateKey:
        return self.tenant_id, self.aggregate_id


class OutboxLost(Exception):
    """The session that held the partitions has ended: others may hold them now."""


class PublishError(Exception):
    """What publishing can end in.

    PublishError
    ├── BatchRefused        one of them is stored already, or cannot be; none was taken
    ├── RefusedForGood      these can never be published; nothing was sent
    └── BrokerUnavailable   nobody knows what was stored; ask again, newly connected
    """


class BatchRefused(PublishError):
    pass


class RefusedForGood(PublishError):
    def __init__(self, reasons: Mapping[UUID, str]) -> None:
        """`reasons` by event id; they name codes and sizes, never contents."""
        super().__init__("; ".join(f"{id}: {why}" for id, why in reasons.items()))
        self.reasons = reasons


class BrokerUnavailable(PublishError):
    pass


class Outbox(Protocol):
    """What the relay sees of the outbox: the partitions that it holds."""

    def claim(self, limit: int) -> AbstractAsyncContextManager[Sequence[WaitingEvent]]:
        """Take up to `limit` waiting events; their partitions are ours in the block.

        Of each partition the oldest come first, and of each aggregate every earlier
        event is in the claim or published already. Events of an aggregate with a
        blocked one are left out. Two claims at a time never share a partition. What
        is neither marked nor blocked in the block waits on. Raise OutboxLost.
        """

    async def mark_published(self, events: Sequence[WaitingEvent]) -> None:
        """Never claim these again, by one statement."""

    async def block(self, event: WaitingEvent, reason: str) -> None:
        """Hold this event until replay, and with it the later ones of its aggregate."""


class EventPublisher(Protocol):
    """To the broker, which keeps an event id once in its duplicate window."""

    async def publish_together(self, events: Sequence[WaitingEvent]) -> None:
        """All are stored, in this order and side by side, or none is.

        Raise BatchRefused, RefusedForGood or BrokerUnavailable.
        """

    async def publish(self, event: WaitingEvent) -> None:
        """Return once it is stored, now or earlier.

        Raise RefusedForGood or BrokerUnavailable.
        """


class RelayJournal(Protocol):
    """Where a relay says what it did: metrics, logs, alarms. Ids only."""

    def published(self, events: Sequence[WaitingEvent]) -> None: ...

    def blocked(self, event: WaitingEvent, reason: str) -> None:
        """Somebody has to look: this aggregate's news stops here."""


@dataclass(frozen=True, slots=True)
class BlockedAggregate:
    tenant_id: UUID
    aggregate_id: UUID
    event_id: UUID
    blocked_at: datetime
    reason: str
    waiting: int
    """Events of the aggregate that wait, the blocked one included."""


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    pending: int
    lag: timedelta
    """The age of the oldest event that waits; zero where none does."""
    pending_by_partition: Mapping[int, int]
    holders: Mapping[int, int]
    """Which database session (its process id) holds which partition."""
    blocked: Sequence[BlockedAggregate]


class OutboxDesk(Protocol):
    """What an operator may ask of the outbox."""

    async def status(self) -> OutboxStatus: ...

    async def unblock(self, aggregates: Iterable[UUID] | None = None) -> int:
        """Let blocked aggregates go on (None: all); return how many were blocked."""

    async def republish(
        self, *, first: UUID | None, last: UUID | None, since: datetime | None
    ) -> int:
        """Mark published events as waiting again; return how many.

        `first` and `last` are event ids and name a range of outbox positions, both
        inclusive; `since` is when they were published. What is given must all hold.
        Raise EventNotFound.
        """


class EventNotFound(LookupError):
    """No such event in the outbox; retention may have removed it."""

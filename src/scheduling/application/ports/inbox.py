"""News that arrives: remembered in the transaction of its effect, so that it takes
effect once however often it is delivered.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.messages import Message
from scheduling.domain.identifiers import TenantId

Content_co = TypeVar("Content_co", bound=Message, covariant=True)
Content_contra = TypeVar("Content_contra", bound=Message, contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent(Generic[Content_co]):
    """A CloudEvent 1.0 that arrived whole. The tenant is that of the NATS subject.

    `version` is the extension `aggregateversion`, `stored_at` when the broker stored
    it: news of one aggregate without versions are ordered by that. `time` is when it
    happened, where the sender says so.
    """

    tenant_id: TenantId
    source: str
    id: str
    type: str
    stored_at: datetime
    version: int | None
    traceparent: str | None
    message: Content_co
    time: datetime | None = None

    @property
    def happened_at(self) -> datetime:
        return self.time or self.stored_at


class Outcome(StrEnum):
    """What became of news: `DUPLICATE` is told and never stored."""

    APPLIED = "applied"
    STALE = "stale"
    """Newer news of the same aggregate was followed already."""
    DUPLICATE = "duplicate"


class InboxRepository(Protocol):
    async def recall(self, event: ReceivedEvent[Message]) -> Outcome | None:
        """Return what became of it before; None: it is new. Who has the same event
        waits until we are done.
        """

    async def is_stale(self, event: ReceivedEvent[Message]) -> bool:
        """Tell whether newer news of its aggregate was followed. Who has news of the
        same aggregate waits until we are done.

        Newer is a higher version, or the same one; where either has none, what the
        broker stored later.
        """

    def remember(
        self, event: ReceivedEvent[Message], outcome: Outcome, now: datetime
    ) -> None:
        """Store that it was followed, and how far its aggregate's news were."""


class Reaction(Protocol[Content_contra]):
    """What we do when an event arrives, in the transaction that remembers it.

    A refusal (DomainError) undoes it and makes the event a dead letter with its code;
    Unavailable and other faults have it delivered again.
    """

    async def __call__(
        self, caller: Caller, event: ReceivedEvent[Content_contra], /
    ) -> None: ...

"""News that cannot be followed: kept whole, with the reason, until somebody has mended
what was wrong and sends it again.
"""

from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

NO_TENANT = UUID(int=0)
"""Whose a letter is whose subject names no tenant."""

MAX_DELIVERIES = "MAX_DELIVERIES"
"""The reason of what was delivered in vain until the broker gave up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message of the broker as it came, and why nothing follows from it.

    `reason` is a code: of a refusal, or of what is wrong with the message. `detail`
    names fields, ids and codes. `event_id` and `event_type` are the CloudEvent's, where
    it has them.
    """

    id: UUID
    tenant_id: UUID
    stream: str
    sequence: int
    stored_at: datetime
    subject: str
    headers: Mapping[str, str]
    body: bytes
    event_id: str | None
    event_type: str | None
    reason: str
    detail: str
    deliveries: int
    died_at: datetime
    replayed_at: datetime | None = None


class DeadLetterRepository(Protocol):
    def keep(self, letter: DeadLetter) -> None:
        """Store it; the same message of the stream is kept once, as it first came."""


class DeadLetterDesk(Protocol):
    """What an operator may ask of the dead letters, over all tenants."""

    def find(
        self,
        *,
        ids: Collection[UUID] | None = None,
        tenant_id: UUID | None = None,
        reason: str | None = None,
        waiting: bool = False,
    ) -> AsyncGenerator[DeadLetter, None]:
        """Yield them, the oldest first; `waiting`: those that were never replayed."""

    async def mark_replayed(self, letter: DeadLetter, at: datetime) -> None: ...


class Resender(Protocol):
    async def send(self, letter: DeadLetter) -> None:
        """Return once the broker has the message again, for the inbox alone.

        Raise BrokerUnavailable.
        """

"""What grows for ever unless somebody removes it, and what is never removed."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from scheduling.domain.identifiers import TenantId


class Kept(StrEnum):
    """By what it is as old as it is, and what of it stays whatever its age."""

    OUTBOX = "outbox"
    """Since it was published; what was not published stays."""

    INBOX = "inbox"
    """Since it was received; the same event, if it came again, would be new."""

    IDEMPOTENCY_KEYS = "idempotency-keys"
    """Since the answer was given."""

    AUDIT = "audit"
    """Since it happened."""

    DEAD_LETTERS = "dead-letters"
    """Since it was sent again; what was never sent again stays."""

    GENERATION_RUNS = "generation-runs"
    """Since it began; of each calendar the newest stays, and the newest that has seen
    the highest version of its role.
    """

    NOTIFICATIONS = "notifications"
    """Since it was told, read or not."""


OF_ALL_AT_ONCE = frozenset({Kept.INBOX, Kept.IDEMPOTENCY_KEYS, Kept.DEAD_LETTERS})
"""What is found by its age, whosever it is; the rest is looked for in each tenant."""


class Archive(Protocol):
    async def remove(
        self, what: Kept, before: datetime, *, of: TenantId | None, limit: int
    ) -> int:
        """Remove some that are older than that, the oldest first, and return how many;
        0: nothing is left to remove.

        At the most `limit` are looked at. `of` None where it is OF_ALL_AT_ONCE. Raise
        DatabaseUnavailable.
        """

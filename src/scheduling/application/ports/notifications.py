"""What practitioners find in the app."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from scheduling.domain.directory import Practitioner
from scheduling.domain.identifiers import NotificationId, PractitionerId
from scheduling.domain.notification import Notification

NotificationPosition: TypeAlias = tuple[datetime, NotificationId]
"""Where a page of notifications ended: the last one's instant and id."""


class NotificationRepository(Protocol):
    def add(self, notification: Notification) -> None: ...

    async def of_practitioner(
        self,
        id: PractitionerId,
        *,
        unread: bool,
        after: NotificationPosition | None,
        limit: int,
    ) -> Sequence[Notification]:
        """Return up to `limit` behind a position, the newest first; all of them, or
        those only that are `unread`.
        """

    async def mark_read(
        self, of: PractitionerId, id: NotificationId, *, now: datetime
    ) -> Notification:
        """Note that it was read, and return it; one that was read before stays as it
        was. Raise NotificationNotFound.
        """

    async def mark_all_read(self, of: Practitioner, *, now: datetime) -> int:
        """Note it of all that are unread; return how many were."""

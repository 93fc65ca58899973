"""What practitioners find in the app, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scheduling.application.ports.notifications import (
    NotificationPosition,
    NotificationRepository,
)
from scheduling.application.ports.unit_of_work import TransactionAborted
from scheduling.domain.changes import plain
from scheduling.domain.directory import Practitioner
from scheduling.domain.errors import NotificationNotFound
from scheduling.domain.identifiers import NotificationId, PractitionerId
from scheduling.domain.notification import Notification
from tests.fakes.transaction import Tables, Transaction


@dataclass
class MemoryNotifications(NotificationRepository):
    transaction: Transaction

    def add(self, notification: Notification) -> None:
        def key(one: Notification) -> tuple[object, ...]:
            return one.practitioner_id, one.template, one.source_event_id

        def write(tables: Tables) -> None:
            if key(notification) in map(key, tables.notifications.values()):
                raise TransactionAborted
            tables.notifications[notification.id] = notification

        self.transaction.change(write)

    async def of_practitioner(
        self,
        id: PractitionerId,
        *,
        unread: bool,
        after: NotificationPosition | None,
        limit: int,
    ) -> Sequence[Notification]:
        theirs = sorted(
            (
                one
                for one in self._of(id)
                if not (unread and one.read_at)
                and (after is None or (one.created_at, one.id) < after)
            ),
            key=lambda one: (one.created_at, one.id),
            reverse=True,
        )
        return theirs[:limit]

    async def mark_read(
        self, of: PractitionerId, id: NotificationId, *, now: datetime
    ) -> Notification:
        await self.transaction.lock("notifications", of)
        for one in self._of(of):
            if one.id == id:
                break
        else:
            raise NotificationNotFound(id)
        if one.read_at is not None:
            return one
        read = replace(one, read_at=now)
        self._store(read)
        self.transaction.audit(
            "notification.read", id, 1, {"readAt": (None, plain(now))}, at=now
        )
        return read

    async def mark_all_read(self, of: Practitioner, *, now: datetime) -> int:
        await self.transaction.lock("notifications", of.id)
        unread = [one for one in self._of(of.id) if one.read_at is None]
        for one in unread:
            self._store(replace(one, read_at=now))
        if unread:
            self.transaction.audit(
                "practitioner.notifications-read",
                of.id,
                of.version,
                {"unread": (len(unread), 0)},
                at=now,
            )
        return len(unread)

    def _of(self, id: PractitionerId) -> list[Notification]:
        stored = self.transaction.tables.notifications.values()
        return [one for one in stored if one.practitioner_id == id]

    def _store(self, one: Notification) -> None:
        self.transaction.change(
            lambda tables: tables.notifications.update({one.id: one})
        )

from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.audit import AuditClient, Entity
from scheduling.application.ports.identity import Caller, Scope, StaffOnly
from scheduling.application.ports.notifications import NotificationPosition
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import PractitionerNotFound
from scheduling.domain.identifiers import PractitionerId
from scheduling.domain.notification import Notification


@dataclass(frozen=True, slots=True)
class Notifications:
    """A page of them, the newest first; `more` may follow."""

    items: Sequence[Notification]
    more: bool


@dataclass(frozen=True, slots=True)
class ListNotifications:
    """What happened to a practitioner's visits. It names patients: staff only."""

    begin: BeginWork
    audit: AuditClient

    async def __call__(
        self,
        caller: Caller,
        practitioner_id: PractitionerId,
        *,
        unread: bool,
        after: NotificationPosition | None,
        limit: int,
    ) -> Notifications:
        if caller.patient_id is not None:
            raise StaffOnly(Scope.READ)
        async with self.begin(caller) as work:
            found = await work.notifications.of_practitioner(
                practitioner_id, unread=unread, after=after, limit=limit + 1
            )
            if not found and await work.practitioners.find(practitioner_id) is None:
                raise PractitionerNotFound(practitioner_id)
        about = Entity("practitioner", practitioner_id)
        await self.audit.record(caller, "practitioner.notifications.read", about)
        return Notifications(found[:limit], more=len(found) > limit)

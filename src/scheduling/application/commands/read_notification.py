from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Scope, StaffOnly
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.identifiers import NotificationId, PractitionerId
from scheduling.domain.notification import Notification


@dataclass(frozen=True, slots=True)
class ReadNotification:
    """Note that a practitioner has read something; the same again changes nothing."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, practitioner_id: PractitionerId, id: NotificationId
    ) -> Notification:
        if caller.patient_id is not None:
            raise StaffOnly(Scope.BOOK)
        async with self.begin(caller) as work:
            return await work.notifications.mark_read(
                practitioner_id, id, now=self.now()
            )

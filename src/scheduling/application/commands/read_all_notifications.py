from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Scope, StaffOnly
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import PractitionerNotFound
from scheduling.domain.identifiers import PractitionerId


@dataclass(frozen=True, slots=True)
class ReadAllNotifications:
    """Note that a practitioner has read all there is; return how many were unread."""

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller, practitioner_id: PractitionerId) -> int:
        if caller.patient_id is not None:
            raise StaffOnly(Scope.BOOK)
        async with self.begin(caller) as work:
            practitioner = await work.practitioners.find(practitioner_id)
            if practitioner is None:
                raise PractitionerNotFound(practitioner_id)
            return await work.notifications.mark_all_read(practitioner, now=self.now())

from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.tell_the_waitlist import tell_the_waitlist
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.errors import AppointmentNotFound
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.version import ExpectedVersion, demand_version
from scheduling.domain.waitlist import GivenBack


@dataclass(frozen=True, slots=True)
class CancelAppointment:
    """Call a visit off and give its time back, so that somebody else can have it; who
    waits for such a time is told.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        id: AppointmentId,
        *,
        expected: ExpectedVersion | None,
        reason_code: CancelReason,
        initiated_by: Initiator,
        comment: str | None,
    ) -> Appointment:
        async with self.begin(caller) as work:
            appointment, slots = await work.appointments.with_slots(id)
            if not caller.sees(appointment.patient_id):
                raise AppointmentNotFound(id)
            demand_version(expected, appointment.version)
            now = self.now()
            cancelled = appointment.cancel(
                reason_code=reason_code,
                initiated_by=initiated_by,
                comment=comment,
                now=now,
            )
            left = appointment.freed(slots, now)
            work.appointments.release(cancelled, left)
            await tell_the_waitlist(
                work, GivenBack(appointment, cancelled, left), now=now
            )
        return cancelled

from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.take_a_step import (
    demand_live,
    demand_right_to,
    found_for,
    keep_or_release,
    take_time_anew,
)
from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import AppointmentNotFound
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.moving import asked_again, demand_theirs
from scheduling.domain.status import Status
from scheduling.domain.version import ExpectedVersion, demand_version


@dataclass(frozen=True, slots=True)
class UpdateAppointmentStatus:
    """Say how far a visit is: confirmed, arrived, happening, over, or that nobody came.

    What takes no time any more gives it back at once; what takes time again is a new
    booking check.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        id: AppointmentId,
        *,
        expected: ExpectedVersion | None,
        status: Status,
        reason_code: str | None = None,
        comment: str | None = None,
    ) -> Appointment:
        async with self.begin(caller) as work:
            appointment, slots = await found_for(work, id, status)
            if not caller.sees(appointment.patient_id):
                raise AppointmentNotFound(id)
            demand_version(expected, appointment.version)
            now = self.now()
            said = {"reason_code": reason_code, "comment": comment}
            demand_right_to(caller, appointment, status, now=now)
            demand_live(appointment, status, now=now)
            appointment.demand(status, now=now)
            if appointment.takes_time_anew(status):
                anybodys = caller.may(Scope.MANAGE)
                demand_theirs(appointment, by=None if anybodys else caller.subject)
                again = asked_again(appointment)
                return await take_time_anew(
                    work, appointment, status, again, **said, now=now
                )
            after = appointment.become(status, **said, now=now)
            return await keep_or_release(work, after, slots, now=now)

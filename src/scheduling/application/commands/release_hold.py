from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Forbidden, Scope
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.take_a_step import keep_or_release
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.errors import AppointmentNotFound
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.moving import demand_held
from scheduling.domain.version import ExpectedVersion, check_version


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Give a held seat back before its time is up.

    Moved or edited meanwhile, it is let go all the same: nobody has to say a version.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        id: AppointmentId,
        *,
        expected: ExpectedVersion | None = None,
    ) -> Appointment:
        async with self.begin(caller) as work:
            held, slots = await work.appointments.with_slots(id)
            if not caller.sees(held.patient_id):
                raise AppointmentNotFound(id)
            check_version(expected, held.version)
            now = self.now()
            demand_held(held, now)
            if held.held_by != caller.subject and not caller.may(Scope.MANAGE):
                raise Forbidden(Scope.MANAGE)
            by = Initiator.STAFF if caller.patient_id is None else Initiator.PATIENT
            released = held.cancel(
                reason_code=CancelReason.OTHER, initiated_by=by, comment=None, now=now
            )
            return await keep_or_release(work, released, slots, now=now)

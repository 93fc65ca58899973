from dataclasses import dataclass

from scheduling.application.ports.audit import (
    APPOINTMENT_READ,
    AuditClient,
    Entity,
)
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import AppointmentNotFound
from scheduling.domain.identifiers import AppointmentId


@dataclass(frozen=True, slots=True)
class GetAppointmentById:
    """A patient's own token sees that patient's appointments only."""

    begin: BeginWork
    audit: AuditClient

    async def __call__(self, caller: Caller, id: AppointmentId) -> Appointment:
        async with self.begin(caller) as work:
            appointment = await work.appointments.get(id)
        if not caller.sees(appointment.patient_id):
            raise AppointmentNotFound(id)
        await self.audit.record(caller, APPOINTMENT_READ, Entity("appointment", id))
        return appointment

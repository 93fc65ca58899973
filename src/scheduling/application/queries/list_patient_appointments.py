from dataclasses import dataclass

from scheduling.application.ports.appointment_lists import (
    ANYBODY,
    EVER,
    AppointmentFilter,
    AppointmentPage,
    Page,
)
from scheduling.application.ports.audit import AuditClient, asked_for
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.zone_asked_for import zone_asked_for
from scheduling.domain.errors import PatientNotFound
from scheduling.domain.identifiers import PatientId
from scheduling.domain.local_days import Span
from scheduling.domain.status import Status


@dataclass(frozen=True, slots=True)
class ListPatientAppointments:
    """A patient's own token sees that patient's appointments only."""

    begin: BeginWork
    now: Clock
    audit: AuditClient

    async def __call__(
        self,
        caller: Caller,
        patient_id: PatientId,
        page: Page,
        *,
        span: Span | None,
        statuses: frozenset[Status],
        timezone: str | None,
    ) -> AppointmentPage:
        async with self.begin(caller) as work:
            patient = await work.patients.find(patient_id)
            gone = patient is None or patient.is_deleted
            if gone or not caller.sees(patient_id):
                raise PatientNotFound(patient_id)
            period = EVER
            if span is not None:
                zone = await zone_asked_for(work, timezone, ANYBODY)
                period = span.in_zone(zone).period
            wanted = AppointmentFilter(
                now=self.now(),
                period=period,
                patient_id=patient_id,
                statuses=statuses,
            )
            found = await work.appointment_lists.page(wanted, page)
        about = asked_for(caller, patient=patient_id)
        await self.audit.record(caller, "patient.appointments.read", about)
        return found

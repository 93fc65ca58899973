from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.audit import AuditClient, Entity
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import SeriesNotFound
from scheduling.domain.identifiers import SeriesId


@dataclass(frozen=True, slots=True)
class GetAppointmentSeries:
    """All that was booked together, in its order, whatever has become of it since."""

    begin: BeginWork
    audit: AuditClient

    async def __call__(self, caller: Caller, id: SeriesId) -> Sequence[Appointment]:
        async with self.begin(caller) as work:
            found = await work.appointments.series(id)
        if not found or not caller.sees(found[0].patient_id):
            raise SeriesNotFound(id)
        entity = Entity("appointment-series", id)
        await self.audit.record(caller, "appointment-series.read", entity)
        return found

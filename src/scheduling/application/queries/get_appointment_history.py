from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.audit import (
    HISTORY_READ,
    AuditClient,
    AuditPosition,
    AuditRecord,
    Entity,
)
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import AppointmentNotFound
from scheduling.domain.identifiers import AppointmentId


@dataclass(frozen=True, slots=True)
class AppointmentHistory:
    """A page of records, oldest first; `more` may follow."""

    records: Sequence[AuditRecord]
    more: bool


@dataclass(frozen=True, slots=True)
class GetAppointmentHistory:
    """Who did what to an appointment, when, and what came of it.

    A patient's own token is told of its own appointment what was done to it, and what
    it tried itself; not who else looked.
    """

    begin: BeginWork
    audit: AuditClient

    async def __call__(
        self,
        caller: Caller,
        id: AppointmentId,
        *,
        after: AuditPosition | None = None,
        limit: int,
    ) -> AppointmentHistory:
        async with self.begin(caller) as work:
            found = await work.audit.of_appointment(
                id, to=caller, after=after, limit=limit + 1
            )
        if not caller.sees(found.patient_id):
            raise AppointmentNotFound(id)
        await self.audit.record(caller, HISTORY_READ, Entity("appointment", id))
        return AppointmentHistory(found.records[:limit], len(found.records) > limit)

"""Appointments that keep their time, though there are no hours then any more. They are
told to who manages calendars, with whom to call.
"""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from scheduling.application.ports import schedule_exceptions as port
from scheduling.domain.status import Status
from scheduling.entrypoints.http.shapes import Instant, Shape


class AffectedAppointmentView(Shape):
    id: UUID
    start: Instant
    end: Instant
    status: Status
    patient_id: UUID
    patient_name: str


Affected = Annotated[
    list[AffectedAppointmentView],
    Field(description="They keep their time, though there are no hours then"),
]


def affected_view(one: port.Affected) -> dict[str, Any]:
    return {
        "id": one.id,
        "start": one.period.start,
        "end": one.period.end,
        "status": one.status,
        "patientId": one.patient_id,
        "patientName": one.patient_name,
    }

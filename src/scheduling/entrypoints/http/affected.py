"""Appointments that keep their time, though there are no hours then any more."""

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
    }

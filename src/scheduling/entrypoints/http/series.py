"""`/v1/appointments/series`: the same time on the wall, week after week."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from scheduling.application.ports.identity import Caller, Forbidden, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain import errors
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.identifiers import PatientId, SeriesId
from scheduling.domain.series import FEWEST_OCCURRENCES, MOST_OCCURRENCES
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.appointment_shapes import (
    NOT_THERE,
    NOT_TO_BE_HAD,
    AppointmentView,
    ResourceBody,
    appointment_view,
    resources_from,
)
from scheduling.entrypoints.http.booking_time import BookingTime
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.shapes import (
    FreeText,
    Line,
    Shape,
    Whole,
    answer,
    dumped,
)
from scheduling.entrypoints.http.use_cases import Queries

router = room("/appointments/series", "appointments")


class SeriesBody(BookingTime):
    """When the first is, by `slotId`, or by practitioner, location, start and duration;
    and how many there are, a week apart, that one among them.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "patientId": "019a9d3e-0000-7000-8000-000000000401",
                    "slotId": "019a9d3e-0000-7000-8000-000000000501",
                    "appointmentType": "physiotherapy",
                    "occurrences": 10,
                },
                {
                    "patientId": "019a9d3e-0000-7000-8000-000000000401",
                    "practitionerId": "019a9d3e-0000-7000-8000-000000000101",
                    "locationId": "019a9d3e-0000-7000-8000-000000000201",
                    "start": "2030-01-07T09:00:00-03:00",
                    "durationMinutes": 60,
                    "appointmentType": "physiotherapy",
                    "occurrences": 10,
                },
            ]
        }
    )

    patient_id: UUID
    appointment_type: Line
    reason: FreeText | None = None
    notes: FreeText | None = None
    resources: Annotated[tuple[ResourceBody, ...], Field(max_length=10)] = ()
    occurrences: Annotated[Whole, Field(ge=FEWEST_OCCURRENCES, le=MOST_OCCURRENCES)]

    def to_request(self, caller: Caller) -> BookingRequest:
        if caller.patient_id is not None and self.resources:
            # Which room or device a visit takes is the clinic's to say.
            raise Forbidden(Scope.MANAGE)
        return BookingRequest(
            patient_id=PatientId(self.patient_id),
            when=self.when(),
            appointment_type=self.appointment_type,
            reason=self.reason,
            notes=self.notes,
            resources=resources_from(self.resources),
        )


class SeriesView(Shape):
    """All appointments of a series, in its order."""

    series_id: UUID
    items: list[AppointmentView]


def _view(id: UUID | None, series: Sequence[Appointment]) -> dict[str, Any]:
    return {"seriesId": id, "items": [appointment_view(one) for one in series]}


def _made(series: Sequence[Appointment]) -> StoredAnswer:
    id = series[0].series_id
    place = f"/v1/appointments/series/{id}"
    return answer(201, _view(id, series), Location=place)


@router.post(
    "",
    **documented.command(
        SeriesView,
        *NOT_THERE,
        *NOT_TO_BE_HAD,
        errors.SlotNotAvailable,
        status=201,
        tag=False,
    ),
)
async def book_appointment_series(
    wanted: SeriesBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Book the same time of the day for some weeks, all of them or none.

    Each begins at the same time on the wall of the slot's zone, or of the location's
    where a start is given: 9 o'clock stays 9 o'clock when the clocks change. Where one
    of them cannot be had, nothing is booked, and the problem's `index` says which.
    """
    return await commanding(
        request,
        caller,
        lambda do: do.book_series(
            caller, wanted.to_request(caller), wanted.occurrences
        ),
        _made,
    )


@router.get("/{id}", **documented.reading(SeriesView, errors.SeriesNotFound, tag=False))
async def get_appointment_series(
    id: UUID,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """All appointments of a series, also those that were moved or cancelled since."""
    queries: Queries = request.state.queries
    series = await queries.get_appointment_series(caller, SeriesId(id))
    return Response(dumped(_view(id, series)), media_type="application/json")

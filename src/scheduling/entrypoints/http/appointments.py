"""`/v1/appointments`: book, read, cancel."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from scheduling.application.ports.identity import Caller, Forbidden, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain import errors
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.booking_request import (
    BookingRequest,
    Override,
)
from scheduling.domain.claim import ActorKind, Resource
from scheduling.domain.identifiers import (
    AppointmentId,
    PatientId,
)
from scheduling.domain.status import Status
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.booking_time import BookingTime
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding, expected_version
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import found
from scheduling.entrypoints.http.shapes import (
    Flag,
    FreeText,
    Instant,
    Line,
    Shape,
    Version,
    answer,
)
from scheduling.entrypoints.http.use_cases import Queries

router = room("/appointments", "appointments")

_KINDS = {"room": ActorKind.ROOM, "device": ActorKind.DEVICE}


class ResourceBody(Shape):
    type: Literal["room", "device"]
    id: UUID


class BookingBody(BookingTime):
    """By `slotId`, or by practitioner, location, start and duration."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "patientId": "019a9d3e-0000-7000-8000-000000000401",
                    "slotId": "019a9d3e-0000-7000-8000-000000000501",
                    "appointmentType": "consultation",
                },
                {
                    "patientId": "019a9d3e-0000-7000-8000-000000000401",
                    "practitionerId": "019a9d3e-0000-7000-8000-000000000101",
                    "locationId": "019a9d3e-0000-7000-8000-000000000201",
                    "start": "2030-01-07T09:00:00-03:00",
                    "durationMinutes": 60,
                    "appointmentType": "procedure",
                },
            ]
        }
    )

    patient_id: UUID
    appointment_type: Line
    reason: FreeText | None = None
    notes: FreeText | None = None
    resources: Annotated[tuple[ResourceBody, ...], Field(max_length=10)] = ()
    allow_double_booking: Flag = False
    override_reason: FreeText | None = None

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
            resources=tuple(
                dict.fromkeys(Resource(_KINDS[r.type], r.id) for r in self.resources)
            ),
            override=Override(self.override_reason, caller.may(Scope.OVERRIDE))
            if self.allow_double_booking
            else None,
        )


class CancelBody(Shape):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"reasonCode": "patient", "initiatedBy": "patient", "version": 1}
            ]
        }
    )

    reason_code: CancelReason
    initiated_by: Initiator
    comment: FreeText | None = None
    version: Version | None = None


class ParticipantView(Shape):
    type: Literal["patient", "practitioner", "location", "room", "device"]
    id: UUID
    status: Literal["accepted", "needs-action"]


class AppointmentView(Shape):
    id: UUID
    patient_id: UUID
    practitioner_id: UUID
    location_id: UUID
    slot_ids: list[UUID]
    start: Instant
    end: Instant
    timezone: str
    duration_minutes: int
    appointment_type: str
    status: Status
    reason: str | None
    notes: str | None
    participants: list[ParticipantView]
    overbooked: bool
    hold_expires_at: Instant | None
    sub_file_id: UUID | None
    created_at: Instant
    updated_at: Instant
    version: int


def appointment_view(one: Appointment) -> dict[str, Any]:
    """The shape of `AppointmentView` (a test holds it to that), without a model."""
    return {
        "id": one.id,
        "patientId": one.patient_id,
        "practitionerId": one.practitioner_id,
        "locationId": one.location_id,
        "slotIds": one.slot_ids,
        "start": one.period.start,
        "end": one.period.end,
        "timezone": one.timezone,
        "durationMinutes": int(one.period.length.total_seconds() // 60),
        "appointmentType": one.appointment_type,
        "status": one.status,
        "reason": one.reason,
        "notes": one.notes,
        "participants": _participants(one),
        "overbooked": one.overbooked,
        "holdExpiresAt": one.hold_expires_at,
        "subFileId": one.sub_file_id,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
        "version": one.version,
    }


_PATIENT_HAS_SAID_YES = frozenset(
    {Status.CONFIRMED, Status.ARRIVED, Status.IN_PROGRESS, Status.COMPLETED}
)


def _participants(one: Appointment) -> list[dict[str, Any]]:
    """FHIR R4's Appointment.participant: who takes part, and who has agreed to it."""
    agreed = one.status in _PATIENT_HAS_SAID_YES
    return [
        {
            "type": "patient",
            "id": one.patient_id,
            "status": "accepted" if agreed else "needs-action",
        },
        {"type": "practitioner", "id": one.practitioner_id, "status": "accepted"},
        {"type": "location", "id": one.location_id, "status": "accepted"},
        *(
            {
                "type": resource.kind.name.lower(),
                "id": resource.id,
                "status": "accepted",
            }
            for resource in one.resources
        ),
    ]


def _booked(one: Appointment) -> StoredAnswer:
    return answer(
        201,
        appointment_view(one),
        version=one.version,
        Location=f"/v1/appointments/{one.id}",
    )


def _as_it_is(one: Appointment) -> StoredAnswer:
    return answer(200, appointment_view(one), version=one.version)


@router.post(
    "",
    **documented.command(
        AppointmentView,
        errors.PatientNotFound,
        errors.PractitionerNotFound,
        errors.LocationNotFound,
        errors.SlotNotFound,
        errors.PractitionerNotAvailable,
        errors.PractitionerNotAssigned,
        errors.OutsideSchedule,
        errors.OutsideBookingWindow,
        errors.SlotNotAvailable,
        errors.DoubleBookingDetected,
        errors.BufferTimeConflict,
        errors.BookingLimitReached,
        errors.DoubleBookingOverrideDenied,
        status=201,
    ),
)
async def book_appointment(
    wanted: BookingBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Book a slot, or consecutive slots from a start."""
    return await commanding(
        request,
        caller,
        lambda do: do.book_appointment(caller, wanted.to_request(caller)),
        _booked,
    )


@router.get("/{id}", **documented.reading(AppointmentView, errors.AppointmentNotFound))
async def get_appointment(
    id: UUID,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """One appointment with its participants."""
    queries: Queries = request.state.queries
    one = await queries.get_appointment_by_id(caller, AppointmentId(id))
    return found(request, appointment_view(one), one.version)


@router.post(
    "/{id}/cancel",
    **documented.command(
        AppointmentView,
        errors.AppointmentNotFound,
        errors.InvalidStatusTransition,
        errors.OptimisticLockConflict,
        errors.PreconditionFailed,
        errors.PreconditionRequired,
        status=200,
        if_match=True,
    ),
)
async def cancel_appointment(
    id: UUID,
    wanted: CancelBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Call an appointment off; its time can be booked at once."""
    if caller.patient_id is not None and wanted.initiated_by is not Initiator.PATIENT:
        raise errors.InvalidInput(
            "a patient's own token cancels as the patient", "initiatedBy"
        )
    return await commanding(
        request,
        caller,
        lambda do: do.cancel_appointment(
            caller,
            AppointmentId(id),
            expected=expected_version(request, wanted.version),
            reason_code=wanted.reason_code,
            initiated_by=wanted.initiated_by,
            comment=wanted.comment,
        ),
        _as_it_is,
    )

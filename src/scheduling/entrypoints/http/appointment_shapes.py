"""An appointment on the wire, and what a request for one may be refused with."""

from typing import Any, Literal
from uuid import UUID

from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain import errors
from scheduling.domain.appointment import Appointment
from scheduling.domain.claim import ActorKind, Resource
from scheduling.domain.status import Status
from scheduling.entrypoints.http.shapes import Instant, Shape, answer

CHANGED_MEANWHILE = (
    errors.OptimisticLockConflict,
    errors.PreconditionFailed,
    errors.PreconditionRequired,
)
NOT_TO_BE_HAD = (
    errors.PractitionerNotAvailable,
    errors.PractitionerNotAssigned,
    errors.OutsideSchedule,
    errors.OutsideBookingWindow,
    errors.DoubleBookingDetected,
    errors.BufferTimeConflict,
    errors.BookingLimitReached,
)
NOT_THERE = (
    errors.PatientNotFound,
    errors.PractitionerNotFound,
    errors.LocationNotFound,
    errors.SlotNotFound,
)

_KINDS = {"room": ActorKind.ROOM, "device": ActorKind.DEVICE}


class ResourceBody(Shape):
    type: Literal["room", "device"]
    id: UUID


def resources_from(bodies: tuple[ResourceBody, ...]) -> tuple[Resource, ...]:
    """Return what is named, each once."""
    return tuple(dict.fromkeys(Resource(_KINDS[r.type], r.id) for r in bodies))


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
    series_id: UUID | None
    series_index: int | None
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
        "seriesId": one.series_id,
        "seriesIndex": one.series_index,
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


def made(one: Appointment) -> StoredAnswer:
    return answer(
        201,
        appointment_view(one),
        version=one.version,
        Location=f"/v1/appointments/{one.id}",
    )


def as_it_is(one: Appointment) -> StoredAnswer:
    return answer(200, appointment_view(one), version=one.version)

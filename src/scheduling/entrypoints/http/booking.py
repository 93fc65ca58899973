"""`/v1/appointments`: book, as staff or as a patient."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from scheduling.application.ports.identity import Caller, Forbidden, Scope
from scheduling.domain import errors
from scheduling.domain.booking_request import BookingRequest, Override
from scheduling.domain.identifiers import AppointmentId, PatientId
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.appointment_shapes import (
    NOT_THERE,
    NOT_TO_BE_HAD,
    AppointmentView,
    ResourceBody,
    made,
    resources_from,
)
from scheduling.entrypoints.http.booking_time import BookingTime
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.shapes import Flag, FreeText, Line

router = room("/appointments", "appointments")


class BookingBody(BookingTime):
    """By `slotId`, or by practitioner, location, start and duration. `holdId` uses up a
    hold of that time, whoever else wants it.
    """

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
    hold_id: UUID | None = None
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
            resources=resources_from(self.resources),
            override=Override(self.override_reason, caller.may(Scope.OVERRIDE))
            if self.allow_double_booking
            else None,
        )


class SelfBookingBody(BookingTime):
    """A patient books for themselves: who it is comes from the token."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "slotId": "019a9d3e-0000-7000-8000-000000000501",
                    "appointmentType": "consultation",
                }
            ]
        }
    )

    appointment_type: Line
    reason: FreeText | None = None
    hold_id: UUID | None = None

    def to_request(self, caller: Caller) -> BookingRequest:
        if caller.patient_id is None:
            raise errors.PatientIdClaimRequired(
                "This takes a patient's own token: one with the claim patient_id."
            )
        return BookingRequest(
            patient_id=caller.patient_id,
            when=self.when(),
            appointment_type=self.appointment_type,
            reason=self.reason,
        )


_MAY_BE_REFUSED = (
    *NOT_THERE,
    *NOT_TO_BE_HAD,
    errors.SlotNotAvailable,
    errors.AppointmentNotFound,
    errors.HoldExpired,
    errors.InvalidStatusTransition,
)


@router.post(
    "",
    **documented.command(
        AppointmentView,
        *_MAY_BE_REFUSED,
        errors.DoubleBookingOverrideDenied,
        status=201,
    ),
)
async def book_appointment(
    wanted: BookingBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Book a slot, or consecutive slots from a start, or what is held already."""
    return await _book(request, caller, wanted.to_request(caller), wanted.hold_id)


@router.post(
    "/self-book",
    **documented.command(
        AppointmentView,
        *_MAY_BE_REFUSED,
        errors.PatientIdClaimRequired,
        status=201,
    ),
)
async def self_book_appointment(
    wanted: SelfBookingBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Book for the patient whose token it is, by the same rules."""
    return await _book(request, caller, wanted.to_request(caller), wanted.hold_id)


async def _book(
    request: Request, caller: Caller, wanted: BookingRequest, hold_id: UUID | None
) -> Response:
    if hold_id is None:
        return await commanding(
            request, caller, lambda do: do.book_appointment(caller, wanted), made
        )
    if wanted.override is not None:
        raise errors.InvalidInput("a hold needs no override", "allowDoubleBooking")
    return await commanding(
        request,
        caller,
        lambda do: do.book_held_appointment(caller, AppointmentId(hold_id), wanted),
        made,
    )

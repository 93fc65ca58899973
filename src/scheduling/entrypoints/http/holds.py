"""`/v1/slots/{id}/hold` and `/v1/holds`: seats that are kept for a while."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict

from scheduling.application.ports.identity import Caller, Scope
from scheduling.domain import errors
from scheduling.domain.booking_request import BookingRequest, BySlot
from scheduling.domain.identifiers import AppointmentId, PatientId, SlotId
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.appointment_shapes import (
    NOT_THERE,
    NOT_TO_BE_HAD,
    AppointmentView,
    as_it_is,
    made,
)
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding, expected_version
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.shapes import Line, Shape

router = room("", "appointments")


class HoldBody(Shape):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"patientId": "019a9d3e-0000-7000-8000-000000000401"}]
        }
    )

    patient_id: UUID
    appointment_type: Line = "unspecified"


@router.post(
    "/slots/{id}/hold",
    **documented.command(
        AppointmentView,
        *NOT_THERE,
        *NOT_TO_BE_HAD,
        errors.SlotNotAvailable,
        status=201,
    ),
)
async def hold_slot(
    id: UUID,
    wanted: HoldBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Keep a seat until `holdExpiresAt`: to be booked with its id as `holdId`."""
    asked = BookingRequest(
        patient_id=PatientId(wanted.patient_id),
        when=BySlot(SlotId(id)),
        appointment_type=wanted.appointment_type,
    )
    return await commanding(
        request, caller, lambda do: do.hold_slot(caller, asked), made
    )


@router.delete(
    "/holds/{id}",
    **documented.command(
        AppointmentView,
        errors.AppointmentNotFound,
        errors.InvalidStatusTransition,
        errors.HoldExpired,
        errors.OptimisticLockConflict,
        errors.PreconditionFailed,
        status=200,
        if_match=True,
    ),
)
async def release_hold(
    id: UUID,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Give a held seat back before its time is up; `If-Match` may be left out."""
    return await commanding(
        request,
        caller,
        lambda do: do.release_hold(
            caller, AppointmentId(id), expected=expected_version(request)
        ),
        as_it_is,
    )

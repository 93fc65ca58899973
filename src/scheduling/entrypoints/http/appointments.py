"""`/v1/appointments/{id}`: read, move, edit, and take it through its life."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response

from scheduling.application.ports.identity import Caller, Scope
from scheduling.domain import errors
from scheduling.domain.appointment import CancelReason, Initiator
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.status import Status
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.appointment_bodies import (
    CancelBody,
    CheckInBody,
    EditBody,
    RescheduleBody,
    StatusBody,
)
from scheduling.entrypoints.http.appointment_shapes import (
    CHANGED_MEANWHILE,
    NOT_THERE,
    NOT_TO_BE_HAD,
    AppointmentView,
    appointment_view,
    as_it_is,
)
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding, expected_version
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import found
from scheduling.entrypoints.http.use_cases import Queries

router = room("/appointments", "appointments")


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


@router.patch(
    "/{id}",
    **documented.command(
        AppointmentView,
        errors.AppointmentNotFound,
        errors.InvalidStatusTransition,
        *CHANGED_MEANWHILE,
        *NOT_THERE,
        *NOT_TO_BE_HAD,
        errors.SlotNotAvailable,
        status=200,
        if_match=True,
    ),
)
async def edit_appointment(
    id: UUID,
    wanted: EditBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Change type, reason, notes, duration, practitioner or resources."""
    return await commanding(
        request,
        caller,
        lambda do: do.edit_appointment(
            caller,
            AppointmentId(id),
            wanted.to_edits(caller),
            expected=expected_version(request, wanted.version),
        ),
        as_it_is,
    )


@router.post(
    "/{id}/reschedule",
    **documented.command(
        AppointmentView,
        errors.AppointmentNotFound,
        errors.InvalidStatusTransition,
        *CHANGED_MEANWHILE,
        *NOT_THERE,
        *NOT_TO_BE_HAD,
        errors.NewSlotNotAvailable,
        status=200,
        if_match=True,
    ),
)
async def reschedule_appointment(
    id: UUID,
    wanted: RescheduleBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Move it. Where the new time cannot be had, the old one stands."""
    return await commanding(
        request,
        caller,
        lambda do: do.reschedule_appointment(
            caller,
            AppointmentId(id),
            expected=expected_version(request, wanted.version),
            when=wanted.when(),
            comment=wanted.reason,
        ),
        as_it_is,
    )


@router.post(
    "/{id}/cancel",
    **documented.command(
        AppointmentView,
        errors.AppointmentNotFound,
        errors.InvalidStatusTransition,
        *CHANGED_MEANWHILE,
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
    """Call an appointment off; its time can be booked at once.

    With `series`, those that follow it in its series go with it, or all that are still
    to come. The answer and the version are those of the one that is named; the others
    are found by its `seriesId`.
    """
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
            series=wanted.series,
        ),
        as_it_is,
    )


@router.post(
    "/{id}/check-in",
    **documented.command(
        AppointmentView,
        errors.AppointmentNotFound,
        errors.InvalidStatusTransition,
        *CHANGED_MEANWHILE,
        *NOT_THERE,
        *NOT_TO_BE_HAD,
        errors.SlotNotAvailable,
        status=200,
        if_match=True,
    ),
)
async def check_in_patient(
    id: UUID,
    wanted: CheckInBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """The patient is here."""
    return await commanding(
        request,
        caller,
        lambda do: do.update_appointment_status(
            caller,
            AppointmentId(id),
            expected=expected_version(request, wanted.version),
            status=Status.ARRIVED,
            comment=wanted.comment,
        ),
        as_it_is,
    )


@router.post(
    "/{id}/status",
    **documented.command(
        AppointmentView,
        errors.AppointmentNotFound,
        errors.InvalidStatusTransition,
        errors.HoldExpired,
        *CHANGED_MEANWHILE,
        *NOT_THERE,
        *NOT_TO_BE_HAD,
        errors.SlotNotAvailable,
        status=200,
        if_match=True,
    ),
)
async def update_appointment_status(
    id: UUID,
    wanted: StatusBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Take the next step of the life of an appointment, or take one back."""
    expected = expected_version(request, wanted.version)
    if wanted.status is Status.CANCELLED:
        reason = CancelReason.named(wanted.reason_code)
        by = Initiator.STAFF if caller.patient_id is None else Initiator.PATIENT
        return await commanding(
            request,
            caller,
            lambda do: do.cancel_appointment(
                caller,
                AppointmentId(id),
                expected=expected,
                reason_code=reason,
                initiated_by=by,
                comment=wanted.comment,
            ),
            as_it_is,
        )
    return await commanding(
        request,
        caller,
        lambda do: do.update_appointment_status(
            caller,
            AppointmentId(id),
            expected=expected,
            status=wanted.status,
            reason_code=wanted.reason_code,
            comment=wanted.comment,
        ),
        as_it_is,
    )

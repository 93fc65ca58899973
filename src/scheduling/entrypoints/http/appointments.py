"""`/v1/appointments/{id}`: read, move, edit, and take it through its life."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field, model_validator

from scheduling.application.commands.edit_appointment import Edits
from scheduling.application.ports.identity import Caller, Forbidden, Scope
from scheduling.domain import errors
from scheduling.domain.appointment import CancelReason, Initiator
from scheduling.domain.booking_request import BySlot
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PractitionerId,
    SlotId,
)
from scheduling.domain.moving import NewTime, Otherwise
from scheduling.domain.series import HowMuch
from scheduling.domain.status import Status
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.appointment_shapes import (
    CHANGED_MEANWHILE,
    NOT_THERE,
    NOT_TO_BE_HAD,
    AppointmentView,
    ResourceBody,
    appointment_view,
    as_it_is,
    resources_from,
)
from scheduling.entrypoints.http.booking_time import DAY_IN_MINUTES
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding, expected_version
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import found
from scheduling.entrypoints.http.shapes import (
    Code,
    FreeText,
    Instant,
    Line,
    Shape,
    Version,
    Whole,
)
from scheduling.entrypoints.http.use_cases import Queries

router = room("/appointments", "appointments")

_Minutes = Annotated[Whole, Field(ge=1, le=DAY_IN_MINUTES)]


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
    series: HowMuch = HowMuch.ONE
    version: Version | None = None


def _practitioner(id: UUID | None) -> PractitionerId | None:
    return None if id is None else PractitionerId(id)


class RescheduleBody(Shape):
    """By `slotId`, or by `start`; what is not said otherwise stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"slotId": "019a9d3e-0000-7000-8000-000000000501", "version": 1},
                {"start": "2030-01-07T10:00:00-03:00", "version": 1},
            ]
        }
    )

    slot_id: UUID | None = None
    start: Instant | None = None
    practitioner_id: UUID | None = None
    location_id: UUID | None = None
    duration_minutes: _Minutes | None = None
    reason: FreeText | None = None
    version: Version | None = None

    @model_validator(mode="after")
    def _one_way_to_say_when(self) -> Self:
        otherwise = (self.practitioner_id, self.location_id, self.duration_minutes)
        if (self.slot_id is None) is (self.start is None) or (
            self.slot_id is not None and otherwise != (None, None, None)
        ):
            raise ValueError(
                "give slotId alone, or start, with practitionerId, locationId and "
                "durationMinutes where they change"
            )
        return self

    def when(self) -> NewTime:
        if self.slot_id is not None:
            return BySlot(SlotId(self.slot_id))
        return Otherwise(
            start=self.start,
            minutes=self.duration_minutes,
            practitioner_id=_practitioner(self.practitioner_id),
            location_id=None
            if self.location_id is None
            else LocationId(self.location_id),
        )


class EditBody(Shape):
    """What is left out stays as it is; null clears a reason or notes."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"appointmentType": "follow-up", "durationMinutes": 60, "version": 1}
            ]
        }
    )

    appointment_type: Line | None = None
    reason: FreeText | None = None
    notes: FreeText | None = None
    duration_minutes: _Minutes | None = None
    practitioner_id: UUID | None = None
    resources: Annotated[tuple[ResourceBody, ...], Field(max_length=10)] = ()
    version: Version | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set - {"version"}:
            raise ValueError("say what is to change")
        return self

    def to_edits(self, caller: Caller) -> Edits:
        given = self.model_fields_set
        if caller.patient_id is not None and given - {"reason", "version"}:
            # A patient may say why they come; the rest is the clinic's to say.
            raise Forbidden(Scope.MANAGE)
        fields: dict[str, Any] = {
            name: getattr(self, name) for name in ("reason", "notes") if name in given
        }
        if self.appointment_type is not None:
            fields["appointment_type"] = self.appointment_type
        if "resources" in given:
            fields["resources"] = resources_from(self.resources)
        place = Otherwise(
            minutes=self.duration_minutes,
            practitioner_id=_practitioner(self.practitioner_id),
        )
        return Edits(fields=fields, place=None if place == Otherwise() else place)


class StatusBody(Shape):
    """The next step. To cancel, `reasonCode` is one of those that `/cancel` takes."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "confirmed", "version": 1}]}
    )

    status: Status
    reason_code: Code | None = None
    comment: FreeText | None = None
    version: Version | None = None


class CheckInBody(Shape):
    model_config = ConfigDict(json_schema_extra={"examples": [{"version": 1}]})

    comment: FreeText | None = None
    version: Version | None = None


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

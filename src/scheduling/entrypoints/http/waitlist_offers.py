"""`/v1/waitlist/{id}/offer`: time that is kept for who waits, and what they say."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain import errors
from scheduling.domain.appointment import Appointment
from scheduling.domain.identifiers import SlotId, WaitlistEntryId
from scheduling.domain.waitlist import WaitlistEntry
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.appointment_shapes import (
    NOT_TO_BE_HAD,
    appointment_view,
)
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding, expected_version
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.shapes import (
    FreeText,
    Line,
    Shape,
    Version,
    answer,
)
from scheduling.entrypoints.http.waitlist_shapes import (
    FulfilmentView,
    WaitlistEntryEffectView,
    entry_view,
)

router = room("/waitlist", "waitlist")

_NOT_TO_BE_ANSWERED = (
    errors.WaitlistEntryNotFound,
    errors.InvalidStatusTransition,
    errors.HoldExpired,
    errors.OptimisticLockConflict,
    errors.PreconditionFailed,
    errors.PreconditionRequired,
)


class OfferBody(Shape):
    """`version` is the entry's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"slotId": "019a9d3e-0000-7000-8000-000000000501", "version": 1}
            ]
        }
    )

    slot_id: UUID
    appointment_type: Annotated[
        Line, Field(description="Of an entry that names no service type")
    ] = "unspecified"
    version: Version | None = None


class AcceptanceBody(Shape):
    """`version` is the entry's: it changes with each offer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"version": 2}]})

    appointment_type: Line | None = None
    reason: FreeText | None = None
    notes: FreeText | None = None
    version: Version | None = None


class DeclineBody(Shape):
    """`version` is the entry's: it changes with each offer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"version": 2}]})

    version: Version | None = None


def _accepted(done: tuple[WaitlistEntry, Appointment]) -> StoredAnswer:
    entry, booked = done
    view = {"entry": entry_view(entry), "appointment": appointment_view(booked)}
    return answer(200, view, version=entry.version)


def _of_entry(one: WaitlistEntry) -> StoredAnswer:
    return answer(200, entry_view(one), version=one.version)


@router.post(
    "/{id}/offer",
    **documented.command(
        WaitlistEntryEffectView,
        errors.WaitlistEntryNotFound,
        errors.InvalidStatusTransition,
        errors.OptimisticLockConflict,
        errors.PreconditionFailed,
        errors.PreconditionRequired,
        errors.PatientNotFound,
        errors.SlotNotFound,
        errors.SlotNotAvailable,
        *NOT_TO_BE_HAD,
        status=200,
        if_match=True,
    ),
)
async def make_waitlist_offer(
    id: UUID,
    wanted: OfferBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Keep a free slot for a patient who waits for such a time, until they answer or
    the hold runs out. Staff do this, whether or not `waitlistOffers` is on; where it
    is, the next one is asked after them.
    """
    return await commanding(
        request,
        caller,
        lambda do: do.make_waitlist_offer(
            caller,
            WaitlistEntryId(id),
            SlotId(wanted.slot_id),
            appointment_type=wanted.appointment_type,
            expected=expected_version(request, wanted.version),
        ),
        _of_entry,
    )


@router.post(
    "/{id}/offer/accept",
    **documented.command(
        FulfilmentView,
        *_NOT_TO_BE_ANSWERED,
        errors.PatientNotFound,
        errors.SlotNotFound,
        errors.PractitionerNotAvailable,
        errors.PractitionerNotAssigned,
        errors.OutsideSchedule,
        errors.SlotNotAvailable,
        errors.DoubleBookingDetected,
        errors.BufferTimeConflict,
        errors.BookingLimitReached,
        status=200,
        if_match=True,
    ),
)
async def accept_waitlist_offer(
    id: UUID,
    wanted: AcceptanceBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Book what is offered to an entry, which ends the waiting."""
    return await commanding(
        request,
        caller,
        lambda do: do.accept_waitlist_offer(
            caller,
            WaitlistEntryId(id),
            expected=expected_version(request, wanted.version),
            appointment_type=wanted.appointment_type,
            reason=wanted.reason,
            notes=wanted.notes,
        ),
        _accepted,
    )


@router.post(
    "/{id}/offer/decline",
    **documented.command(
        WaitlistEntryEffectView, *_NOT_TO_BE_ANSWERED, status=200, if_match=True
    ),
)
async def decline_waitlist_offer(
    id: UUID,
    wanted: DeclineBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Say no to what is offered to an entry, which waits on for another time."""
    return await commanding(
        request,
        caller,
        lambda do: do.decline_waitlist_offer(
            caller,
            WaitlistEntryId(id),
            expected=expected_version(request, wanted.version),
        ),
        _of_entry,
    )

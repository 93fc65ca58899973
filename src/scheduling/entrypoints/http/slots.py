"""`/v1/slots`: stretches of time that can be booked."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, ValidationInfo, field_validator

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain import errors
from scheduling.domain.identifiers import ScheduleId, SlotId
from scheduling.domain.period import Period
from scheduling.domain.slot import LONGEST_SLOT, Slot, SlotStatus
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding, etag, expected_version
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import found
from scheduling.entrypoints.http.shapes import (
    FreeText,
    Instant,
    Shape,
    Version,
    Words,
    answer,
    dumped,
    ends_after,
)
from scheduling.entrypoints.http.use_cases import Queries
from scheduling.entrypoints.http.windows import Capacity

router = room("/slots", "slots")


class SlotBody(Shape):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "scheduleId": "019a9d3e-0000-7000-8000-000000000301",
                    "start": "2030-01-07T09:00:00-03:00",
                    "end": "2030-01-07T09:30:00-03:00",
                }
            ]
        }
    )

    schedule_id: UUID
    start: Instant
    end: Instant
    capacity: Capacity = 1
    service_types: Words = ()

    _ends = field_validator("end")(ends_after)

    @field_validator("end")
    @classmethod
    def _not_for_ever(cls, end: datetime, told: ValidationInfo) -> datetime:
        start = told.data.get("start")
        if start is not None and end - start > LONGEST_SLOT:
            raise ValueError("must be 24 hours after start at most")
        return end


class BlockBody(Shape):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "Team meeting", "version": 1}]}
    )

    reason: FreeText | None = None
    version: Version | None = None


class UnblockBody(Shape):
    model_config = ConfigDict(json_schema_extra={"examples": [{"version": 2}]})

    version: Version | None = None


class SlotView(Shape):
    id: UUID
    schedule_id: UUID
    practitioner_id: UUID
    location_id: UUID
    start: Instant
    end: Instant
    timezone: str
    status: SlotStatus
    capacity: int
    booked: int
    remaining: int
    service_types: list[str]
    version: int


def slot_view(one: Slot) -> dict[str, Any]:
    return {
        "id": one.id,
        "scheduleId": one.schedule_id,
        "practitionerId": one.practitioner_id,
        "locationId": one.location_id,
        "start": one.period.start,
        "end": one.period.end,
        "timezone": one.timezone,
        "status": one.shown_status,
        "capacity": one.capacity,
        "booked": one.booked,
        "remaining": one.remaining,
        "serviceTypes": one.service_types,
        "version": one.version,
    }


def _opened(one: Slot) -> StoredAnswer:
    return answer(
        201, slot_view(one), version=one.version, Location=f"/v1/slots/{one.id}"
    )


def _changed(one: Slot) -> StoredAnswer:
    return answer(200, slot_view(one), version=one.version)


@router.post("", **documented.command(SlotView, errors.ScheduleNotFound, status=201))
async def create_slot(
    wanted: SlotBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE))],
) -> Response:
    """Open one stretch of a schedule's time for booking."""
    return await commanding(
        request,
        caller,
        lambda do: do.create_slot(
            caller,
            schedule_id=ScheduleId(wanted.schedule_id),
            period=Period(wanted.start, wanted.end),
            capacity=wanted.capacity,
            service_types=wanted.service_types,
        ),
        _opened,
    )


@router.get("/{id}", **documented.reading(SlotView, errors.SlotNotFound))
async def get_slot(
    id: UUID,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """One slot, with its seats counted."""
    queries: Queries = request.state.queries
    one, lapsed = await queries.get_slot(caller, SlotId(id))
    if lapsed:
        # It has changed, and has no new version for that before it is swept.
        view, tag = dumped(slot_view(one)), etag(one.version)
        return Response(view, headers=tag, media_type="application/json")
    return found(request, slot_view(one), one.version)


_OF_A_CHANGE = (
    errors.SlotNotFound,
    errors.InvalidStatusTransition,
    errors.OptimisticLockConflict,
    errors.PreconditionFailed,
    errors.PreconditionRequired,
)


@router.post(
    "/{id}/block",
    **documented.command(SlotView, *_OF_A_CHANGE, status=200, if_match=True),
)
async def block_slot(
    id: UUID,
    wanted: BlockBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE))],
) -> Response:
    """Give no more seats. Who has one keeps it."""
    expected = expected_version(request, wanted.version)
    return await commanding(
        request,
        caller,
        lambda do: do.block_slot(
            caller, SlotId(id), expected=expected, reason=wanted.reason
        ),
        _changed,
    )


@router.post(
    "/{id}/unblock",
    **documented.command(SlotView, *_OF_A_CHANGE, status=200, if_match=True),
)
async def unblock_slot(
    id: UUID,
    wanted: UnblockBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE))],
) -> Response:
    """Give seats again, unless an exception of the schedule closes the slot."""
    expected = expected_version(request, wanted.version)
    return await commanding(
        request,
        caller,
        lambda do: do.unblock_slot(caller, SlotId(id), expected=expected),
        _changed,
    )

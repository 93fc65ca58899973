"""`/v1/schedules`: bookable calendars."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain import errors
from scheduling.domain.identifiers import LocationId, PractitionerId, ScheduleId
from scheduling.domain.schedule import Schedule
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import found
from scheduling.entrypoints.http.shapes import Instant, Shape, Whole, Zone, answer
from scheduling.entrypoints.http.use_cases import Queries
from scheduling.entrypoints.http.windows import Windows, WindowView, window_view

router = room("/schedules", "schedules")


class ScheduleBody(Shape):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "practitionerId": "019a9d3e-0000-7000-8000-000000000101",
                    "locationId": "019a9d3e-0000-7000-8000-000000000201",
                    "availability": [
                        {
                            "daysOfWeek": ["sat"],
                            "startTime": "08:00",
                            "endTime": "12:00",
                            "slotMinutes": 20,
                        }
                    ],
                }
            ]
        }
    )

    practitioner_id: UUID
    location_id: UUID
    timezone: Annotated[
        Zone | None, Field(description="The location's where there is none")
    ] = None
    availability: Windows = ()
    horizon_days: Annotated[Whole, Field(ge=1, le=730)] | None = None


class ScheduleView(Shape):
    id: UUID
    practitioner_id: UUID
    location_id: UUID
    practitioner_role_id: UUID | None
    timezone: str
    availability: list[WindowView]
    horizon_days: int | None
    created_at: Instant
    updated_at: Instant
    version: int


def _view(one: Schedule) -> dict[str, Any]:
    return {
        "id": one.id,
        "practitionerId": one.practitioner_id,
        "locationId": one.location_id,
        "practitionerRoleId": one.practitioner_role_id,
        "timezone": one.timezone,
        "availability": [window_view(rule) for rule in one.availability],
        "horizonDays": one.horizon_days,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
        "version": one.version,
    }


def _made(one: Schedule) -> StoredAnswer:
    return answer(
        201, _view(one), version=one.version, Location=f"/v1/schedules/{one.id}"
    )


@router.post(
    "",
    **documented.command(
        ScheduleView,
        errors.PractitionerNotFound,
        errors.LocationNotFound,
        status=201,
    ),
)
async def create_schedule(
    wanted: ScheduleBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE))],
) -> Response:
    """Open a bookable calendar for a practitioner at a location."""
    return await commanding(
        request,
        caller,
        lambda do: do.create_schedule(
            caller,
            practitioner_id=PractitionerId(wanted.practitioner_id),
            location_id=LocationId(wanted.location_id),
            timezone=wanted.timezone,
            availability=tuple(window.to_rule() for window in wanted.availability),
            horizon_days=wanted.horizon_days,
        ),
        _made,
    )


@router.get("/{id}", **documented.reading(ScheduleView, errors.ScheduleNotFound))
async def get_schedule(
    id: UUID,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """One schedule."""
    queries: Queries = request.state.queries
    one = await queries.get_schedule(caller, ScheduleId(id))
    return found(request, _view(one), one.version)

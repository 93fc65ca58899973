"""`/v1/practitioner-roles`: who works where, and when."""

from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field, field_validator, model_validator

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain import errors
from scheduling.domain.identifiers import (
    LocationId,
    PractitionerId,
    PractitionerRoleId,
)
from scheduling.domain.period import Period
from scheduling.domain.schedule import NotAvailable, PractitionerRole
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding, expected_version
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import found
from scheduling.entrypoints.http.shapes import (
    Day,
    Flag,
    Instant,
    Line,
    Shape,
    Words,
    Zone,
    answer_put,
    ends_after,
)
from scheduling.entrypoints.http.use_cases import Queries
from scheduling.entrypoints.http.windows import Windows, WindowView, window_view

router = room("/practitioner-roles", "directory")


class NotAvailableBody(Shape):
    start: Instant
    end: Instant
    description: Line | None = None

    _ends = field_validator("end")(ends_after)


class DaysBody(Shape):
    """Local days, both inclusive; without one it is open on that side."""

    start: Day | None = None
    end: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise ValueError("end must not be before start")
        return self


class PractitionerRoleBody(Shape):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "practitionerId": "019a9d3e-0000-7000-8000-000000000101",
                    "locationId": "019a9d3e-0000-7000-8000-000000000201",
                    "specialties": ["cardiology"],
                    "serviceTypes": ["consultation"],
                    "period": {"start": "2030-01-01"},
                    "availability": [
                        {
                            "daysOfWeek": ["mon", "wed"],
                            "startTime": "09:00",
                            "endTime": "17:00",
                            "slotMinutes": 30,
                        }
                    ],
                    "notAvailable": [
                        {
                            "start": "2030-07-01T00:00:00-03:00",
                            "end": "2030-07-15T00:00:00-03:00",
                        }
                    ],
                }
            ]
        }
    )

    practitioner_id: UUID
    location_id: UUID
    active: Flag = True
    specialties: Words = ()
    service_types: Words = ()
    timezone: Zone | None = None
    period: DaysBody | None = None
    availability: Windows = ()
    not_available: Annotated[tuple[NotAvailableBody, ...], Field(max_length=500)] = ()

    def to_role(self, id: UUID) -> PractitionerRole:
        return PractitionerRole(
            id=PractitionerRoleId(id),
            practitioner_id=PractitionerId(self.practitioner_id),
            location_id=LocationId(self.location_id),
            active=self.active,
            specialties=self.specialties,
            service_types=self.service_types,
            timezone=self.timezone,
            period_start=self.period.start if self.period else None,
            period_end=self.period.end if self.period else None,
            availability=tuple(window.to_rule() for window in self.availability),
            not_available=tuple(
                NotAvailable(
                    period=Period(away.start, away.end), description=away.description
                )
                for away in self.not_available
            ),
        )


class DaysView(Shape):
    start: date | None
    end: date | None


class NotAvailableView(Shape):
    start: Instant
    end: Instant
    description: str | None


class PractitionerRoleView(Shape):
    id: UUID
    practitioner_id: UUID
    location_id: UUID
    active: bool
    specialties: list[str]
    service_types: list[str]
    timezone: str | None
    period: DaysView | None
    availability: list[WindowView]
    not_available: list[NotAvailableView]
    created_at: Instant
    updated_at: Instant
    version: int


def _view(one: PractitionerRole, *, to_patient: bool = False) -> dict[str, Any]:
    """Why somebody is away is the staff's to know."""
    bounded = one.period_start or one.period_end
    return {
        "id": one.id,
        "practitionerId": one.practitioner_id,
        "locationId": one.location_id,
        "active": one.active,
        "specialties": one.specialties,
        "serviceTypes": one.service_types,
        "timezone": one.timezone,
        "period": {"start": one.period_start, "end": one.period_end}
        if bounded
        else None,
        "availability": [window_view(rule) for rule in one.availability],
        "notAvailable": [
            {
                "start": away.period.start,
                "end": away.period.end,
                "description": None if to_patient else away.description,
            }
            for away in one.not_available
        ],
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
        "version": one.version,
    }


def _put(one: PractitionerRole) -> StoredAnswer:
    return answer_put(
        _view(one), one.version, f"/v1/practitioner-roles/{one.id}", is_new=one.is_new
    )


@router.put(
    "/{id}",
    **documented.put(
        PractitionerRoleView, errors.PractitionerNotFound, errors.LocationNotFound
    ),
)
async def put_practitioner_role(
    id: UUID,
    wanted: PractitionerRoleBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE))],
) -> Response:
    """Assign a practitioner to a location, with a bookable calendar of its own."""
    return await commanding(
        request,
        caller,
        lambda do: do.put_practitioner_role(
            caller, wanted.to_role(id), expected=expected_version(request)
        ),
        _put,
    )


@router.get(
    "/{id}",
    **documented.reading(PractitionerRoleView, errors.PractitionerRoleNotFound),
)
async def get_practitioner_role(
    id: UUID,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """One role."""
    queries: Queries = request.state.queries
    one = await queries.get_practitioner_role(caller, PractitionerRoleId(id))
    view = _view(one, to_patient=caller.patient_id is not None)
    return found(request, view, one.version)

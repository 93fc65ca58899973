"""`/v1/practitioner-roles`: who works where, and when."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.application.steps.keep_role import KeptRole
from scheduling.domain import errors
from scheduling.domain.identifiers import PractitionerRoleId
from scheduling.domain.schedule import PractitionerRole
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.affected import Affected, affected_view
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding, expected_version
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import found
from scheduling.entrypoints.http.role_bodies import (
    PractitionerRoleBody,
    PractitionerRolePatch,
)
from scheduling.entrypoints.http.shapes import Instant, Shape, answer, answer_put
from scheduling.entrypoints.http.use_cases import Queries
from scheduling.entrypoints.http.windows import WindowView, window_view

router = room("/practitioner-roles", "directory")


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


class PractitionerRoleEffectView(PractitionerRoleView):
    """The role, and who keeps a visit though the role ends with this."""

    affected_appointments: Affected


class DeletedRoleView(Shape):
    id: UUID
    version: int
    affected_appointments: Affected


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


def _effect_view(kept: KeptRole) -> dict[str, Any]:
    return {**_view(kept.role), **_affected_view(kept)}


def _affected_view(kept: KeptRole) -> dict[str, Any]:
    return {"affectedAppointments": [affected_view(one) for one in kept.affected]}


def _put(kept: KeptRole) -> StoredAnswer:
    one = kept.role
    place = f"/v1/practitioner-roles/{one.id}"
    return answer_put(_effect_view(kept), one.version, place, is_new=one.is_new)


def _patched(kept: KeptRole) -> StoredAnswer:
    return answer(200, _effect_view(kept), version=kept.role.version)


def _deleted(kept: KeptRole) -> StoredAnswer:
    one = kept.role
    told = {"id": one.id, "version": one.version, **_affected_view(kept)}
    return answer(200, told, version=one.version)


@router.put(
    "/{id}",
    **documented.put(
        PractitionerRoleEffectView, errors.PractitionerNotFound, errors.LocationNotFound
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


@router.patch(
    "/{id}",
    **documented.command(
        PractitionerRoleEffectView,
        errors.PractitionerRoleNotFound,
        errors.OptimisticLockConflict,
        errors.PreconditionFailed,
        errors.PreconditionRequired,
        status=200,
        if_match=True,
    ),
)
async def patch_practitioner_role(
    id: UUID,
    wanted: PractitionerRolePatch,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE))],
) -> Response:
    """Change some of a role. Its slots follow soon."""
    return await commanding(
        request,
        caller,
        lambda do: do.patch_practitioner_role(
            caller,
            PractitionerRoleId(id),
            wanted.to_fields(),
            expected=expected_version(request, wanted.version),
        ),
        _patched,
    )


@router.delete(
    "/{id}",
    **documented.command(
        DeletedRoleView,
        errors.PractitionerRoleNotFound,
        errors.OptimisticLockConflict,
        errors.PreconditionFailed,
        errors.PreconditionRequired,
        status=200,
        if_match=True,
    ),
)
async def delete_practitioner_role(
    id: UUID,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE))],
) -> Response:
    """End an assignment: its free slots go soon, and nothing new is booked at once."""
    return await commanding(
        request,
        caller,
        lambda do: do.delete_practitioner_role(
            caller, PractitionerRoleId(id), expected=expected_version(request)
        ),
        _deleted,
    )

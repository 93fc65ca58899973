"""`/v1/practitioners`: who treats."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain import errors
from scheduling.domain.directory import Practitioner
from scheduling.domain.identifiers import PractitionerId
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding, expected_version
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import found
from scheduling.entrypoints.http.shapes import (
    Flag,
    Instant,
    Line,
    Shape,
    Words,
    answer_put,
)
from scheduling.entrypoints.http.use_cases import Queries

router = room("/practitioners", "directory")


class PractitionerBody(Shape):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Dr. Ana Souza", "specialties": ["cardiology"]}]
        }
    )

    name: Line
    active: Flag = True
    specialties: Words = ()

    def to_practitioner(self, id: UUID) -> Practitioner:
        return Practitioner(
            id=PractitionerId(id),
            name=self.name,
            active=self.active,
            specialties=self.specialties,
        )


class PractitionerView(Shape):
    id: UUID
    name: str
    active: bool
    specialties: list[str]
    created_at: Instant
    updated_at: Instant
    version: int


def _view(one: Practitioner) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "active": one.active,
        "specialties": one.specialties,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
        "version": one.version,
    }


def _put(one: Practitioner) -> StoredAnswer:
    return answer_put(
        _view(one), one.version, f"/v1/practitioners/{one.id}", is_new=one.is_new
    )


@router.put(
    "/{id}",
    **documented.put(PractitionerView),
)
async def put_practitioner(
    id: UUID,
    wanted: PractitionerBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE))],
) -> Response:
    """Make a practitioner, or replace one whole; the same again changes nothing."""
    return await commanding(
        request,
        caller,
        lambda do: do.put_practitioner(
            caller, wanted.to_practitioner(id), expected=expected_version(request)
        ),
        _put,
    )


@router.get(
    "/{id}", **documented.reading(PractitionerView, errors.PractitionerNotFound)
)
async def get_practitioner(
    id: UUID,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """One practitioner."""
    queries: Queries = request.state.queries
    one = await queries.get_practitioner(caller, PractitionerId(id))
    return found(request, _view(one), one.version)

"""`/v1/practitioners`: who treats."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from scheduling.application.ports.directory_lists import PractitionerFilter
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain import errors
from scheduling.domain.directory import Practitioner
from scheduling.domain.identifiers import LocationId, PractitionerId
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.asking import Said
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding, expected_version
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import found
from scheduling.entrypoints.http.paging import (
    LARGEST_PAGE,
    Limit,
    NameCursor,
    cursor_behind,
    name_position_of,
)
from scheduling.entrypoints.http.shapes import (
    Flag,
    Instant,
    Line,
    Shape,
    Words,
    answer_put,
    dumped,
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


class PractitionersQuery(Shape):
    location_id: Annotated[
        UUID | None,
        Field(
            description="Only who works there: by an active role, whatever its period, "
            "or a calendar that staff made"
        ),
    ] = None
    active: Annotated[
        Said | None, Field(description="Only those that are, or are not")
    ] = None
    limit: Limit = LARGEST_PAGE
    cursor: NameCursor = None

    def to_filter(self) -> PractitionerFilter:
        return PractitionerFilter(
            location_id=(
                None if self.location_id is None else LocationId(self.location_id)
            ),
            active=self.active,
            after=None if self.cursor is None else name_position_of(self.cursor),
            limit=self.limit,
        )


class PractitionersView(Shape):
    items: list[PractitionerView]
    next_cursor: str | None


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


@router.get("", **documented.reading(PractitionersView, tag=False))
async def list_practitioners(
    wanted: Annotated[PractitionersQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """Who treats, everywhere or at one location; by name, as its characters are
    numbered.

    At what is unknown is nobody. Patients' own tokens see them too.
    """
    queries: Queries = request.state.queries
    practitioners = await queries.list_practitioners(caller, wanted.to_filter())
    last = practitioners.items[-1] if practitioners.more else None
    page = {
        "items": [_view(one) for one in practitioners.items],
        "nextCursor": None if last is None else cursor_behind(last.name, last.id),
    }
    return Response(dumped(page), media_type="application/json")


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

"""`/v1/locations`: the clinics where."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, ConfigDict, Field

from scheduling.application.ports.directory_lists import LocationFilter
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain import errors
from scheduling.domain.directory import Location
from scheduling.domain.identifiers import LocationId
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
    Day,
    Flag,
    Instant,
    Line,
    Shape,
    Zone,
    answer_put,
    dumped,
    without_repeats,
)
from scheduling.entrypoints.http.use_cases import Queries

router = room("/locations", "directory")

Code = Annotated[str, Field(max_length=20, pattern=r"^[A-Z0-9]+(-[A-Z0-9]+)*$")]
Country = Annotated[
    str, Field(pattern="^[A-Z]{2}$", description="ISO 3166-1, for public holidays")
]
Subdivision = Annotated[
    str,
    Field(
        pattern="^[A-Z0-9]{1,3}$", description="ISO 3166-2 without its country: `ES`"
    ),
]


ClosedDays = Annotated[
    tuple[Day, ...],
    Field(
        max_length=366,
        json_schema_extra={"uniqueItems": True},
        description="Local days of its own, besides the public holidays",
    ),
    AfterValidator(without_repeats),
]


class LocationBody(Shape):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Clinic Centro",
                    "code": "CLINIC-01",
                    "timezone": "America/Sao_Paulo",
                    "country": "BR",
                    "subdivision": "ES",
                    "observesPublicHolidays": True,
                    "closedDays": ["2030-12-24"],
                }
            ]
        }
    )

    name: Line
    code: Annotated[Code, Field(description="Short, for sub-file numbers")]
    timezone: Zone
    country: Country | None = None
    subdivision: Subdivision | None = None
    observes_public_holidays: Annotated[
        Flag,
        Field(description="Of its country and subdivision: no hours by rule on them"),
    ] = False
    closed_days: ClosedDays = ()
    active: Flag = True

    def to_location(self, id: UUID) -> Location:
        return Location(
            id=LocationId(id),
            name=self.name,
            code=self.code,
            timezone=self.timezone,
            country=self.country,
            subdivision=self.subdivision,
            observes_public_holidays=self.observes_public_holidays,
            closed_days=tuple(sorted(self.closed_days)),
            active=self.active,
        )


class LocationView(Shape):
    id: UUID
    name: str
    code: str
    timezone: str
    country: str | None
    subdivision: str | None
    observes_public_holidays: bool
    closed_days: list[date]
    active: bool
    created_at: Instant
    updated_at: Instant
    version: int


class LocationsQuery(Shape):
    active: Annotated[
        Said | None, Field(description="Only those that are, or are not")
    ] = None
    limit: Limit = LARGEST_PAGE
    cursor: NameCursor = None

    def to_filter(self) -> LocationFilter:
        return LocationFilter(
            active=self.active,
            after=None if self.cursor is None else name_position_of(self.cursor),
            limit=self.limit,
        )


class LocationsView(Shape):
    items: list[LocationView]
    next_cursor: str | None


def _view(one: Location) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "code": one.code,
        "timezone": one.timezone,
        "country": one.country,
        "subdivision": one.subdivision,
        "observesPublicHolidays": one.observes_public_holidays,
        "closedDays": one.closed_days,
        "active": one.active,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
        "version": one.version,
    }


def _put(one: Location) -> StoredAnswer:
    return answer_put(
        _view(one), one.version, f"/v1/locations/{one.id}", is_new=one.is_new
    )


@router.put(
    "/{id}",
    **documented.put(LocationView),
)
async def put_location(
    id: UUID,
    wanted: LocationBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE))],
) -> Response:
    """Make a location, or replace one whole; the same again changes nothing."""
    return await commanding(
        request,
        caller,
        lambda do: do.put_location(
            caller, wanted.to_location(id), expected=expected_version(request)
        ),
        _put,
    )


@router.get("", **documented.reading(LocationsView, tag=False))
async def list_locations(
    wanted: Annotated[LocationsQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """The organisation's clinics, by name, as its characters are numbered.

    Patients' own tokens see them too.
    """
    queries: Queries = request.state.queries
    locations = await queries.list_locations(caller, wanted.to_filter())
    last = locations.items[-1] if locations.more else None
    page = {
        "items": [_view(one) for one in locations.items],
        "nextCursor": None if last is None else cursor_behind(last.name, last.id),
    }
    return Response(dumped(page), media_type="application/json")


@router.get("/{id}", **documented.reading(LocationView, errors.LocationNotFound))
async def get_location(
    id: UUID,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """One location."""
    queries: Queries = request.state.queries
    one = await queries.get_location(caller, LocationId(id))
    return found(request, _view(one), one.version)

"""Whole days of slots below `/v1/practitioners` and `/v1/locations`, and where there is
anything to be had on a day.
"""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from scheduling.application.ports.availability import (
    First,
    Owner,
    SlotFilter,
    SlotInList,
)
from scheduling.application.ports.identity import Caller, Scope
from scheduling.domain import errors
from scheduling.domain.errors import InvalidInput
from scheduling.domain.local_days import Span
from scheduling.domain.slot import SlotStatus
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.availability import instants_in
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import shown
from scheduling.entrypoints.http.paging import (
    LARGEST_PAGE,
    Cursor,
    Limit,
    cursor_at,
    position_of,
)
from scheduling.entrypoints.http.shapes import Day, Instant, Line, Shape, Zone
from scheduling.entrypoints.http.spans import InstantOrDay
from scheduling.entrypoints.http.use_cases import Queries

router = room("", "availability")

_A_DAY = timedelta(days=1)


class SlotsQuery(Shape):
    """Either a day, or from when until when."""

    date: Annotated[
        Day | None, Field(description="A local day, instead of a range")
    ] = None
    from_: Annotated[
        InstantOrDay, Field(alias="from", description="An instant or a local day")
    ] = None
    to: Annotated[
        InstantOrDay,
        Field(description="Exclusive, and as `from` is; 62 days after it at the most"),
    ] = None
    timezone: Annotated[
        Zone | None,
        Field(description="Of the days; without it, those of each slot's clinic"),
    ] = None
    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None

    def to_span(self) -> Span:
        if self.date is None:
            if self.from_ is None or self.to is None:
                raise InvalidInput("give a date, or from and to", "date")
            return Span(self.from_, self.to)
        if self.from_ is not None or self.to is not None:
            raise InvalidInput("give a date, or from and to", "date")
        return Span(self.date, self.date + _A_DAY)


class SlotInListView(Shape):
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
    offered: Annotated[bool, Field(description="Whether booking would accept it now")]


class SlotsView(Shape):
    """By start, with what began before and lasts into the range."""

    items: list[SlotInListView]
    next_cursor: str | None


class OpenLocationView(Shape):
    location_id: UUID
    name: str
    timezone: str
    date: Day
    offered: Annotated[int, Field(description="How many slots can be had")]
    first_start: Instant


class OpenLocationsView(Shape):
    """By when the first can be had."""

    items: list[OpenLocationView]
    next_cursor: str | None


class OpenLocationsQuery(Shape):
    date: Annotated[Day, Field(description="As it is counted at each location")]
    service_type: Line | None = None
    specialty: Line | None = None
    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None


def _first(limit: int, cursor: str | None) -> First:
    return First(limit, None if cursor is None else position_of(cursor))


@router.get(
    "/locations/available", **documented.reading(OpenLocationsView, digest=True)
)
async def find_open_locations(
    wanted: Annotated[OpenLocationsQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """Clinics at which something can be had on a day, how much, and from when on."""
    queries: Queries = request.state.queries
    found = await queries.find_open_locations(
        caller,
        wanted.date,
        SlotFilter(service_type=wanted.service_type, specialty=wanted.specialty),
        _first(wanted.limit, wanted.cursor),
    )
    items = [
        {
            "locationId": one.location_id,
            "name": one.name,
            "timezone": one.timezone,
            "date": wanted.date,
            "offered": one.offered,
            "firstStart": one.first,
        }
        for one in found.items
    ]
    last = found.last
    cursor = None if last is None else cursor_at(last.first, last.location_id)
    return shown(request, {"items": items, "nextCursor": cursor})


@router.get(
    "/locations/{id}/slots",
    **documented.reading(SlotsView, errors.LocationNotFound, digest=True),
)
async def list_slots_of_location(
    id: UUID,
    wanted: Annotated[SlotsQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """All slots at a location, bookable or not; days are the location's own."""
    return await _slots("location", id, wanted, request, caller)


@router.get(
    "/practitioners/{id}/slots",
    **documented.reading(SlotsView, errors.PractitionerNotFound, digest=True),
)
async def list_slots_of_practitioner(
    id: UUID,
    wanted: Annotated[SlotsQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """All slots of a practitioner, bookable or not; days are those of each slot's own
    clinic.
    """
    return await _slots("practitioner", id, wanted, request, caller)


async def _slots(
    owner: Owner, id: UUID, wanted: SlotsQuery, request: Request, caller: Caller
) -> Response:
    queries: Queries = request.state.queries
    found = await queries.list_slots(
        caller,
        owner,
        id,
        wanted.to_span(),
        _first(wanted.limit, wanted.cursor),
        timezone=wanted.timezone,
    )
    instant = instants_in(wanted.timezone)
    last = found.last
    return shown(
        request,
        {
            "items": [_view(one, instant) for one in found.items],
            "nextCursor": None if last is None else cursor_at(last.start, last.slot_id),
        },
    )


def _view(one: SlotInList, instant: Any) -> dict[str, Any]:  # noqa: ANN401  # a callable
    return {
        "id": one.slot_id,
        "scheduleId": one.schedule_id,
        "practitionerId": one.practitioner_id,
        "locationId": one.location_id,
        "start": instant(one.start),
        "end": instant(one.end),
        "timezone": one.timezone,
        "status": one.status,
        "capacity": one.capacity,
        "booked": one.booked,
        "remaining": one.remaining,
        "serviceTypes": one.service_types,
        "version": one.version,
        "offered": one.offered,
    }

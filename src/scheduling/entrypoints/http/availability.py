"""`/v1/availability`: what booking would accept at this moment, and why not more."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from scheduling.application.ports.appointment_lists import Whose
from scheduling.application.ports.availability import Candidate, First, SlotFilter
from scheduling.application.ports.identity import Caller, Scope
from scheduling.domain import errors
from scheduling.domain.identifiers import (
    LocationId,
    PatientId,
    PractitionerId,
    SlotId,
)
from scheduling.domain.local_days import Span
from scheduling.entrypoints.http import documented
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
from scheduling.entrypoints.http.spans import From, To
from scheduling.entrypoints.http.use_cases import Queries

router = room("/availability", "availability")

MOST_AT_ONCE = 20
"""Of the next times, and of practitioners or locations to look for them at."""

ForWhom = Annotated[
    UUID | None, Field(description="Leave out what clashes with their bookings")
]


class AvailabilityQuery(Shape):
    practitioner_id: UUID | None = None
    location_id: UUID | None = None
    specialty: Line | None = None
    service_type: Line | None = None
    from_: Annotated[From, Field(alias="from")]
    to: To
    patient_id: ForWhom = None
    timezone: Annotated[
        Zone | None,
        Field(
            description="Of the days that are asked for and told; without it, those "
            "asked for are the location's or the organisation's, those told the slot's"
        ),
    ] = None
    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None

    def to_filter(self, caller: Caller) -> SlotFilter:
        """Who comes with a patient's own token searches for that patient."""
        return SlotFilter(
            whose=Whose(
                location_ids=_one_or_none(LocationId, self.location_id),
                practitioner_ids=_one_or_none(PractitionerId, self.practitioner_id),
            ),
            specialty=self.specialty,
            service_type=self.service_type,
            patient_id=for_whom(self.patient_id, caller),
        )

    def to_page(self) -> First:
        if self.cursor is None:
            return First(self.limit)
        start, id = position_of(self.cursor)
        return First(self.limit, (start, SlotId(id)))


class AvailableSlotView(Shape):
    slot_id: UUID
    schedule_id: UUID
    practitioner_id: UUID
    location_id: UUID
    start: Instant
    end: Instant
    timezone: str
    date: Annotated[
        Day, Field(description="The local day of the start, in the zone asked for")
    ]
    remaining: int
    service_types: list[str]


class AvailabilityView(Shape):
    """By start. A page may hold fewer than `limit`, and yet another may follow."""

    items: list[AvailableSlotView]
    next_cursor: str | None


@router.get(
    "", **documented.reading(AvailabilityView, errors.PatientNotFound, digest=True)
)
async def search_available_slots(
    wanted: Annotated[AvailabilityQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """Free slots by start, as booking would take them now. A practitioner or location
    that nobody knows has none.
    """
    queries: Queries = request.state.queries
    available = await queries.search_available_slots(
        caller,
        wanted.to_filter(caller),
        Span(wanted.from_, wanted.to),
        wanted.to_page(),
        timezone=wanted.timezone,
    )
    last = available.last
    page = {
        "items": views(available.items, wanted.timezone),
        "nextCursor": None if last is None else cursor_at(last.start, last.slot_id),
    }
    return shown(request, page)


def views(found: Iterable[Candidate], timezone: str | None) -> list[dict[str, Any]]:
    """A model for each row would cost more than the search."""
    zone = None if timezone is None else ZoneInfo(timezone)
    instant: Callable[[datetime], datetime] = (
        (lambda instant: instant) if zone is None else lambda i: i.astimezone(zone)
    )
    return [
        {
            "slotId": one.slot_id,
            "scheduleId": one.schedule_id,
            "practitionerId": one.practitioner_id,
            "locationId": one.location_id,
            "start": instant(one.start),
            "end": instant(one.end),
            "timezone": one.timezone,
            "date": one.start.astimezone(zone or ZoneInfo(one.timezone)).date(),
            "remaining": one.remaining,
            "serviceTypes": one.service_types,
        }
        for one in found
    ]


def for_whom(patient_id: UUID | None, caller: Caller) -> PatientId | None:
    return caller.patient_id if patient_id is None else PatientId(patient_id)


def _one_or_none(kind: Any, id: UUID | None) -> tuple[Any, ...]:  # noqa: ANN401
    return () if id is None else (kind(id),)

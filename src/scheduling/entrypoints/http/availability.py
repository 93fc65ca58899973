"""`/v1/availability`: what booking would accept at this moment."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import Candidate, SlotFilter
from scheduling.domain import errors
from scheduling.domain.errors import InvalidInput, InvalidPeriod
from scheduling.domain.identifiers import (
    LocationId,
    PatientId,
    PractitionerId,
    SlotId,
)
from scheduling.domain.period import Period
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.shapes import (
    EARLIEST,
    LATEST,
    Instant,
    Line,
    Shape,
    Zone,
    dumped,
)
from scheduling.entrypoints.http.use_cases import Queries

router = room("/availability", "availability")

LARGEST_PAGE = 200
_POSITION = struct.Struct(">q16s")
"""Where a page ended: microseconds since 1970, and the id of the slot."""


class AvailabilityQuery(Shape):
    practitioner_id: UUID | None = None
    location_id: UUID | None = None
    specialty: Line | None = None
    service_type: Line | None = None
    from_: Annotated[Instant, Field(alias="from")]
    to: Annotated[
        Instant, Field(description="Exclusive; 62 days after `from` at the most")
    ]
    patient_id: Annotated[
        UUID | None, Field(description="Leave out what clashes with their bookings")
    ] = None
    timezone: Annotated[
        Zone | None, Field(description="Write instants with the offset of this zone")
    ] = None
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = LARGEST_PAGE
    cursor: Annotated[
        str | None, Field(max_length=100, description="The `nextCursor` of a page")
    ] = None

    def to_filter(self, caller: Caller) -> SlotFilter:
        """Who comes with a patient's own token searches for that patient."""
        if self.to <= self.from_:
            raise InvalidPeriod("must be after from", "to")
        return SlotFilter(
            period=Period(self.from_, self.to),
            practitioner_id=_as(PractitionerId, self.practitioner_id),
            location_id=_as(LocationId, self.location_id),
            specialty=self.specialty,
            service_type=self.service_type,
            patient_id=_as(PatientId, self.patient_id) or caller.patient_id,
            after=None if self.cursor is None else _position(self.cursor),
            limit=self.limit,
        )


class AvailableSlotView(Shape):
    slot_id: UUID
    schedule_id: UUID
    practitioner_id: UUID
    location_id: UUID
    start: Instant
    end: Instant
    timezone: str
    remaining: int
    service_types: list[str]


class AvailabilityView(Shape):
    """By start. A page may hold fewer than `limit`, and yet another may follow."""

    items: list[AvailableSlotView]
    next_cursor: str | None


def _views(found: Iterable[Candidate], zone: ZoneInfo | None) -> list[dict[str, Any]]:
    """A model for each row would cost more than the search."""
    shown: Callable[[datetime], datetime] = (
        (lambda instant: instant) if zone is None else lambda i: i.astimezone(zone)
    )
    return [
        {
            "slotId": one.slot_id,
            "scheduleId": one.schedule_id,
            "practitionerId": one.practitioner_id,
            "locationId": one.location_id,
            "start": shown(one.start),
            "end": shown(one.end),
            "timezone": one.timezone,
            "remaining": one.remaining,
            "serviceTypes": one.service_types,
        }
        for one in found
    ]


@router.get(
    "", **documented.reading(AvailabilityView, errors.PatientNotFound, tag=False)
)
async def search_available_slots(
    wanted: Annotated[AvailabilityQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """Free slots by start, as booking would take them now."""
    _refuse_repeats(request)
    queries: Queries = request.state.queries
    available = await queries.search_available_slots(caller, wanted.to_filter(caller))
    zone = None if wanted.timezone is None else ZoneInfo(wanted.timezone)
    last = available.last if available.more else None
    page = {
        "items": _views(available.items, zone),
        "nextCursor": None if last is None else _cursor(last),
    }
    return Response(dumped(page), media_type="application/json")


def _refuse_repeats(request: Request) -> None:
    """A parameter given twice would be one of the two, and nobody knows which."""
    times = Counter(name for name, _ in request.query_params.multi_items())
    for name, count in times.items():
        if count > 1:
            raise InvalidInput("must be given once", name)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _cursor(last: Candidate) -> str:
    since = (last.start - _EPOCH) // timedelta(microseconds=1)
    return urlsafe_b64encode(_POSITION.pack(since, last.slot_id.bytes)).decode()


def _position(cursor: str) -> tuple[datetime, SlotId]:
    try:
        packed = urlsafe_b64decode(cursor.encode("ascii"))
        since, id = _POSITION.unpack(packed)
        start = _EPOCH + timedelta(microseconds=since)
    except (ValueError, struct.error, OverflowError) as error:
        raise InvalidInput("is none that we gave", "cursor") from error
    if not EARLIEST <= start < LATEST:
        raise InvalidInput("is none that we gave", "cursor")
    return start, SlotId(UUID(bytes=id))


def _as(kind: Any, id: UUID | None) -> Any:  # noqa: ANN401
    return None if id is None else kind(id)

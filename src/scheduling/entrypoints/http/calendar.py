"""`/v1/calendar`: who is with whom, and what is free, day by day. For staff."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.queries.get_calendar_view import CalendarView as Found
from scheduling.domain.errors import InvalidInput
from scheduling.domain.local_days import Span
from scheduling.domain.slot import SlotStatus
from scheduling.domain.status import Status
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.asking import Said, WhoseQuery
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.shapes import Instant, Shape, dumped
from scheduling.entrypoints.http.spans import From, To
from scheduling.entrypoints.http.use_cases import Queries

router = room("/calendar", "calendar")


class CalendarQuery(WhoseQuery):
    """At a location or of a practitioner, or both."""

    from_: Annotated[From, Field(alias="from")]
    to: To
    include_cancelled: Said = False


class CalendarAppointmentView(Shape):
    id: UUID
    patient_id: UUID
    patient_name: str
    practitioner_id: UUID
    practitioner_name: str
    location_id: UUID
    slot_ids: list[UUID]
    start: Instant
    end: Instant
    appointment_type: str
    status: Status
    overbooked: bool
    hold_expires_at: Instant | None
    series_id: UUID | None
    version: int


class CalendarSlotView(Shape):
    id: UUID
    schedule_id: UUID
    practitioner_id: UUID
    location_id: UUID
    start: Instant
    end: Instant
    status: SlotStatus
    capacity: int
    booked: int
    remaining: int
    service_types: list[str]
    version: int


class CalendarDayView(Shape):
    """What begins on a local day, by start. On the first day also what began before the
    period and is not over.
    """

    date: date
    appointments: list[CalendarAppointmentView]
    slots: list[CalendarSlotView]


class CalendarView(Shape):
    """All days of the period, also those without anything. Instants are in UTC."""

    timezone: str
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    days: list[CalendarDayView]


def written(found: Found) -> bytes:
    """Put the days as they were read into a `CalendarView`; nobody reads them here."""
    frame = dumped(
        {
            "timezone": found.asked.timezone,
            "from": found.asked.period.start,
            "to": found.asked.period.end,
        }
    )
    days = ",".join(
        f'{{"date":"{day.date}","appointments":{day.appointments},"slots":{day.slots}}}'
        for day in found.days
    )
    return b'%b,"days":[%b]}' % (frame.removesuffix(b"}"), days.encode())


@router.get("", **documented.reading(CalendarView, tag=False))
async def get_calendar(
    wanted: Annotated[CalendarQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """Appointments and slots of 31 days at the most, grouped by local day.

    Takes a locationId or a practitionerId. Each appointment and each slot is there
    once, overnight ones on the day on which they begin. Shown is all that takes time,
    what came of what did, and proposals; with includeCancelled also what was called
    off. A hold that has run out is not shown, and its seat is free. What is unknown has
    an empty calendar; more than 20000 appointments or slots are too much for one. A
    patient's own token is refused.
    """
    whose = wanted.to_whose()
    if not whose.location_ids and not whose.practitioner_ids:
        raise InvalidInput("or practitionerId must be given", "locationId")
    queries: Queries = request.state.queries
    found = await queries.get_calendar_view(
        caller,
        Span(wanted.from_, wanted.to),
        whose,
        timezone=wanted.timezone,
        include_cancelled=wanted.include_cancelled,
    )
    return Response(written(found), media_type="application/json")

"""`/v1/schedules`: bookable calendars."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.application.ports.schedule_lists import (
    ScheduleFilter,
    ScheduleSlotFilter,
)
from scheduling.domain import errors
from scheduling.domain.errors import InvalidPeriod
from scheduling.domain.identifiers import (
    LocationId,
    PractitionerId,
    ScheduleId,
    SlotId,
)
from scheduling.domain.period import Period
from scheduling.domain.schedule import Schedule
from scheduling.domain.settings import CalendarLimits
from scheduling.domain.slot import SlotStatus
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.found import found
from scheduling.entrypoints.http.paging import (
    LARGEST_PAGE,
    Cursor,
    Limit,
    cursor_at,
    position_of,
)
from scheduling.entrypoints.http.shapes import (
    Instant,
    Shape,
    Whole,
    Zone,
    answer,
    dumped,
)
from scheduling.entrypoints.http.slots import SlotView, slot_view
from scheduling.entrypoints.http.use_cases import Queries
from scheduling.entrypoints.http.windows import Windows, WindowView, window_view

router = room("/schedules", "schedules")

_EPOCH = datetime.fromtimestamp(0, UTC)
"""Schedules are listed by id alone, which is by when they were made."""


_THE_ORGANISATIONS = "Null: the organisation's"
_Count = Annotated[Whole, Field(ge=1, le=10_000)]


class ScheduleLimitsBody(Shape):
    """How many appointments the schedule takes, besides what its practitioner does."""

    per_day: _Count | None = None
    per_week: _Count | None = None


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
                    "minimumNoticeMinutes": 60,
                    "limits": {"perDay": 12},
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
    horizon_days: Annotated[
        Whole | None, Field(ge=1, le=730, description=_THE_ORGANISATIONS)
    ] = None
    minimum_notice_minutes: Annotated[
        Whole | None, Field(ge=0, le=366 * 24 * 60, description=_THE_ORGANISATIONS)
    ] = None
    limits: ScheduleLimitsBody = ScheduleLimitsBody()


class ScheduleLimitsView(Shape):
    per_day: int | None
    per_week: int | None


class ScheduleView(Shape):
    id: UUID
    practitioner_id: UUID
    location_id: UUID
    practitioner_role_id: UUID | None
    timezone: str
    availability: list[WindowView]
    horizon_days: int | None
    minimum_notice_minutes: int | None
    limits: ScheduleLimitsView
    created_at: Instant
    updated_at: Instant
    version: int


class SchedulesQuery(Shape):
    actor_id: UUID | None = None
    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None

    def to_filter(self) -> ScheduleFilter:
        after = None if self.cursor is None else position_of(self.cursor)[1]
        return ScheduleFilter(
            actor_id=self.actor_id,
            after=None if after is None else ScheduleId(after),
            limit=self.limit,
        )


class SchedulesView(Shape):
    items: list[ScheduleView]
    next_cursor: str | None


class ScheduleSlotsQuery(Shape):
    from_: Annotated[Instant, Field(alias="from")]
    to: Annotated[
        Instant, Field(description="Exclusive; 92 days after `from` at the most")
    ]
    status: SlotStatus | None = None
    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None

    def to_filter(self, id: ScheduleId) -> ScheduleSlotFilter:
        if self.to <= self.from_:
            raise InvalidPeriod("must be after from", "to")
        after = None if self.cursor is None else position_of(self.cursor)
        return ScheduleSlotFilter(
            schedule_id=id,
            period=Period(self.from_, self.to),
            status=self.status,
            after=None if after is None else (after[0], SlotId(after[1])),
            limit=self.limit,
        )


class ScheduleSlotsView(Shape):
    """By start, whether or not they can be booked."""

    items: list[SlotView]
    next_cursor: str | None


def _view(one: Schedule) -> dict[str, Any]:
    return {
        "id": one.id,
        "practitionerId": one.practitioner_id,
        "locationId": one.location_id,
        "practitionerRoleId": one.practitioner_role_id,
        "timezone": one.timezone,
        "availability": [window_view(rule) for rule in one.availability],
        "horizonDays": one.horizon_days,
        "minimumNoticeMinutes": one.minimum_notice_minutes,
        "limits": {"perDay": one.limits.per_day, "perWeek": one.limits.per_week},
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
            minimum_notice_minutes=wanted.minimum_notice_minutes,
            limits=CalendarLimits(wanted.limits.per_day, wanted.limits.per_week),
        ),
        _made,
    )


@router.get("", **documented.reading(SchedulesView, tag=False))
async def list_schedules(
    wanted: Annotated[SchedulesQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """Bookable calendars, in the order in which they were made."""
    queries: Queries = request.state.queries
    schedules = await queries.list_schedules(caller, wanted.to_filter())
    last = schedules.items[-1] if schedules.more else None
    page = {
        "items": [_view(one) for one in schedules.items],
        "nextCursor": None if last is None else cursor_at(_EPOCH, last.id),
    }
    return Response(dumped(page), media_type="application/json")


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


@router.get(
    "/{id}/slots",
    **documented.reading(ScheduleSlotsView, errors.ScheduleNotFound, tag=False),
)
async def list_schedule_slots(
    id: UUID,
    wanted: Annotated[ScheduleSlotsQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """The schedule's slots as they are."""
    queries: Queries = request.state.queries
    slots = await queries.list_schedule_slots(caller, wanted.to_filter(ScheduleId(id)))
    last = slots.items[-1] if slots.more else None
    page = {
        "items": [slot_view(one) for one in slots.items],
        "nextCursor": None if last is None else cursor_at(last.period.start, last.id),
    }
    return Response(dumped(page), media_type="application/json")

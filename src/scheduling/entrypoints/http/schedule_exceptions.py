"""`/v1/schedules/{id}/exceptions`: closed, replaced and extra hours."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.application.ports.schedule_exceptions import ExceptionPosition
from scheduling.application.steps.reshape_calendar import Effect
from scheduling.domain import errors
from scheduling.domain.identifiers import ScheduleExceptionId, ScheduleId
from scheduling.domain.schedule_exception import ExceptionKind, ScheduleException
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.affected import Affected, affected_view
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.exception_bodies import ExceptionBody
from scheduling.entrypoints.http.paging import (
    LARGEST_PAGE,
    Cursor,
    Limit,
    cursor_at,
    position_of,
)
from scheduling.entrypoints.http.shapes import Instant, Shape, answer, dumped
from scheduling.entrypoints.http.use_cases import Queries
from scheduling.entrypoints.http.windows import HoursView, hours_view

router = room("/schedules/{id}/exceptions", "schedules")


class ExceptionsQuery(Shape):
    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None

    def to_position(self) -> ExceptionPosition | None:
        if self.cursor is None:
            return None
        start, id = position_of(self.cursor)
        return start, ScheduleExceptionId(id)


class ScheduleExceptionView(Shape):
    """`start` and `end` are those of the date, where it is said as one."""

    id: UUID
    schedule_id: UUID
    kind: ExceptionKind
    date: date | None
    start: Instant
    end: Instant
    windows: list[HoursView]
    service_types: list[str]
    reason: Annotated[str | None, Field(description="Told to staff only")]
    created_at: Instant


class ExceptionEffectView(ScheduleExceptionView):
    """The exception, and what came of adding or removing it."""

    affected_appointments: Affected
    slots_blocked: int
    slots_opened: Annotated[int, Field(description="Made, or unblocked")]
    slots_retired: Annotated[int, Field(description="Gone, for nobody had booked")]


class ScheduleExceptionsView(Shape):
    """By start."""

    items: list[ScheduleExceptionView]
    next_cursor: str | None


def _view(one: ScheduleException, caller: Caller | None = None) -> dict[str, Any]:
    """What staff wrote is for staff: a patient's own token is not told why."""
    told = caller is None or caller.patient_id is None
    return {
        "id": one.id,
        "scheduleId": one.schedule_id,
        "kind": one.kind,
        "date": one.on_date,
        "start": one.period.start,
        "end": one.period.end,
        "windows": [hours_view(window) for window in one.windows],
        "serviceTypes": one.service_types,
        "reason": one.reason if told else None,
        "createdAt": one.created_at,
    }


def _effect_view(one: ScheduleException, effect: Effect) -> dict[str, Any]:
    done = effect.done
    return {
        **_view(one),
        "affectedAppointments": [affected_view(it) for it in effect.affected],
        "slotsBlocked": len(done.blocked),
        "slotsOpened": len(done.opened) + len(done.made),
        "slotsRetired": len(done.retired),
    }


def _added(result: tuple[ScheduleException, Effect]) -> StoredAnswer:
    one = result[0]
    place = f"/v1/schedules/{one.schedule_id}/exceptions/{one.id}"
    return answer(201, _effect_view(*result), Location=place)


def _removed(result: tuple[ScheduleException, Effect]) -> StoredAnswer:
    return answer(200, _effect_view(*result))


@router.post(
    "",
    **documented.command(
        ExceptionEffectView,
        errors.ScheduleNotFound,
        errors.OptimisticLockConflict,
        status=201,
    ),
)
async def add_schedule_exception(
    id: UUID,
    wanted: ExceptionBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE))],
) -> Response:
    """Close, replace or add hours, with effect on the schedule's slots at once."""
    return await commanding(
        request,
        caller,
        lambda do: do.add_schedule_exception(
            caller,
            ScheduleId(id),
            kind=wanted.kind,
            on_date=wanted.date,
            period=wanted.period,
            windows=wanted.hours,
            service_types=wanted.service_types,
            reason=wanted.reason,
        ),
        _added,
    )


@router.get(
    "",
    **documented.reading(ScheduleExceptionsView, errors.ScheduleNotFound, tag=False),
)
async def list_schedule_exceptions(
    id: UUID,
    wanted: Annotated[ExceptionsQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """Where the schedule differs from its weekly rules."""
    queries: Queries = request.state.queries
    found = await queries.list_schedule_exceptions(
        caller, ScheduleId(id), after=wanted.to_position(), limit=wanted.limit
    )
    last = found.items[-1] if found.more else None
    page = {
        "items": [_view(one, caller) for one in found.items],
        "nextCursor": None if last is None else cursor_at(last.period.start, last.id),
    }
    return Response(dumped(page), media_type="application/json")


@router.get(
    "/{exceptionId}",
    **documented.reading(
        ScheduleExceptionView, errors.ScheduleExceptionNotFound, tag=False
    ),
)
async def get_schedule_exception(
    id: UUID,
    exceptionId: UUID,  # noqa: N803  # as the path has it
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """One exception."""
    queries: Queries = request.state.queries
    one = await queries.get_schedule_exception(
        caller, ScheduleId(id), ScheduleExceptionId(exceptionId)
    )
    return Response(dumped(_view(one, caller)), media_type="application/json")


@router.delete(
    "/{exceptionId}",
    **documented.command(
        ExceptionEffectView,
        errors.ScheduleNotFound,
        errors.ScheduleExceptionNotFound,
        errors.OptimisticLockConflict,
        status=200,
    ),
)
async def remove_schedule_exception(
    id: UUID,
    exceptionId: UUID,  # noqa: N803
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE))],
) -> Response:
    """Undo what it did to the slots, but for what another exception does too."""
    return await commanding(
        request,
        caller,
        lambda do: do.remove_schedule_exception(
            caller, ScheduleId(id), ScheduleExceptionId(exceptionId)
        ),
        _removed,
    )

"""`/v1/schedules/{id}/generate` and `/generation-runs`: slots that follow the rules."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from scheduling.application.ports.generation import RunPosition
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain import errors
from scheduling.domain.generation import (
    MOST_SHOWN,
    MOST_TOLD,
    Action,
    Generation,
    Trigger,
)
from scheduling.domain.identifiers import GenerationRunId, ScheduleId
from scheduling.domain.slot_difference import KeptBecause
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import commanding
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.paging import (
    LARGEST_PAGE,
    Cursor,
    Limit,
    cursor_at,
    position_of,
)
from scheduling.entrypoints.http.shapes import Flag, Instant, Shape, answer, dumped
from scheduling.entrypoints.http.use_cases import Queries

router = room("/schedules/{id}", "schedules")


class GenerationBody(Shape):
    model_config = ConfigDict(json_schema_extra={"examples": [{"dryRun": True}]})

    dry_run: Annotated[Flag, Field(description="Only show what it would change")] = (
        False
    )


class GenerationRunsQuery(Shape):
    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None

    def to_position(self) -> RunPosition | None:
        if self.cursor is None:
            return None
        started, id = position_of(self.cursor)
        return started, GenerationRunId(id)


class KeptSlotView(Shape):
    slot_id: UUID
    reason: KeptBecause
    appointment_ids: list[UUID]


class GenerationRunView(Shape):
    """What was wanted is created, updated, unchanged or a conflict, which something
    that stays is in the way of. What is wanted no more is retired or, where somebody is
    in it, retained. Days are local and inclusive.
    """

    generation_run_id: UUID
    schedule_id: UUID
    practitioner_role_id: UUID | None
    role_version: int | None
    trigger: Trigger
    source_event_id: str
    first_day: date
    last_day: date
    tzdata_version: str
    created: int
    updated: int
    unchanged: int
    conflicts: int
    retired: int
    retained: int
    kept_by_reason: dict[str, int]
    kept: Annotated[
        list[KeptSlotView],
        Field(description=f"Conflicts and retained; {MOST_TOLD} at the most"),
    ]
    affected_appointment_ids: Annotated[
        list[UUID], Field(description="In slots that are wanted no more")
    ]
    started_at: Instant
    duration_ms: int


class SlotChangeView(Shape):
    action: Action
    start: Instant
    end: Instant
    capacity: int
    reason: KeptBecause | None


class GenerationView(GenerationRunView):
    dry_run: bool
    changes: Annotated[
        list[SlotChangeView],
        Field(description=f"Of a dry run; the first {MOST_SHOWN}"),
    ]


class GenerationRunsView(Shape):
    """The newest first."""

    items: list[GenerationRunView]
    next_cursor: str | None


def _run_view(run: Generation) -> dict[str, Any]:
    return {
        "generationRunId": run.id,
        "scheduleId": run.schedule_id,
        "practitionerRoleId": run.practitioner_role_id,
        "roleVersion": run.role_version,
        "trigger": run.trigger,
        "sourceEventId": run.source_event_id,
        "firstDay": run.first_day,
        "lastDay": run.last_day,
        "tzdataVersion": run.tzdata_version,
        "created": run.created,
        "updated": run.updated,
        "unchanged": run.unchanged,
        "conflicts": run.conflicts,
        "retired": run.retired,
        "retained": run.retained,
        "keptByReason": dict(run.kept_by_reason),
        "kept": [
            {
                "slotId": one.slot_id,
                "reason": one.reason,
                "appointmentIds": one.appointment_ids,
            }
            for one in run.kept
        ],
        "affectedAppointmentIds": run.affected,
        "startedAt": run.started_at,
        "durationMs": run.duration_ms,
    }


def _done(run: Generation) -> StoredAnswer:
    changes = [
        {
            "action": one.action,
            "start": one.start,
            "end": one.end,
            "capacity": one.capacity,
            "reason": one.reason,
        }
        for one in run.changes
    ]
    return answer(200, {**_run_view(run), "dryRun": run.dry_run, "changes": changes})


@router.post(
    "/generate",
    **documented.command(
        GenerationView,
        errors.ScheduleNotFound,
        errors.OptimisticLockConflict,
        status=200,
        tag=False,
    ),
)
async def generate_slots(
    id: UUID,
    wanted: GenerationBody,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE))],
) -> Response:
    """Let the schedule's slots follow its rules now, or show what that would change."""
    return await commanding(
        request,
        caller,
        lambda do: do.generate_slots(caller, ScheduleId(id), dry_run=wanted.dry_run),
        _done,
    )


@router.get(
    "/generation-runs",
    **documented.reading(GenerationRunsView, errors.ScheduleNotFound, tag=False),
)
async def list_generation_runs(
    id: UUID,
    wanted: Annotated[GenerationRunsQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.MANAGE))],
) -> Response:
    """How the schedule's slots came to follow its rules."""
    queries: Queries = request.state.queries
    found = await queries.list_generation_runs(
        caller, ScheduleId(id), after=wanted.to_position(), limit=wanted.limit
    )
    last = found.items[-1] if found.more else None
    page = {
        "items": [_run_view(run) for run in found.items],
        "nextCursor": None if last is None else cursor_at(last.started_at, last.id),
    }
    return Response(dumped(page), media_type="application/json")

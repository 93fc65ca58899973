"""`/v1/appointments/{id}/history`: who did what to an appointment, and what came of it.

What a patient's own token is told of it is less: what was done to the appointment, and
what that token asked for itself; others without their names.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from scheduling.application.ports.audit import AuditRecord, Outcome
from scheduling.application.ports.identity import Caller, Scope
from scheduling.domain import errors
from scheduling.domain.identifiers import AppointmentId
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.paging import (
    LARGEST_PAGE,
    Cursor,
    Limit,
    cursor_at,
    position_of,
)
from scheduling.entrypoints.http.shapes import Instant, Shape, dumped
from scheduling.entrypoints.http.use_cases import Queries

router = room("/appointments", "appointments")


class HistoryQuery(Shape):
    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None


class ChangeView(Shape):
    """Ids, codes, times and numbers; `[redacted]` stands for names and free text."""

    old: Any
    new: Any


class AuditRecordView(Shape):
    at: Instant
    actor: Annotated[
        str | None,
        Field(description="The token's subject; null is somebody else, for a patient"),
    ]
    action: Annotated[str, Field(examples=["appointment.arrived"])]
    outcome: Annotated[Outcome, Field(examples=["done"])]
    version: Annotated[int | None, Field(description="Of the appointment, then")]
    changes: Annotated[
        dict[str, ChangeView],
        Field(examples=[{"status": {"old": "booked", "new": "arrived"}}]),
    ]
    request_id: Annotated[str | None, Field(description="As in `X-Request-Id`")]


class HistoryView(Shape):
    """The oldest first."""

    items: list[AuditRecordView]
    next_cursor: str | None


def _view(one: AuditRecord, caller: Caller) -> dict[str, Any]:
    named = caller.patient_id is None or one.actor == caller.subject
    return {
        "at": one.at,
        "actor": one.actor if named else None,
        "action": one.action,
        "outcome": one.outcome,
        "version": one.version,
        "changes": {
            field: {"old": old, "new": new} for field, (old, new) in one.changes.items()
        },
        "requestId": one.request_id if named else None,
    }


@router.get(
    "/{id}/history",
    **documented.reading(HistoryView, errors.AppointmentNotFound, tag=False),
)
async def get_appointment_history(
    id: UUID,
    wanted: Annotated[HistoryQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """Who did what to an appointment, when, and what came of it."""
    queries: Queries = request.state.queries
    history = await queries.get_appointment_history(
        caller,
        AppointmentId(id),
        after=None if wanted.cursor is None else position_of(wanted.cursor),
        limit=wanted.limit,
    )
    last = history.records[-1] if history.more else None
    page = {
        "items": [_view(one, caller) for one in history.records],
        "nextCursor": None if last is None else cursor_at(last.at, last.id),
    }
    return Response(dumped(page), media_type="application/json")

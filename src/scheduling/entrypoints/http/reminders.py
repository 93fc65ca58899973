"""`/v1/appointments/{id}/reminders`: what a patient is told beforehand, and what became
of it.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from scheduling.application.ports.identity import Caller, Scope
from scheduling.domain import errors
from scheduling.domain.directory import Channel
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.reminder import KeptReminder, ReminderStatus
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


class RemindersQuery(Shape):
    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None


class ReminderView(Shape):
    id: UUID
    offset_minutes: Annotated[int, Field(description="Before the start")]
    channel: Annotated[
        Channel | None,
        Field(
            description="By which it was planned or sent; null: there was none yet",
            examples=["sms"],
        ),
    ]
    due_at: Instant
    status: Annotated[ReminderStatus, Field(examples=["SENT"])]
    reason: Annotated[
        str | None,
        Field(description="Why it was not sent, or not yet", examples=["TOO_LATE"]),
    ]
    sent_at: Instant | None
    appointment_version: Annotated[int, Field(description="That it was made for")]


class RemindersView(Shape):
    """By when they are due."""

    items: list[ReminderView]
    next_cursor: str | None


def _view(one: KeptReminder) -> dict[str, Any]:
    return {
        "id": one.id,
        "offsetMinutes": one.offset_minutes,
        "channel": one.channel,
        "dueAt": one.due_at,
        "status": one.status,
        "reason": one.reason,
        "sentAt": one.sent_at,
        "appointmentVersion": one.appointment_version,
    }


@router.get(
    "/{id}/reminders",
    **documented.reading(RemindersView, errors.AppointmentNotFound, tag=False),
)
async def list_reminders(
    id: UUID,
    wanted: Annotated[RemindersQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """The reminders of an appointment, those of its former times too."""
    queries: Queries = request.state.queries
    found = await queries.list_reminders(
        caller,
        AppointmentId(id),
        after=None if wanted.cursor is None else position_of(wanted.cursor),
        limit=wanted.limit,
    )
    last = found.reminders[-1] if found.more else None
    page = {
        "items": [_view(one) for one in found.reminders],
        "nextCursor": None if last is None else cursor_at(last.due_at, last.id),
    }
    return Response(dumped(page), media_type="application/json")

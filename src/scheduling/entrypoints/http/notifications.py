"""`/v1/practitioners/{id}/notifications`: what happened to a practitioner's visits."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.notifications import NotificationPosition
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain import errors
from scheduling.domain.identifiers import NotificationId, PractitionerId
from scheduling.domain.notification import Language, Notification, Template
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.asking import Said
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
from scheduling.entrypoints.http.shapes import Instant, Shape, answer, dumped
from scheduling.entrypoints.http.use_cases import Queries

router = room("/practitioners/{id}/notifications", "calendar")


class NotificationsQuery(Shape):
    unread: Annotated[Said, Field(description="Only what nobody has read")] = False
    language: Annotated[
        Language, Field(description="Of the titles", examples=["en"])
    ] = Language.ENGLISH
    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None

    def to_position(self) -> NotificationPosition | None:
        if self.cursor is None:
            return None
        created, id = position_of(self.cursor)
        return created, NotificationId(id)


class TitleQuery(Shape):
    language: Annotated[
        Language, Field(description="Of the title", examples=["en"])
    ] = Language.ENGLISH


class NotificationView(Shape):
    """`start` and `timezone` are the visit's as it was then."""

    id: UUID
    template: Annotated[Template, Field(examples=["appointment.booked"])]
    title: Annotated[str, Field(examples=["New appointment"])]
    patient_id: UUID
    appointment_id: UUID
    start: Instant
    timezone: str
    service_type: str
    link: Annotated[
        str,
        Field(
            description="A path of the staff calendar",
            examples=[
                "/calendar/#/day?appointment=019a9d3e-0000-7000-8000-000000000601",
            ],
        ),
    ]
    created_at: Instant
    read_at: Instant | None


class NotificationsView(Shape):
    """The newest first."""

    items: list[NotificationView]
    next_cursor: str | None


class AllReadView(Shape):
    read: Annotated[int, Field(description="How many were unread", examples=[3])]


def _view(one: Notification, language: Language) -> dict[str, Any]:
    return {
        "id": one.id,
        "template": one.template,
        "title": one.title(language),
        "patientId": one.patient_id,
        "appointmentId": one.appointment_id,
        "start": one.start,
        "timezone": one.timezone,
        "serviceType": one.service_type,
        "link": one.link,
        "createdAt": one.created_at,
        "readAt": one.read_at,
    }


def _all_read(count: int) -> StoredAnswer:
    return answer(200, {"read": count})


@router.get(
    "",
    **documented.reading(NotificationsView, errors.PractitionerNotFound, tag=False),
)
async def list_notifications(
    id: UUID,
    wanted: Annotated[NotificationsQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """What happened to a practitioner's visits: booked, moved, called off."""
    queries: Queries = request.state.queries
    found = await queries.list_notifications(
        caller,
        PractitionerId(id),
        unread=wanted.unread,
        after=wanted.to_position(),
        limit=wanted.limit,
    )
    last = found.items[-1] if found.more else None
    page = {
        "items": [_view(one, wanted.language) for one in found.items],
        "nextCursor": None if last is None else cursor_at(last.created_at, last.id),
    }
    return Response(dumped(page), media_type="application/json")


@router.post(
    "/read-all",
    **documented.command(
        AllReadView, errors.PractitionerNotFound, status=200, tag=False
    ),
)
async def read_all_notifications(
    id: UUID,
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Note that all that is there was read."""
    return await commanding(
        request,
        caller,
        lambda do: do.read_all_notifications(caller, PractitionerId(id)),
        _all_read,
    )


@router.post(
    "/{notificationId}/read",
    **documented.command(
        NotificationView, errors.NotificationNotFound, status=200, tag=False
    ),
)
async def read_notification(
    id: UUID,
    notificationId: UUID,  # noqa: N803  # its name in the path
    wanted: Annotated[TitleQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.BOOK))],
) -> Response:
    """Note that one was read; the same again changes nothing."""
    return await commanding(
        request,
        caller,
        lambda do: do.read_notification(
            caller, PractitionerId(id), NotificationId(notificationId)
        ),
        lambda one: answer(200, _view(one, wanted.language)),
    )

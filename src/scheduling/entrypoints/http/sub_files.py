"""`/v1/patients/{id}/sub-files`: a patient's record folders, one for each clinic."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.sub_files import SubFilePosition
from scheduling.domain import errors
from scheduling.domain.identifiers import PatientId, SubFileId
from scheduling.domain.sub_file import SubFile, SubFileStatus
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.commanding import asking_of_patients
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.paging import (
    LARGEST_PAGE,
    Cursor,
    Limit,
    cursor_at,
    position_of,
)
from scheduling.entrypoints.http.shapes import Instant, Shape, dumped

router = room("/patients", "directory")


class SubFilesQuery(Shape):
    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None

    def to_position(self) -> SubFilePosition | None:
        if self.cursor is None:
            return None
        opened, id = position_of(self.cursor)
        return opened, SubFileId(id)


class SubFileView(Shape):
    id: UUID
    number: Annotated[str, Field(examples=["FILE-2030-000123-MIT-01"])]
    patient_id: UUID
    location_id: UUID
    practitioner_id: Annotated[UUID, Field(description="With whom it was opened")]
    status: Annotated[SubFileStatus, Field(examples=["open"])]
    opened_at: Instant


class SubFilesView(Shape):
    """The oldest first."""

    items: list[SubFileView]
    next_cursor: str | None


def _view(one: SubFile) -> dict[str, Any]:
    return {
        "id": one.id,
        "number": one.number,
        "patientId": one.patient_id,
        "locationId": one.location_id,
        "practitionerId": one.practitioner_id,
        "status": one.status,
        "openedAt": one.opened_at,
    }


@router.get(
    "/{id}/sub-files",
    **documented.reading(SubFilesView, errors.PatientNotFound, tag=False),
)
async def list_sub_files(
    id: UUID,
    wanted: Annotated[SubFilesQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """A patient's record folders: each clinic opens one with the first booking."""
    after = wanted.to_position()
    found = await asking_of_patients(
        request,
        caller,
        lambda queries: queries.list_sub_files(
            caller, PatientId(id), after=after, limit=wanted.limit
        ),
    )
    last = found.items[-1] if found.more else None
    page = {
        "items": [_view(one) for one in found.items],
        "nextCursor": None if last is None else cursor_at(last.opened_at, last.id),
    }
    return Response(dumped(page), media_type="application/json")

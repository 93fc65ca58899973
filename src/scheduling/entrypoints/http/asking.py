"""Parameters that questions over many appointments have in common."""

from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field

from scheduling.application.ports.appointment_lists import TOLD, Page, Whose
from scheduling.domain.identifiers import AppointmentId, LocationId, PractitionerId
from scheduling.domain.status import Status
from scheduling.entrypoints.http.paging import (
    LARGEST_PAGE,
    Cursor,
    Limit,
    position_of,
)
from scheduling.entrypoints.http.shapes import Shape, Zone

_Ids = Annotated[tuple[UUID, ...], Field(max_length=50)]


def _said(value: object) -> object:
    if value not in {"true", "false"}:
        raise ValueError("must be true or false")
    return value == "true"


Said = Annotated[bool, BeforeValidator(_said)]
"""A flag in a query: there everything is text."""


class WhoseQuery(Shape):
    location_id: Annotated[
        _Ids, Field(description="Only at one of these; may be repeated")
    ] = ()
    practitioner_id: Annotated[
        _Ids, Field(description="Only of one of these; may be repeated")
    ] = ()
    timezone: Annotated[
        Zone | None,
        Field(
            description="In which days are counted; without it the location's, where "
            "one alone is asked for, else the organisation's"
        ),
    ] = None

    def to_whose(self) -> Whose:
        return Whose(
            location_ids=tuple(map(LocationId, dict.fromkeys(self.location_id))),
            practitioner_ids=tuple(
                map(PractitionerId, dict.fromkeys(self.practitioner_id))
            ),
        )


class PagedQuery(Shape):
    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None

    def to_page(self, *, newest_first: bool = False) -> Page:
        after = None
        if self.cursor is not None:
            start, id = position_of(self.cursor)
            after = (start, AppointmentId(id))
        return Page(after=after, limit=self.limit, newest_first=newest_first)


class OfStatusQuery(Shape):
    status: Annotated[
        tuple[Status, ...],
        Field(
            max_length=len(Status),
            description="Only with one of these; may be repeated. Without it all but "
            "those entered in error",
        ),
    ] = ()

    def to_statuses(self) -> frozenset[Status]:
        return frozenset(self.status) or TOLD

"""`/v1/appointments/today`, `/upcoming`, and a patient's appointments."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from scheduling.application.ports.appointment_lists import (
    EVER,
    AppointmentPage,
    Summary,
)
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.queries.list_upcoming_appointments import FURTHEST
from scheduling.domain import errors
from scheduling.domain.errors import InvalidInput
from scheduling.domain.identifiers import PatientId
from scheduling.domain.local_days import Span
from scheduling.domain.status import Status
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.appointment_shapes import (
    AppointmentView,
    appointment_view,
)
from scheduling.entrypoints.http.asking import (
    OfStatusQuery,
    PagedQuery,
    Said,
    WhoseQuery,
)
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.paging import cursor_at
from scheduling.entrypoints.http.shapes import Instant, Shape, Zone, dumped
from scheduling.entrypoints.http.spans import From, To
from scheduling.entrypoints.http.use_cases import Queries

router = room("", "appointments")

A_WEEK = 7


class TodayQuery(WhoseQuery, PagedQuery, OfStatusQuery):
    pass


class UpcomingQuery(WhoseQuery, PagedQuery):
    """`days`, or `from` and `to`."""

    patient_id: UUID | None = None
    days: Annotated[
        int | None,
        Field(
            ge=1,
            le=FURTHEST,
            description="Local days to look ahead, of which today is the first; 7 "
            "unless `from` and `to` are given",
        ),
    ] = None
    from_: Annotated[From | None, Field(alias="from")] = None
    to: To | None = None
    summary: Annotated[Said, Field(description="Count all of them too")] = False

    def to_asked(self) -> Span | int:
        if self.from_ is None and self.to is None:
            return self.days or A_WEEK
        if self.from_ is None or self.to is None or self.days is not None:
            missing = "from" if self.from_ is None else "to"
            raise InvalidInput("give days, or from and to together", missing)
        return Span(self.from_, self.to)


class PatientQuery(PagedQuery, OfStatusQuery):
    from_: Annotated[From | None, Field(alias="from")] = None
    to: To | None = None
    timezone: Annotated[
        Zone | None,
        Field(description="In which `from` and `to` are days; else the organisation's"),
    ] = None

    def to_span(self) -> Span | None:
        """Return what is asked for; whichever end is missing is out of sight."""
        given = self.from_ if self.to is None else self.to
        if given is None:
            return None
        first, last = EVER.start, EVER.end
        if isinstance(given, datetime):
            return Span(self.from_ or first, self.to or last)
        return Span(self.from_ or first.date(), self.to or last.date())


class TodayView(Shape):
    """`counts` is by status, of all day and all pages, whatever status the items are
    of; a status that no appointment has is left out.
    """

    date: date
    timezone: str
    counts: dict[Status, int]
    items: list[AppointmentView]
    next_cursor: str | None


class DayCountView(Shape):
    date: date
    count: int


class PractitionerCountView(Shape):
    practitioner_id: UUID
    count: int


class SummaryView(Shape):
    """What there is none of is left out."""

    total: int
    by_status: dict[Status, int]
    by_day: list[DayCountView]
    by_practitioner: list[PractitionerCountView]


class UpcomingView(Shape):
    timezone: str
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    summary: SummaryView | None
    items: list[AppointmentView]
    next_cursor: str | None


class PatientAppointmentsView(Shape):
    items: list[AppointmentView]
    next_cursor: str | None


def _page(page: AppointmentPage) -> dict[str, Any]:
    last = page.items[-1] if page.more else None
    return {
        "items": [appointment_view(one) for one in page.items],
        "nextCursor": None if last is None else cursor_at(last.period.start, last.id),
    }


def _summary(of: Summary) -> dict[str, Any]:
    return {
        "total": sum(of.by_status.values()),
        "byStatus": counts(of.by_status),
        "byDay": [
            {"date": day, "count": count} for day, count in sorted(of.by_day.items())
        ],
        "byPractitioner": [
            {"practitionerId": id, "count": count}
            for id, count in sorted(of.by_practitioner.items())
        ],
    }


def counts(by_status: Mapping[Status, int]) -> dict[str, int]:
    """Return counts in the order of a visit's life."""
    return {str(one): by_status[one] for one in Status if one in by_status}


@router.get("/appointments/today", **documented.reading(TodayView, tag=False))
async def list_todays_appointments(
    wanted: Annotated[TodayQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """What begins on the clinic's local day, or began before and is not over; by start.

    What is unknown has no appointments. A patient's own token sees its own only.
    """
    queries: Queries = request.state.queries
    today = await queries.list_todays_appointments(
        caller,
        wanted.to_whose(),
        wanted.to_page(),
        statuses=wanted.to_statuses(),
        timezone=wanted.timezone,
    )
    view = {
        "date": today.day.dates[0],
        "timezone": today.day.timezone,
        "counts": counts(today.by_status),
        **_page(today.page),
    }
    return Response(dumped(view), media_type="application/json")


@router.get(
    "/appointments/upcoming",
    **documented.reading(UpcomingView, errors.PatientNotFound, tag=False),
)
async def list_upcoming_appointments(
    wanted: Annotated[UpcomingQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """What begins from now on, is proposed, or takes time: 92 days at the most, by
    start.

    What is unknown has no appointments. A patient's own token sees its own only.
    """
    queries: Queries = request.state.queries
    patient_id = wanted.patient_id
    upcoming = await queries.list_upcoming_appointments(
        caller,
        wanted.to_asked(),
        wanted.to_whose(),
        wanted.to_page(),
        patient_id=None if patient_id is None else PatientId(patient_id),
        timezone=wanted.timezone,
        summarised=wanted.summary,
    )
    view = {
        "timezone": upcoming.asked.timezone,
        "from": upcoming.asked.period.start,
        "to": upcoming.asked.period.end,
        "summary": None if upcoming.summary is None else _summary(upcoming.summary),
        **_page(upcoming.page),
    }
    return Response(dumped(view), media_type="application/json")


@router.get(
    "/patients/{id}/appointments",
    **documented.reading(PatientAppointmentsView, errors.PatientNotFound, tag=False),
)
async def list_patient_appointments(
    id: UUID,
    wanted: Annotated[PatientQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ))],
) -> Response:
    """All appointments of a patient, those that begin last first."""
    queries: Queries = request.state.queries
    page = await queries.list_patient_appointments(
        caller,
        PatientId(id),
        wanted.to_page(newest_first=True),
        span=wanted.to_span(),
        statuses=wanted.to_statuses(),
        timezone=wanted.timezone,
    )
    return Response(dumped(_page(page)), media_type="application/json")

"""`/v1/statistics`: what became of a period's appointments, in figures. For staff."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from scheduling.application.ports.identity import Caller, Scope
from scheduling.domain.local_days import LocalDays, Span
from scheduling.domain.statistics import Statistics, no_show_rate
from scheduling.domain.status import Status
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.appointment_lists import DayCountView, counts
from scheduling.entrypoints.http.asking import WhoseQuery
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.shapes import Day, Shape, dumped
from scheduling.entrypoints.http.use_cases import Queries

router = room("/statistics", "statistics")


class StatisticsQuery(WhoseQuery):
    from_: Annotated[Day, Field(alias="from", description="The first local day")]
    to: Annotated[
        Day, Field(description="Exclusive: the day after the last; 366 days at most")
    ]


class DayFiguresView(DayCountView):
    """`count` is the sum of `byStatus`; a status that nobody has is left out."""

    by_status: dict[Status, int]


class HourCountView(Shape):
    hour: Annotated[int, Field(description="On the wall, 0 to 23")]
    count: int


class PractitionerFiguresView(Shape):
    practitioner_id: UUID
    total: int
    by_status: dict[Status, int]
    no_show_rate: float | None


class StatisticsView(Shape):
    """`total` is the sum of `byStatus`, of `byType`, of `byDay`, of `busiestHours` and
    of the totals of `perPractitioner`.
    """

    timezone: str
    from_: Annotated[date, Field(alias="from")]
    to: date
    total: int
    by_status: dict[Status, int]
    by_type: dict[str, int]
    by_day: Annotated[
        list[DayFiguresView],
        Field(description="All days of the period, also empty ones"),
    ]
    per_day_average: Annotated[
        float, Field(description="The total over all days of the period")
    ]
    no_show_rate: Annotated[
        float | None,
        Field(description="no-show / (no-show + completed); null where both are 0"),
    ]
    new_patients: Annotated[
        int,
        Field(
            description="Who have an appointment in the period, and none before it "
            "anywhere in the organisation"
        ),
    ]
    returning_patients: Annotated[
        int,
        Field(description="Who have one in the period, and had one before it"),
    ]
    per_practitioner: list[PractitionerFiguresView]
    busiest_hours: Annotated[
        list[HourCountView], Field(description="In which they start, the busiest first")
    ]


def view(asked: Span, days: LocalDays, of: Statistics) -> dict[str, Any]:
    return {
        "timezone": days.timezone,
        "from": asked.start,
        "to": asked.end,
        "total": of.total,
        "byStatus": counts(of.by_status),
        "byType": dict(sorted(of.by_type.items())),
        "byDay": [
            {
                "date": day,
                "count": sum(by_status.values()),
                "byStatus": counts(by_status),
            }
            for day, by_status in sorted(of.by_day.items())
        ],
        "perDayAverage": of.per_day_average,
        "noShowRate": of.no_show_rate,
        "newPatients": of.new_patients,
        "returningPatients": of.returning_patients,
        "perPractitioner": [
            {
                "practitionerId": id,
                "total": sum(by_status.values()),
                "byStatus": counts(by_status),
                "noShowRate": no_show_rate(by_status),
            }
            for id, by_status in sorted(of.by_practitioner.items())
        ],
        "busiestHours": [
            {"hour": hour, "count": count}
            for hour, count in sorted(
                of.by_hour.items(), key=lambda one: (-one[1], one[0])
            )
        ],
    }


@router.get("", **documented.reading(StatisticsView, tag=False))
async def get_statistics(
    wanted: Annotated[StatisticsQuery, Query()],
    request: Request,
    caller: Annotated[Caller, Depends(Requires(Scope.READ, Scope.MANAGE))],
) -> Response:
    """Counts of what begins in a period of local days, whatever became of it.

    An overnight appointment counts on its start day. Left out are appointments that
    were entered in error, and holds, run out or not: they are no appointments yet. What
    is unknown has none. A patient's own token is refused.
    """
    queries: Queries = request.state.queries
    asked = Span(wanted.from_, wanted.to)
    days, found = await queries.get_statistics(
        caller, asked, wanted.to_whose(), timezone=wanted.timezone
    )
    return Response(dumped(view(asked, days, found)), media_type="application/json")

"""`/v1/schedules/preview`: what rules and exceptions would make of a calendar."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from scheduling.application.ports.identity import Caller, Scope
from scheduling.domain.errors import InvalidInput
from scheduling.domain.pattern import Pattern, PatternSlot
from scheduling.domain.schedule_exception import Deviation
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.exception_bodies import ExceptionBody
from scheduling.entrypoints.http.shapes import Day, Instant, Shape, Zone, dumped
from scheduling.entrypoints.http.use_cases import Queries
from scheduling.entrypoints.http.windows import Windows

router = room("/schedules", "schedules")


class PreviewBody(Shape):
    """Weekly rules, and what differs from them in the order in which it was said."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "availability": [
                        {
                            "daysOfWeek": ["sat"],
                            "startTime": "08:00",
                            "endTime": "12:00",
                            "slotMinutes": 20,
                        }
                    ],
                    "timezone": "America/Sao_Paulo",
                    "from": "2030-01-07",
                    "to": "2030-01-13",
                    "exceptions": [{"kind": "closed", "date": "2030-01-12"}],
                }
            ]
        }
    )

    availability: Windows
    timezone: Zone
    from_: Annotated[Day, Field(alias="from", description="The first local day")]
    to: Annotated[
        Day, Field(description="The last local day, inclusive; 92 days at the most")
    ]
    exceptions: Annotated[tuple[ExceptionBody, ...], Field(max_length=100)] = ()

    def to_pattern(self) -> Pattern:
        return Pattern(
            rules=tuple(window.to_rule() for window in self.availability),
            timezone=self.timezone,
            deviations=tuple(self._deviations()),
        )

    def _deviations(self) -> Iterator[Deviation]:
        for number, one in enumerate(self.exceptions):
            try:
                yield one.to_deviation(self.timezone)
            except InvalidInput as refused:
                where = f"exceptions.{number}.{refused.field}"
                raise InvalidInput(str(refused), where) from refused


class PreviewedSlotView(Shape):
    start: Instant
    end: Instant
    capacity: int


class PreviewView(Shape):
    """All of them, by start."""

    items: list[PreviewedSlotView]
    next_cursor: None


def _view(slots: Sequence[PatternSlot]) -> dict[str, Any]:
    """A model for each row would cost more than the slots."""
    items = [
        {"start": start, "end": end, "capacity": capacity}
        for start, end, capacity, _, _ in slots
    ]
    return {"items": items, "nextCursor": None}


@router.post("/preview", **documented.computing(PreviewView))
async def preview_availability_pattern(
    wanted: PreviewBody,
    request: Request,
    _caller: Annotated[Caller, Depends(Requires(Scope.READ, Scope.MANAGE))],
) -> Response:
    """Show the slots that a pattern wants, and change nothing."""
    queries: Queries = request.state.queries
    slots = await queries.preview_availability_pattern(
        wanted.to_pattern(), first=wanted.from_, last=wanted.to
    )
    return Response(dumped(_view(slots)), media_type="application/json")

"""Schedule exceptions on the wire, as schedules take them and previews try them.

Which fields go together is the domain's to say: it refuses the others by name.
"""

from typing import Annotated

from pydantic import ConfigDict, Field

from scheduling.domain.errors import InvalidInput
from scheduling.domain.period import Period
from scheduling.domain.schedule import Hours
from scheduling.domain.schedule_exception import Deviation, ExceptionKind, when
from scheduling.entrypoints.http.shapes import Day, FreeText, Instant, Shape, Words
from scheduling.entrypoints.http.windows import HoursOfADay


class ExceptionBody(Shape):
    """Closed, replaced or extra hours of a local date; or an exact time that is closed.

    A date means the hours that start on it. `closed` with `serviceTypes` leaves what
    serves others too. `replace` puts its windows in the place of the weekly rules, none
    close the date; `extra` adds its windows. Closed wins over both.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "closed", "date": "2030-01-07", "reason": "Public holiday"},
                {
                    "kind": "extra",
                    "date": "2030-01-12",
                    "windows": [
                        {"startTime": "08:00", "endTime": "12:00", "slotMinutes": 30}
                    ],
                },
            ]
        }
    )

    kind: ExceptionKind
    date: Annotated[
        Day | None, Field(description="In the schedule's zone; or `start` and `end`")
    ] = None
    start: Instant | None = None
    end: Annotated[
        Instant | None, Field(description="366 days after `start` at the most")
    ] = None
    windows: HoursOfADay = ()
    service_types: Words = ()
    reason: FreeText | None = None

    @property
    def period(self) -> Period | None:
        if self.start is None and self.end is None:
            return None
        if self.start is None or self.end is None:
            raise InvalidInput("a start and an end go together", "end")
        return Period(self.start, self.end)

    @property
    def hours(self) -> tuple[Hours, ...]:
        return tuple(window.to_hours() for window in self.windows)

    def to_deviation(self, timezone: str) -> Deviation:
        return Deviation(
            kind=self.kind,
            period=when(timezone, self.date, self.period),
            on_date=self.date,
            windows=self.hours,
            service_types=self.service_types,
        )

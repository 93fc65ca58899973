"""Where a schedule differs from its weekly rules: closed, replaced and extra hours."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

from scheduling.domain.errors import InvalidInput
from scheduling.domain.identifiers import ScheduleExceptionId, ScheduleId, new_id
from scheduling.domain.period import Period, day_in
from scheduling.domain.schedule import Hours, Schedule

LONGEST_EXCEPTION = timedelta(days=366)


class ExceptionKind(StrEnum):
    CLOSED = "closed"
    REPLACE = "replace"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """What is different on one local date, or for an exact period.

    A date means what belongs to it: the hours that start on it, with what of them lies
    past midnight. The morning of the night before is left alone. `period` is the exact
    one, or that date in the schedule's zone.

    - `closed`: nothing can be booked; where it names service types, only what serves
      no others. It wins over replaced and extra hours, whichever was said first.
    - `replace`: `windows` instead of the rules; without any the date is closed. Of
      several for one date the last one said stands.
    - `extra`: `windows` besides what there is.
    """

    kind: ExceptionKind
    period: Period
    on_date: date | None = None
    windows: tuple[Hours, ...] = ()
    service_types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        closed = self.kind is ExceptionKind.CLOSED
        if not closed and self.on_date is None:
            raise InvalidInput("only closed time has a start and an end", "date")
        if closed and self.windows:
            raise InvalidInput("closed time has no windows", "windows")
        if self.kind is ExceptionKind.EXTRA and not self.windows:
            raise InvalidInput("extra hours take a window", "windows")
        if not closed and self.service_types:
            raise InvalidInput("windows name their own service types", "serviceTypes")
        if self.period.length > LONGEST_EXCEPTION:
            raise InvalidInput("an exception is 366 days long at the most", "end")

    def spares(self, service_types: Collection[str]) -> bool:
        """Whether closed time leaves what serves these; who names none serves any."""
        if not self.service_types:
            return False
        return not service_types or not set(service_types) <= set(self.service_types)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleException(Deviation):
    """`reason` is free text: shown to who may read schedules, and to no log."""

    id: ScheduleExceptionId
    schedule_id: ScheduleId
    reason: str | None = field(default=None, repr=False)
    created_at: datetime

    @classmethod
    def added(
        cls,
        schedule: Schedule,
        *,
        kind: ExceptionKind,
        on_date: date | None = None,
        period: Period | None = None,
        windows: tuple[Hours, ...] = (),
        service_types: tuple[str, ...] = (),
        reason: str | None = None,
        now: datetime,
    ) -> Self:
        return cls(
            id=ScheduleExceptionId(new_id(now)),
            schedule_id=schedule.id,
            kind=kind,
            period=when(schedule.timezone, on_date, period),
            on_date=on_date,
            windows=windows,
            service_types=service_types,
            reason=reason,
            created_at=now,
        )


def when(timezone: str, on_date: date | None, period: Period | None) -> Period:
    """Return what was said as a date or as a period; raise InvalidInput for neither,
    for both, and for a date that the zone skipped.
    """
    if on_date is not None and period is None:
        return day_in(timezone, on_date)
    if period is not None and on_date is None:
        return period.in_utc()
    raise InvalidInput("either a date, or a start and an end", "date")

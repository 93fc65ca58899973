from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.appointment_lists import (
    CalendarDay,
    CalendarFilter,
    Whose,
)
from scheduling.application.ports.audit import AuditClient, asked_for
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Scope, StaffOnly
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.zone_asked_for import zone_asked_for
from scheduling.domain.local_days import LocalDays, Span

LONGEST_CALENDAR = 31
"""Days."""


@dataclass(frozen=True, slots=True)
class CalendarView:
    asked: LocalDays
    days: Sequence[CalendarDay]


@dataclass(frozen=True, slots=True)
class GetCalendarView:
    """Show staff who is with whom, and what is free, by local day."""

    begin: BeginWork
    now: Clock
    audit: AuditClient

    async def __call__(
        self,
        caller: Caller,
        span: Span,
        whose: Whose,
        *,
        timezone: str | None,
        include_cancelled: bool,
    ) -> CalendarView:
        if caller.patient_id is not None:
            raise StaffOnly(Scope.READ)
        span.demand_days(LONGEST_CALENDAR)
        async with self.begin(caller) as work:
            days = span.in_zone(await zone_asked_for(work, timezone, whose))
            wanted = CalendarFilter(
                days=days,
                whose=whose,
                now=self.now(),
                include_cancelled=include_cancelled,
            )
            found = await work.calendar.read(wanted)
        about = asked_for(
            caller, practitioner=whose.practitioner, location=whose.location
        )
        await self.audit.record(caller, "calendar.read", about)
        return CalendarView(days, found)

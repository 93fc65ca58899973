from dataclasses import dataclass

from scheduling.application.ports.appointment_lists import StatisticsFilter, Whose
from scheduling.application.ports.identity import Caller, Scope, StaffOnly
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.zone_asked_for import zone_asked_for
from scheduling.domain.local_days import LocalDays, Span
from scheduling.domain.statistics import Statistics

LONGEST_STATISTICS = 366
"""Days."""


@dataclass(frozen=True, slots=True)
class GetStatistics:
    """Count what became of the appointments of a period. Nobody's data are in it."""

    begin: BeginWork

    async def __call__(
        self, caller: Caller, span: Span, whose: Whose, *, timezone: str | None
    ) -> tuple[LocalDays, Statistics]:
        if caller.patient_id is not None:
            raise StaffOnly(Scope.READ)
        span.demand_days(LONGEST_STATISTICS)
        async with self.begin(caller) as work:
            days = span.in_zone(await zone_asked_for(work, timezone, whose))
            wanted = StatisticsFilter(days=days, whose=whose)
            counted = await work.statistics.count(wanted)
        return days, counted

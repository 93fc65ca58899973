from collections.abc import Sequence
from dataclasses import dataclass, replace

from scheduling.application.ports.availability import (
    Candidate,
    First,
    ReadSettings,
    SlotFilter,
)
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.offers import admitted, demand_own_patient
from scheduling.application.steps.period_asked_for import period_asked_for
from scheduling.domain.local_days import Span

LONGEST_SEARCH = 62
"""Days."""


@dataclass(frozen=True, slots=True)
class AvailableSlots:
    """`last` is where another page begins; None where there is none."""

    items: Sequence[Candidate]
    last: Candidate | None


@dataclass(frozen=True, slots=True)
class SearchAvailableSlots:
    """Show the slots that booking would accept at this moment, by start."""

    begin: BeginWork
    settings: ReadSettings
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        wanted: SlotFilter,
        span: Span,
        page: First,
        *,
        timezone: str | None = None,
    ) -> AvailableSlots:
        span.demand_days(LONGEST_SEARCH)
        demand_own_patient(caller, wanted.patient_id)
        settings, now = await self.settings(caller), self.now()
        async with self.begin(caller) as work:
            found = await work.availability.offered(
                wanted,
                await period_asked_for(work, span, timezone, wanted.whose),
                replace(page, limit=page.limit + 1),
                settings=settings,
                now=now,
            )
        last = found[page.limit - 1] if len(found) > page.limit else None
        return AvailableSlots(admitted(found[: page.limit], settings, now), last)

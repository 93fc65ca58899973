from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from scheduling.application.ports.appointment_lists import Whose
from scheduling.application.ports.availability import (
    First,
    OwnDays,
    Owner,
    ReadSettings,
    SlotInList,
    SlotList,
)
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork, UnitOfWork
from scheduling.application.steps.period_asked_for import period_asked_for
from scheduling.domain.identifiers import LocationId
from scheduling.domain.local_days import Span
from scheduling.domain.period import Period

LONGEST_SLOT_LIST = 62
"""Days."""


@dataclass(frozen=True, slots=True)
class ListedSlots:
    """`last` is where another page begins; None where there is none."""

    items: Sequence[SlotInList]
    last: SlotInList | None


@dataclass(frozen=True, slots=True)
class ListSlots:
    """Show all slots of a practitioner, or at a location, and which of them can be had.

    Days are those of the zone that is named; else of the location, and for a
    practitioner, who may work in several zones, of each slot's own clinic.
    """

    begin: BeginWork
    settings: ReadSettings
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        owner: Owner,
        id: UUID,
        span: Span,
        page: First,
        *,
        timezone: str | None = None,
    ) -> ListedSlots:
        span.demand_days(LONGEST_SLOT_LIST)
        settings, now = await self.settings(caller), self.now()
        async with self.begin(caller) as work:
            when = await _when(work, owner, id, span, timezone)
            found = await work.availability.slots(
                SlotList(owner=owner, id=id, when=when),
                replace(page, limit=page.limit + 1),
                settings=settings,
                now=now,
            )
        last = found[page.limit - 1] if len(found) > page.limit else None
        return ListedSlots(found[: page.limit], last)


async def _when(
    work: UnitOfWork, owner: Owner, id: UUID, span: Span, timezone: str | None
) -> Period | OwnDays:
    by_day = not isinstance(span.start, datetime)
    if owner == "practitioner" and by_day and timezone is None:
        return OwnDays(span.start, span.end)
    where = Whose(location_ids=(LocationId(id),) if owner == "location" else ())
    return await period_asked_for(work, span, timezone, where)

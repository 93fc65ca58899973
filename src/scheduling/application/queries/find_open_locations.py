from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from scheduling.application.ports.availability import (
    First,
    OpenLocation,
    ReadSettings,
    SlotFilter,
)
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork


@dataclass(frozen=True, slots=True)
class OpenLocations:
    """`last` is where another page begins; None where there is none."""

    items: Sequence[OpenLocation]
    last: OpenLocation | None


@dataclass(frozen=True, slots=True)
class FindOpenLocations:
    """Show at which locations something can be had on a day, as it is counted there."""

    begin: BeginWork
    settings: ReadSettings
    now: Clock

    async def __call__(
        self, caller: Caller, day: date, wanted: SlotFilter, page: First
    ) -> OpenLocations:
        settings, now = await self.settings(caller), self.now()
        async with self.begin(caller) as work:
            found = await work.availability.open_locations(
                day,
                wanted,
                replace(page, limit=page.limit + 1),
                settings=settings,
                now=now,
            )
        last = found[page.limit - 1] if len(found) > page.limit else None
        return OpenLocations(found[: page.limit], last)

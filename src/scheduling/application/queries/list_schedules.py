from collections.abc import Sequence
from dataclasses import dataclass, replace

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.schedule_lists import ScheduleFilter
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Schedules:
    """`more`: there are further ones behind the last."""

    items: Sequence[Schedule]
    more: bool


@dataclass(frozen=True, slots=True)
class ListSchedules:
    """Show bookable calendars: of a practitioner or location if one is named."""

    begin: BeginWork

    async def __call__(self, caller: Caller, wanted: ScheduleFilter) -> Schedules:
        asked = replace(wanted, limit=wanted.limit + 1)
        async with self.begin(caller) as work:
            found = await work.schedule_lists.schedules(asked)
        page = found[: wanted.limit]
        return Schedules(page, more=len(found) > len(page))

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.schedule_lists import ScheduleSlotFilter
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import InvalidInput
from scheduling.domain.slot import Slot

LONGEST_LIST = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class ScheduleSlots:
    """`more`: there are further ones behind the last."""

    items: Sequence[Slot]
    more: bool


@dataclass(frozen=True, slots=True)
class ListScheduleSlots:
    """Show the slots of a schedule as they are, whether or not they can be booked."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, wanted: ScheduleSlotFilter
    ) -> ScheduleSlots:
        if wanted.period.length > LONGEST_LIST:
            raise InvalidInput(f"a list spans {LONGEST_LIST.days} days at most", "to")
        async with self.begin(caller) as work:
            found = await work.schedule_lists.slots(
                replace(wanted, limit=wanted.limit + 1), self.now()
            )
            if not found:
                await work.schedules.get(wanted.schedule_id)
        page = found[: wanted.limit]
        return ScheduleSlots(page, more=len(found) > len(page))

from collections.abc import AsyncIterator
from dataclasses import dataclass

from scheduling.application.ports.almanac import Almanac
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.generate_slots import generate_slots
from scheduling.domain.generation import Generation, Trigger
from scheduling.domain.identifiers import ScheduleId
from scheduling.domain.period import local_day

_A_PAGE = 500


@dataclass(frozen=True, slots=True)
class RolledForward:
    """One of `total` calendars is done, the `number`th."""

    run: Generation
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class RollHorizonForward:
    """Give every calendar of an organisation the day that has come into its horizon.

    Each is a transaction by itself, and is done once on a day of its own zone: who was
    killed half-way begins again, and passes over what is done.
    """

    begin: BeginWork
    now: Clock
    almanac: Almanac

    async def __call__(self, caller: Caller) -> AsyncIterator[RolledForward]:
        number, after = 0, None
        while True:
            async with self.begin(caller) as work:
                total = await work.generation.count_calendars()
                ids = await work.generation.calendars(after, _A_PAGE)
            for id in ids:
                number += 1
                yield RolledForward(await self._roll(caller, id), number, total)
            if len(ids) < _A_PAGE:
                return
            after = ids[-1]

    async def _roll(self, caller: Caller, id: ScheduleId) -> Generation:
        async with self.begin(caller) as work:
            schedule = await work.schedules.get(id)
            today = local_day(self.now(), schedule.timezone)
            run = await generate_slots(
                work,
                id,
                almanac=self.almanac,
                trigger=Trigger.ROLL_FORWARD,
                source_event_id=f"roll-forward:{today}:{id}",
                now=self.now,
            )
        if run is None:
            raise RuntimeError("only news of a role is ever stale")
        return run

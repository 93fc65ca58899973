from collections.abc import AsyncGenerator
from dataclasses import dataclass

from scheduling.application.ports.almanac import Almanac
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unavailable import Unavailable
from scheduling.application.ports.unit_of_work import BeginWork, StorageError
from scheduling.application.steps.generate_slots import generate_slots
from scheduling.domain.generation import Generation, Trigger
from scheduling.domain.identifiers import ScheduleId
from scheduling.domain.period import local_day

ATTEMPTS = 3
_A_PAGE = 500


@dataclass(frozen=True, slots=True)
class RolledForward:
    """One of `total` calendars is done, the `number`th; or it has failed, which is no
    matter to the others.
    """

    schedule_id: ScheduleId
    run: Generation | None
    failure: Exception | None
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class RollHorizonForward:
    """Give every calendar of an organisation the day that has come into its horizon.

    Each is a transaction by itself, and is done once on a day of its own zone: who was
    killed half-way begins again, and passes over what is done. While storage is away
    nothing is tried.
    """

    begin: BeginWork
    now: Clock
    almanac: Almanac

    async def __call__(self, caller: Caller) -> AsyncGenerator[RolledForward, None]:
        number, after = 0, None
        while True:
            async with self.begin(caller) as work:
                total = await work.generation.count_calendars()
                ids = await work.generation.calendars(after, _A_PAGE)
            for id in ids:
                number += 1
                run, failure = await self._tried(caller, id)
                yield RolledForward(id, run, failure, number, total)
            if len(ids) < _A_PAGE:
                return
            after = ids[-1]

    async def _tried(
        self, caller: Caller, id: ScheduleId
    ) -> tuple[Generation | None, Exception | None]:
        for attempt in range(ATTEMPTS):
            try:
                return await self._roll(caller, id), None
            except Unavailable:
                raise
            except Exception as failure:  # noqa: BLE001  # told with the calendar
                if attempt + 1 == ATTEMPTS or not isinstance(failure, StorageError):
                    return None, failure
        raise ValueError("there is at least one attempt")

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

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from scheduling.application.ports.appointment_lists import AppointmentFilter, Page
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.one_by_one import together_or_one_by_one
from scheduling.application.steps.take_a_step import keep_or_release_all
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.no_show import EXPECTED, given_up, missed

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class MarkNoShows:
    """Say of visits that nobody came, once the grace after their start is over.

    What is left of their time is told to who waits for such a time, as by a cancel.
    """

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller, *, beyond: int = 0) -> int:
        """Do some of them, the earliest first; return how many were done. Raise
        SomeLeft where some could not be; who asks again looks `beyond` them.
        """
        async with self.begin(caller) as work:
            now, settings = self.now(), await work.settings.get()
            wanted = AppointmentFilter(
                now=now, period=given_up(settings, now), statuses=EXPECTED
            )
            seen = await work.appointment_lists.page(
                wanted, Page(limit=AT_ONCE + beyond)
            )
        ids = [one.id for one in seen.items]
        return await together_or_one_by_one(ids, partial(self._mark, caller))

    async def _mark(self, caller: Caller, ids: Sequence[AppointmentId]) -> int:
        async with self.begin(caller) as work:
            now, settings = self.now(), await work.settings.get()
            # Who arrived, or was moved, between the look and the lock has come.
            steps = [
                (after, slots)
                for one, slots in await work.appointments.all_with_slots(ids)
                if (after := missed(one, settings, now=now)) is not None
            ]
            await keep_or_release_all(work, steps, now=now)
        return len(steps)

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.one_by_one import together_or_one_by_one
from scheduling.application.steps.take_a_step import keep_or_release_all
from scheduling.domain.identifiers import AppointmentId

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ExpireHolds:
    """Tell of holds of an organisation that have run out and whose time nobody has
    needed since: once for each, and to those who wait for such a time. They are free
    without that.
    """

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller, *, beyond: int = 0) -> int:
        """Return how many of them there were, AT_ONCE at the most: ask again. Raise
        SomeLeft where some could not be told of; who asks again looks `beyond` them.
        """
        async with self.begin(caller) as work:
            ids = await work.appointments.run_out(self.now(), limit=AT_ONCE + beyond)
        return await together_or_one_by_one(ids, partial(self._end, caller))

    async def _end(self, caller: Caller, ids: Sequence[AppointmentId]) -> int:
        async with self.begin(caller) as work:
            now, found = self.now(), await work.appointments.all_with_slots(ids)
            gone = [
                (lapsed, slots) for hold, slots in found if (lapsed := hold.lapsed(now))
            ]
            await keep_or_release_all(work, gone, now=now)
        return len(gone)

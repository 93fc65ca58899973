from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.take_a_step import keep_or_release_all

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ExpireHolds:
    """Tell of holds of an organisation that have run out and whose time nobody has
    needed since: once for each, and to those who wait for such a time. They are free
    without that.
    """

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller) -> int:
        """Return how many of them there were, AT_ONCE at the most: ask again."""
        async with self.begin(caller) as work:
            now = self.now()
            found = await work.appointments.run_out(now, limit=AT_ONCE)
            gone = [
                (lapsed, slots) for hold, slots in found if (lapsed := hold.lapsed(now))
            ]
            await keep_or_release_all(work, gone, now=now)
        return len(gone)

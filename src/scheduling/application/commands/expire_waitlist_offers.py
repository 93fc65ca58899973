from dataclasses import dataclass
from functools import partial

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.one_by_one import one_by_one
from scheduling.application.steps.settle_offer import settle_offer
from scheduling.domain.identifiers import WaitlistEntryId

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ExpireWaitlistOffers:
    """End the offers of an organisation that nobody has answered in time, and ask the
    next ones. Offers whose hold went another way end as it did.

    Each is a transaction of its own, and one that fails keeps no other from it. One
    that somebody else answers at this moment is theirs.
    """

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller, *, beyond: int = 0) -> int:
        """Return how many ended, AT_ONCE at the most: ask again. Raise SomeLeft where
        some could not be ended; who asks again looks `beyond` them.
        """
        async with self.begin(caller) as work:
            ids = await work.waitlist.offers_over(self.now(), limit=AT_ONCE + beyond)
        return await one_by_one(ids, partial(self._end, caller))

    async def _end(self, caller: Caller, id: WaitlistEntryId) -> int:
        async with self.begin(caller) as work:
            entry = await work.waitlist.get(id)
            return await settle_offer(work, entry, now=self.now())

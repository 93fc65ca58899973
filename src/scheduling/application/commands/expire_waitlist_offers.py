from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unavailable import Unavailable
from scheduling.application.ports.unit_of_work import BeginWork, StorageError
from scheduling.application.steps.settle_offer import settle_offer
from scheduling.domain.identifiers import WaitlistEntryId

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ExpireWaitlistOffers:
    """End the offers of an organisation that nobody has answered in time, and ask the
    next ones. Offers whose hold went another way end as it did.

    Each is a transaction of its own, and one that fails keeps no other from it. One
    that somebody else answers at this moment is left to them, or to the next time.
    """

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller) -> int:
        """Return how many ended, AT_ONCE at the most: ask again."""
        async with self.begin(caller) as work:
            ids = await work.waitlist.offers_over(self.now(), limit=AT_ONCE)
        done, failed = 0, list[Exception]()
        for id in ids:
            try:
                done += await self._end(caller, id)
            except StorageError:
                continue
            except Unavailable:
                raise
            except Exception as defect:  # noqa: BLE001  # told, after the others
                failed.append(defect)
        if failed:
            raise failed[0]
        return done

    async def _end(self, caller: Caller, id: WaitlistEntryId) -> bool:
        async with self.begin(caller) as work:
            entry = await work.waitlist.get(id)
            return await settle_offer(work, entry, now=self.now())

"""How an event that was committed gets to the broker.

One rule carries the whole: **nobody sends an event before every earlier one of its
aggregate is in the stream.** With the broker's duplicate window it holds for any number
of relays, even for two that work on one partition because the first has not noticed yet
that its session is gone: whoever is second meets a duplicate, never a gap.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scheduling.application.ports.messaging import (
    AggregateKey,
    BatchRefused,
    EventPublisher,
    Outbox,
    RefusedForGood,
    RelayJournal,
    WaitingEvent,
)

BATCH = 1000
"""Events in one atomic batch at the most: JetStream takes no more."""

FEW = 8
"""Up to here single messages are stored sooner than a batch (0.5 for 2.4 ms)."""


@dataclass(frozen=True, slots=True)
class RelayOutbox:
    """Claim what waits, publish it, mark it; no transaction is open meanwhile."""

    outbox: Outbox
    publisher: EventPublisher
    journal: RelayJournal
    few: int = FEW

    async def __call__(self, limit: int = BATCH) -> int:
        """Return how many events were found."""
        async with self.outbox.claim(limit) as events:
            remaining: Sequence[WaitingEvent] = events
            while remaining:
                remaining = await self._send(remaining)
        return len(events)

    async def _send(self, events: Sequence[WaitingEvent]) -> Sequence[WaitingEvent]:
        """Return what is left to be sent."""
        if len(events) <= self.few:
            await self._send_in_chains(events)
            return ()
        try:
            await self.publisher.publish_together(events)
        except BatchRefused:
            await self._send_in_chains(events)
        except RefusedForGood as refused:
            return await self._set_aside(events, refused)
        else:
            await self._mark(events)
        return ()

    async def _set_aside(
        self, events: Sequence[WaitingEvent], refused: RefusedForGood
    ) -> Sequence[WaitingEvent]:
        """Block what cannot go, and keep back what comes after it."""
        held: set[AggregateKey] = set()
        others: list[WaitingEvent] = []
        for event in events:
            if event.aggregate in held:
                continue
            if event.event_id in refused.reasons:
                held.add(event.aggregate)
                await self._block(event, refused.reasons[event.event_id])
            else:
                others.append(event)
        return others

    async def _send_in_chains(self, events: Sequence[WaitingEvent]) -> None:
        """One by one, with one in flight per aggregate; duplicates do no harm here."""
        stored: list[WaitingEvent] = []
        outcomes = await asyncio.gather(
            *(self._send_chain(chain, stored) for chain in _by_aggregate(events)),
            return_exceptions=True,
        )
        await self._mark(stored)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def _send_chain(
        self, chain: Iterable[WaitingEvent], stored: list[WaitingEvent]
    ) -> None:
        for event in chain:
            try:
                await self.publisher.publish(event)
            except RefusedForGood as refused:
                await self._block(event, refused.reasons[event.event_id])
                return
            stored.append(event)

    async def _mark(self, events: Sequence[WaitingEvent]) -> None:
        if events:
            await self.outbox.mark_published(events)
            self.journal.published(events)

    async def _block(self, event: WaitingEvent, reason: str) -> None:
        await self.outbox.block(event, reason)
        self.journal.blocked(event, reason)


def _by_aggregate(events: Iterable[WaitingEvent]) -> Iterable[list[WaitingEvent]]:
    chains: dict[AggregateKey, list[WaitingEvent]] = {}
    for event in events:
        chains.setdefault(event.aggregate, []).append(event)
    return chains.values()

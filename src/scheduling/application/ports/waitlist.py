"""What use cases ask of the waitlist, within one transaction and one tenant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from scheduling.domain.events import WaitlistSlotAvailable
from scheduling.domain.freed_time import (
    FreeTime,
    WaitlistFacts,
)
from scheduling.domain.identifiers import PatientId, WaitlistEntryId
from scheduling.domain.waitlist import (
    Known,
    WaitlistEntry,
    WaitlistStatus,
    Wish,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistFilter:
    """Which entries are asked for; `after` is the last one of the page before."""

    status: WaitlistStatus | None = None
    patient_id: PatientId | None = None
    after: tuple[datetime, WaitlistEntryId] | None = None
    limit: int = 200


class NamedEntry(NamedTuple):
    """An entry with what is offered to it, and its patient's name."""

    entry: WaitlistEntry
    patient_name: str


class WaitlistRepository(Protocol):
    async def get(self, id: WaitlistEntryId) -> WaitlistEntry:
        """Return it with what is offered to it, also where that has run out.

        Raise WaitlistEntryNotFound where there is none.
        """

    async def page(self, wanted: WaitlistFilter) -> Sequence[NamedEntry]:
        """Return up to `limit` entries, by when they were added and id."""

    async def named(self, ids: Sequence[WaitlistEntryId]) -> Sequence[NamedEntry]:
        """Return those of them that are there, in their order, in one reading."""

    async def waiting(self, id: PatientId) -> Sequence[WaitlistEntry]:
        """Return all of a patient's that still wait, with what is offered to each."""

    async def known(self, wish: Wish) -> Known:
        """Return who of those that the wish names is there, in one reading."""

    async def askable(
        self, source_event_id: str, ids: Sequence[WaitlistEntryId]
    ) -> Sequence[WaitlistEntry]:
        """Return those of them, in their order, who wait and to whom nothing is offered
        now; without those whose patient was asked of that freed time before.
        """

    async def offers_over(
        self, now: datetime, *, limit: int
    ) -> Sequence[WaitlistEntryId]:
        """Return entries with an offer that has run out by `now`, the longest ago
        first, or whose hold is none any more.
        """

    def save(self, entry: WaitlistEntry) -> None:
        """Store the next version, with what is offered to it. That somebody else did so
        first surfaces when the transaction is left: OptimisticLockConflict inside a
        DecisionOutdated.
        """

    async def candidates(
        self, freed: Sequence[FreeTime], now: datetime
    ) -> Sequence[WaitlistFacts]:
        """Return for each of them in which something is free what is known of it and
        the best who wait for it, all in one reading.

        What those who give their time back held themselves counts for nothing. Of those
        who wait there are up to MOST_CANDIDATES, by rank. Whom storage can
        tell not to suit is left out before that: another place, window or service
        type, an inactive patient, one with other claims then.
        """

    def announce(self, event: WaitlistSlotAvailable) -> None:
        """Tell it with what else the transaction does."""

"""What has been published, read back by whoever wants to keep up with it."""

import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol
from uuid import UUID

from scheduling.application.ports.unavailable import Unavailable
from scheduling.domain.identifiers import TenantId

_WRITTEN = re.compile(r"([0-9a-f]{1,16})-(0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Position:
    """How far somebody has come: all up to `sequence` of that feed is known to them.

    `feed` tells a feed from the one that was there before: numbers begin anew when a
    broker's storage does.
    """

    feed: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.feed:x}-{self.sequence}"

    @classmethod
    def read(cls, written: str) -> "Position":
        """Raise ValueError for what is none of ours."""
        found = _WRITTEN.fullmatch(written)
        if found is None:
            raise ValueError("not a position")
        return cls(int(found[1], 16), int(found[2]))


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Empty: all. Else what happens at one of the locations, to one of the
    practitioners; what names neither is left out.

    An appointment that was moved happens where it was and where it is.
    """

    location_ids: frozenset[UUID] = frozenset()
    practitioner_ids: frozenset[UUID] = frozenset()


class Happening(NamedTuple):
    """One event; `body` is the CloudEvent, byte for byte."""

    position: Position
    type: str
    body: bytes


class FeedUnavailable(Unavailable):
    """The broker is away, or was never named. Bookings do not need it."""

    retry_after: ClassVar[int] = 5


class Following(Protocol):
    """One follower's place in the feed."""

    @property
    def is_whole(self) -> bool:
        """False where what came after the given position is not all kept any more:
        then it begins at the end of the feed.
        """

    @property
    def position(self) -> Position:
        """Where to go on later; moves with events that the filter leaves out, too."""

    async def more(self, within: float) -> Sequence[Happening]:
        """Return what came next, in order; nothing, if it took more than `within`
        seconds or was left out.

        Nothing more is taken from the broker until this is asked again. Raise
        FeedUnavailable where the feed broke: follow it anew from `position`.
        """


class EventFeed(Protocol):
    def follow(
        self, tenant_id: TenantId, wanted: EventFilter, *, after: Position | None
    ) -> AbstractAsyncContextManager[Following]:
        """Follow a tenant's events, those after a position or (None) from now on.

        Raise FeedUnavailable.
        """

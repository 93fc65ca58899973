"""The feed of published events in memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from scheduling.adapters.cloud_events.outgoing import concerns
from scheduling.application.ports.event_feed import (
    EventFeed,
    EventFilter,
    FeedUnavailable,
    Following,
    Happening,
    Position,
)
from scheduling.domain.identifiers import TenantId


class MemoryFeed(EventFeed):
    def __init__(self) -> None:
        self.kept: list[tuple[UUID, Happening]] = []
        self.end = Position(1, 0)
        self.is_away = False
        self.followers = 0
        self.asked = 0
        self._news = asyncio.Condition()

    async def publish(self, tenant_id: UUID, type: str, body: bytes) -> Position:
        self.end = Position(self.end.feed, self.end.sequence + 1)
        self.kept.append((tenant_id, Happening(self.end, type, body)))
        await self._tell()
        return self.end

    async def forget(self) -> None:
        self.kept.clear()

    async def begin_anew(self) -> None:
        self.kept.clear()
        self.end = Position(self.end.feed + 1, 0)

    async def go_away(self) -> None:
        self.is_away = True
        await self._tell()

    @asynccontextmanager
    async def follow(
        self, tenant_id: TenantId, wanted: EventFilter, *, after: Position | None
    ) -> AsyncIterator[Following]:
        if self.is_away:
            raise FeedUnavailable("away")
        first = self.end.sequence - len(self.kept) + 1
        is_whole = after is None or (
            after.feed == self.end.feed
            and first <= after.sequence + 1 <= self.end.sequence + 1
        )
        start = after if after is not None and is_whole else self.end
        self.followers += 1
        try:
            yield _MemoryFollowing(self, tenant_id, wanted, start, is_whole=is_whole)
        finally:
            self.followers -= 1

    def after(self, position: Position, tenant_id: UUID) -> list[Happening]:
        return [
            one
            for whose, one in self.kept
            if whose == tenant_id and one.position.sequence > position.sequence
        ]

    async def changed(self) -> None:
        async with self._news:
            await self._news.wait()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


class _MemoryFollowing(Following):
    def __init__(
        self,
        feed: MemoryFeed,
        tenant_id: UUID,
        wanted: EventFilter,
        start: Position,
        *,
        is_whole: bool,
    ) -> None:
        self._feed = feed
        self._tenant_id = tenant_id
        self._wanted = wanted
        self._is_whole = is_whole
        self._position = start if feed.after(start, tenant_id) else feed.end

    @property
    def is_whole(self) -> bool:
        return self._is_whole

    @property
    def position(self) -> Position:
        return self._position

    async def more(self, within: float) -> Sequence[Happening]:
        self._feed.asked += 1
        try:
            async with asyncio.timeout(within):
                while not (came := self._feed.after(self._position, self._tenant_id)):
                    if self._feed.is_away:
                        raise FeedUnavailable("away")
                    await self._feed.changed()
        except TimeoutError:
            return []
        self._position = came[-1].position
        return [
            one
            for one in came
            if concerns(
                one.body,
                location_ids=self._wanted.location_ids,
                practitioner_ids=self._wanted.practitioner_ids,
            )
        ]

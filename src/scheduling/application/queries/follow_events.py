from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from scheduling.application.ports.audit import AuditClient, Entity, asked_for
from scheduling.application.ports.event_feed import (
    EventFeed,
    EventFilter,
    Following,
    Position,
)
from scheduling.application.ports.identity import Caller, Scope, StaffOnly


@dataclass(frozen=True, slots=True)
class FollowEvents:
    """Events name patients: each following is taken down as a read of them, and a
    patient's own token may not follow them at all.
    """

    feed: EventFeed
    audit: AuditClient

    def __call__(
        self, caller: Caller, wanted: EventFilter, *, after: Position | None
    ) -> AbstractAsyncContextManager[Following]:
        if caller.patient_id is not None:
            raise StaffOnly(Scope.READ)
        return self._follow(caller, wanted, after)

    @asynccontextmanager
    async def _follow(
        self, caller: Caller, wanted: EventFilter, after: Position | None
    ) -> AsyncIterator[Following]:
        async with self.feed.follow(caller.tenant_id, wanted, after=after) as following:
            await self.audit.record(caller, "events.follow", _about(caller, wanted))
            yield following


def _about(caller: Caller, wanted: EventFilter) -> Entity:
    return asked_for(
        caller,
        practitioner=_only(wanted.practitioner_ids),
        location=_only(wanted.location_ids),
    )


def _only(ids: frozenset[UUID]) -> UUID | None:
    return next(iter(ids)) if len(ids) == 1 else None

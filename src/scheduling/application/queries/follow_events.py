from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from scheduling.application.ports.event_feed import (
    EventFeed,
    EventFilter,
    Following,
    Position,
)
from scheduling.application.ports.identity import Caller, Scope, StaffOnly


@dataclass(frozen=True, slots=True)
class FollowEvents:
    """Events name patients, so that a patient's own token may not follow them."""

    feed: EventFeed

    def __call__(
        self, caller: Caller, wanted: EventFilter, *, after: Position | None
    ) -> AbstractAsyncContextManager[Following]:
        if caller.patient_id is not None:
            raise StaffOnly(Scope.READ)
        return self.feed.follow(caller.tenant_id, wanted, after=after)

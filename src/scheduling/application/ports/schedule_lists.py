"""What is asked of many schedules, or of many slots of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from scheduling.domain.identifiers import ScheduleId, SlotId
from scheduling.domain.period import Period
from scheduling.domain.schedule import Schedule
from scheduling.domain.slot import Slot, SlotStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleFilter:
    """Schedules of a practitioner or at a location, or all of them; `after` is the last
    one of the page before.
    """

    actor_id: UUID | None = None
    after: ScheduleId | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSlotFilter:
    """Slots of a schedule that start in the period; `after` is the last one of the page
    before.
    """

    schedule_id: ScheduleId
    period: Period
    status: SlotStatus | None = None
    after: tuple[datetime, SlotId] | None = None
    limit: int = 200


class SlotAsItIs(NamedTuple):
    """A slot without the seats of holds that have run out; `lapsed`: how many of those
    are still to be swept, which will give the slot its next version.
    """

    slot: Slot
    lapsed: int


class ScheduleLists(Protocol):
    async def schedules(self, wanted: ScheduleFilter) -> Sequence[Schedule]:
        """Return up to `limit` of them by id, in one reading."""

    async def slots(self, wanted: ScheduleSlotFilter, now: datetime) -> Sequence[Slot]:
        """Return up to `limit` of them by start and id, in one reading; none of a
        schedule that is not there. Seats of holds that have run out by `now` are free.
        """

    async def slot(self, id: SlotId, now: datetime) -> SlotAsItIs:
        """Raise SlotNotFound where there is none."""

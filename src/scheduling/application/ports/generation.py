"""What slot generation asks of storage: a calendar's slots, many at a time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from scheduling.domain.directory import Location
from scheduling.domain.generation import Generation, Occupant
from scheduling.domain.identifiers import GenerationRunId, ScheduleId
from scheduling.domain.schedule import PractitionerRole, Schedule
from scheduling.domain.settings import Settings
from scheduling.domain.slot_difference import Difference, StoredSlot

RunPosition = tuple[datetime, GenerationRunId]
"""Where a page ended: the last one's start and id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarFacts:
    """What a calendar follows, as it is stored now. `followed` is the highest version
    of the role that a run has seen, `run` the one for the source event, if there was
    one.
    """

    role: PractitionerRole | None
    location: Location
    settings: Settings
    followed: int | None
    run: Generation | None

    def is_stale(self, role_version: int | None) -> bool:
        """Whether a newer version of the role than this was followed already."""
        return (
            role_version is not None
            and self.followed is not None
            and role_version < self.followed
        )


class OwnSlots(NamedTuple):
    """All slots of a calendar from an instant on: how many there are, and the digest of
    them as if they were desired; None where one of them is in any way different from
    what a run makes and leaves alone.
    """

    number: int
    digest: str | None


class GenerationRepository(Protocol):
    """The schedule is held by who writes here (`schedule_exceptions.hold`): nobody else
    makes slots of it meanwhile. Bookings go on beside it.
    """

    async def facts_for(
        self, schedule: Schedule, source_event_id: str
    ) -> CalendarFacts: ...

    async def own_slots(self, schedule: Schedule, since: datetime) -> OwnSlots:
        """Tell of the slots that start after an instant, without returning them."""

    async def slots(
        self,
        id: ScheduleId,
        since: datetime,
        until: datetime | None,
        limit: int | None = None,
    ) -> Sequence[StoredSlot]:
        """Return the first `limit` slots that start from `since` on and before `until`,
        by start and id.
        """

    async def in_progress(self, id: ScheduleId, now: datetime) -> Sequence[StoredSlot]:
        """Return the slots that have begun and are not over, by start."""

    async def lock(self, slots: Collection[StoredSlot]) -> Sequence[StoredSlot]:
        """Return these as they are now, and keep them so until the transaction is left:
        whoever books one of them comes before or after. They are given by start.
        """

    async def occupants(
        self, schedule: Schedule, slots: Collection[StoredSlot]
    ) -> Sequence[Occupant]:
        """Return the appointments that take time in these slots, by start and id; also
        holds that have run out, and were not swept yet.
        """

    async def carry_out(
        self,
        schedule: Schedule,
        found: Difference,
        *,
        run_id: GenerationRunId,
        source_event_id: str,
        now: datetime,
    ) -> None:
        """Write it at once, in a constant number of statements: make, update, mark and
        delete. What it touches is locked, and as it was compared.
        """

    def add(self, run: Generation, schedule: Schedule) -> None:
        """Store a run, with its news and its audit record, when the transaction is
        left.
        """

    async def runs(
        self, id: ScheduleId, after: RunPosition | None, limit: int
    ) -> Sequence[Generation]:
        """Return up to `limit` runs of a schedule, the newest first."""

    async def calendars(
        self, after: ScheduleId | None, limit: int
    ) -> Sequence[ScheduleId]:
        """Return up to `limit` ids of schedules, by id."""

    async def count_calendars(self) -> int: ...

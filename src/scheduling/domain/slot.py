"""A half-open stretch of one schedule's time that can be booked."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from scheduling.domain.errors import InvalidInput, InvalidStatusTransition
from scheduling.domain.events import Event, SlotBlocked, SlotOpened
from scheduling.domain.identifiers import (
    LocationId,
    PractitionerId,
    ScheduleExceptionId,
    ScheduleId,
    SlotId,
    new_id,
)
from scheduling.domain.period import Period
from scheduling.domain.schedule import Schedule

LONGEST_SLOT = timedelta(hours=24)


class SlotStatus(StrEnum):
    """FHIR R4's value set `slotstatus`."""

    FREE = "free"
    BUSY = "busy"
    BUSY_TENTATIVE = "busy-tentative"
    BUSY_UNAVAILABLE = "busy-unavailable"
    ENTERED_IN_ERROR = "entered-in-error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """`booked` seats of `capacity` are taken; the database counts them.
    `obsolete_since`: no rule wants it any more; it stays for who is in it.
    """

    id: SlotId
    schedule_id: ScheduleId
    practitioner_id: PractitionerId
    location_id: LocationId
    period: Period
    timezone: str
    status: SlotStatus = SlotStatus.FREE
    capacity: int = 1
    booked: int = 0
    service_types: tuple[str, ...] = ()
    version: int = 1
    blocked_by: ScheduleExceptionId | None = None
    blocked_reason: str | None = None
    opened_by: ScheduleExceptionId | None = None
    obsolete_since: datetime | None = None
    events: tuple[Event, ...] = ()

    def __repr__(self) -> str:
        """Why it is blocked stays out of logs, also by accident."""
        return f"Slot(id={self.id!r}, version={self.version})"

    @classmethod
    def opened(
        cls,
        schedule: Schedule,
        period: Period,
        *,
        capacity: int,
        service_types: tuple[str, ...],
        id: SlotId | None = None,
        opened_by: ScheduleExceptionId | None = None,
        now: datetime,
    ) -> Self:
        if period.length > LONGEST_SLOT:
            raise InvalidInput("a slot is 24 hours long at the most", "end")
        if capacity < 1:
            raise InvalidInput("a slot has at least one seat", "capacity")
        slot = cls(
            id=id or SlotId(new_id(now)),
            schedule_id=schedule.id,
            practitioner_id=schedule.practitioner_id,
            location_id=schedule.location_id,
            period=period.in_utc(),
            timezone=schedule.timezone,
            capacity=capacity,
            service_types=service_types,
            opened_by=opened_by,
        )
        return slot.announced(now)

    @property
    def remaining(self) -> int:
        """Seats that can be had; never below none, also where capacity was lowered."""
        return max(0, self.capacity - self.booked) if self.is_open else 0

    @property
    def is_open(self) -> bool:
        """Whether seats are given at all: one that is blocked, or that no rule wants,
        is not taken by insisting.
        """
        return self.obsolete_since is None and self.gives_seats

    @property
    def gives_seats(self) -> bool:
        """Whether nobody and nothing blocks it."""
        return self.status in {SlotStatus.FREE, SlotStatus.BUSY}

    @property
    def shown_status(self) -> SlotStatus:
        """As all see it: what no rule wants is not free, though seats are left."""
        if self.obsolete_since is None or not self.gives_seats:
            return self.status
        left = self.booked < self.capacity
        return SlotStatus.BUSY_UNAVAILABLE if left else SlotStatus.BUSY

    def released(self, now: datetime, *, seats: int = 1) -> Self:
        """Give seats back. News only where the slot was full and is not any more: of
        two in an overbooked slot one may go, and it is as full as before.
        """
        booked = max(0, self.booked - seats)
        opens = self.status is SlotStatus.BUSY and booked < self.capacity
        freed = replace(
            self,
            booked=booked,
            version=self.version + 1,
            status=SlotStatus.FREE if opens else self.status,
        )
        if self.remaining > 0 or freed.remaining == 0:
            return freed
        return freed.announced(now)

    def blocked(
        self,
        *,
        by: ScheduleExceptionId | None = None,
        reason: str | None = None,
        now: datetime,
    ) -> Self:
        """Give no more seats; who has one keeps it. `by` is the exception that closes
        it, None is somebody's own decision.
        """
        if self.status in {SlotStatus.BUSY_UNAVAILABLE, SlotStatus.ENTERED_IN_ERROR}:
            raise InvalidStatusTransition(f"Slot {self.id} is {self.status} already.")
        blocked = replace(
            self,
            status=SlotStatus.BUSY_UNAVAILABLE,
            blocked_by=by,
            blocked_reason=reason,
            version=self.version + 1,
        )
        return blocked.told_blocked(now)

    def closed_as_made(
        self, closed_by: Sequence[ScheduleExceptionId], now: datetime
    ) -> Self:
        """Return a new slot as it is in closed time: closed from the start, which is
        then its first news.
        """
        if not closed_by:
            return self
        closed = replace(
            self, status=SlotStatus.BUSY_UNAVAILABLE, blocked_by=closed_by[0]
        )
        return closed.told_blocked(now)

    def unblocked(
        self, now: datetime, *, closed_by: Collection[ScheduleExceptionId] = ()
    ) -> Self:
        """Give seats again, unless exceptions close it. News only where one is left."""
        if self.status is not SlotStatus.BUSY_UNAVAILABLE:
            raise InvalidStatusTransition(f"Slot {self.id} is not blocked.")
        for id in closed_by:
            raise InvalidStatusTransition(f"Exception {id} closes slot {self.id}.")
        full = self.booked >= self.capacity
        opened = replace(
            self,
            status=SlotStatus.BUSY if full else SlotStatus.FREE,
            blocked_by=None,
            blocked_reason=None,
            version=self.version + 1,
        )
        return opened.announced(now) if opened.remaining else opened

    def blocked_instead(self, by: ScheduleExceptionId | None) -> Self:
        """Stay blocked, for another reason than the one that has gone: no news."""
        return replace(self, blocked_by=by, version=self.version + 1)

    def retired(self, now: datetime) -> Self:
        """Return what is told of a slot that goes: no seat of it is to be had."""
        return replace(self, version=self.version + 1).told_blocked(now)

    def told_blocked(self, now: datetime) -> Self:
        event = SlotBlocked(
            occurred_at=now,
            version=self.version,
            slot_id=self.id,
            schedule_id=self.schedule_id,
            practitioner_id=self.practitioner_id,
            location_id=self.location_id,
            period=self.period,
            timezone=self.timezone,
            remaining=0,
            exception_id=self.blocked_by,
        )
        return replace(self, events=(event,))

    def announced(self, now: datetime) -> Self:
        event = SlotOpened(
            occurred_at=now,
            version=self.version,
            slot_id=self.id,
            schedule_id=self.schedule_id,
            practitioner_id=self.practitioner_id,
            location_id=self.location_id,
            period=self.period,
            timezone=self.timezone,
            remaining=self.remaining,
        )
        return replace(self, events=(event,))


def released_together(
    held: Iterable[Iterable[Slot]], now: datetime
) -> tuple[Slot, ...]:
    """Return the next versions of the slots that several hold and leave at once."""
    slots: dict[SlotId, Slot] = {}
    seats: Counter[SlotId] = Counter()
    for of_one in held:
        for slot in of_one:
            slots[slot.id] = slot
            seats[slot.id] += 1
    return tuple(slot.released(now, seats=seats[id]) for id, slot in slots.items())

"""Slots in memory, and what others ask of them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from scheduling.application.ports.repositories import (
    SlotRepository,
)
from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.domain.appointment import Appointment
from scheduling.domain.availability import Assignment
from scheduling.domain.changes import changes_between
from scheduling.domain.claim import (
    Claim,
)
from scheduling.domain.errors import (
    InvalidInput,
    OptimisticLockConflict,
    SlotNotFound,
)
from scheduling.domain.identifiers import (
    AppointmentId,
    SlotId,
)
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot
from scheduling.domain.status import Status
from tests.fakes.transaction import Tables, Transaction

BEFORE_ANY_HOLD = datetime.fromtimestamp(0, UTC)
COUNTED = frozenset(status for status in Status if status.takes_time) | {
    Status.COMPLETED
}


def counted_in(
    tables: Tables,
    practitioners: Collection[UUID],
    period: Period,
    *,
    now: datetime,
    own: AppointmentId | None = None,
) -> Iterator[Appointment]:
    """Yield the appointments that limits count: no holds that have run out, and not
    the `own` one that is being moved.
    """
    for one in tables.appointments.values():
        lapsed = (
            one.status is Status.PENDING
            and one.hold_expires_at is not None
            and one.hold_expires_at <= now
        )
        if (
            one.practitioner_id in practitioners
            and one.status in COUNTED
            and not lapsed
            and one.id != own
            and period.start <= one.period.start < period.end
        ):
            yield one


def assignments(tables: Tables) -> dict[tuple[UUID, UUID], list[Assignment]]:
    found: dict[tuple[UUID, UUID], list[Assignment]] = {}
    for role in tables.practitioner_roles.values():
        found.setdefault((role.practitioner_id, role.location_id), []).append(
            Assignment(
                role.active,
                role.period_start,
                role.period_end,
                tuple(one.period for one in role.not_available),
            )
        )
    return found


def standing(tables: Tables) -> Iterator[Claim]:
    for claims in tables.claims.values():
        yield from claims


def add_slot(tables: Tables, slot: Slot) -> None:
    for other in tables.slots.values():
        if (other.schedule_id, other.period) == (slot.schedule_id, slot.period):
            raise InvalidInput("the schedule has such a slot", "start")
    tables.slots[slot.id] = replace(slot, events=())


def keep_slot(tables: Tables, slot: Slot) -> None:
    """Store whether a slot is blocked; its seats are counted by others."""
    stored = tables.slots.get(slot.id)
    if stored is None or stored.version != slot.version - 1:
        raise DecisionOutdated(OptimisticLockConflict("Somebody changed the slot."))
    tables.slots[slot.id] = replace(slot, booked=stored.booked, events=())


@dataclass
class MemorySlots(SlotRepository):
    transaction: Transaction

    async def get(self, id: SlotId) -> Slot:
        try:
            return self.transaction.tables.slots[id]
        except KeyError:
            raise SlotNotFound(id) from None

    def add(self, slot: Slot) -> None:
        self.transaction.change(lambda tables: add_slot(tables, slot))
        self.transaction.announce(slot.events)
        self.transaction.audit(
            "slot.opened",
            slot.id,
            slot.version,
            changes_between(None, slot),
            at=slot.events[0].occurred_at,
        )

    def keep(self, slot: Slot, now: datetime) -> None:
        before = self.transaction.tables.slots[slot.id]
        self.transaction.change(lambda tables: keep_slot(tables, slot))
        self.transaction.announce(slot.events)
        self.transaction.audit(
            "slot.unblocked" if slot.gives_seats else "slot.blocked",
            slot.id,
            slot.version,
            changes_between(before, slot),
            at=now,
        )

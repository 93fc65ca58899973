"""Slots, one by one."""

from dataclasses import dataclass, field
from datetime import datetime

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import NEW_SLOTS, SLOTS
from scheduling.adapters.postgres.directory import reading_by_id
from scheduling.adapters.postgres.rows import blocking_row, slot_from, slot_row
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.repositories import (
    SlotRepository,
)
from scheduling.domain.changes import changes_between
from scheduling.domain.errors import OptimisticLockConflict, SlotNotFound
from scheduling.domain.identifiers import SlotId
from scheduling.domain.slot import Slot


@dataclass(frozen=True, slots=True)
class PostgresSlots(SlotRepository):
    transaction: Transaction
    seen: dict[SlotId, Slot] = field(default_factory=dict)

    async def get(self, id: SlotId) -> Slot:
        row = await self.transaction.row(reading_by_id(t.slots), id=id)
        if row is None:
            raise SlotNotFound(id)
        slot = self.seen[id] = slot_from(row)
        return slot

    def add(self, slot: Slot) -> None:
        transaction = self.transaction
        transaction.batch.add(
            NEW_SLOTS, slot_row(slot), otherwise=SlotNotFound(slot.id)
        )
        transaction.announce(slot.events)
        transaction.audit(
            "slot.opened",
            "slot",
            slot.id,
            version=slot.version,
            changes=changes_between(None, slot),
            at=slot.events[0].occurred_at,
        )

    def keep(self, slot: Slot, now: datetime) -> None:
        transaction = self.transaction
        transaction.batch.add(
            SLOTS,
            blocking_row(slot),
            otherwise=OptimisticLockConflict(f"Slot {slot.id} has changed."),
        )
        transaction.announce(slot.events)
        transaction.audit(
            "slot.unblocked" if slot.gives_seats else "slot.blocked",
            "slot",
            slot.id,
            version=slot.version,
            changes=changes_between(self.seen[slot.id], slot),
            at=now,
        )

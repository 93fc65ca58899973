"""Lists of schedules and of their slots in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scheduling.application.ports.schedule_lists import (
    ScheduleFilter,
    ScheduleLists,
    ScheduleSlotFilter,
    SlotAsItIs,
)
from scheduling.domain.errors import SlotNotFound
from scheduling.domain.identifiers import SlotId
from scheduling.domain.schedule import Schedule
from scheduling.domain.slot import Slot, SlotStatus
from tests.fakes.transaction import Tables, Transaction


@dataclass
class MemoryScheduleLists(ScheduleLists):
    transaction: Transaction

    async def schedules(self, wanted: ScheduleFilter) -> Sequence[Schedule]:
        found = sorted(
            self.transaction.tables.schedules.values(), key=lambda one: one.id
        )
        asked = (
            one
            for one in found
            if wanted.actor_id in {None, one.practitioner_id, one.location_id}
            and (wanted.after is None or one.id > wanted.after)
        )
        return list(asked)[: wanted.limit]

    async def slots(self, wanted: ScheduleSlotFilter, now: datetime) -> Sequence[Slot]:
        tables = self.transaction.tables
        found = sorted(
            (
                _at(slot, now, tables)
                for slot in tables.slots.values()
                if slot.schedule_id == wanted.schedule_id
                and wanted.period.start <= slot.period.start < wanted.period.end
            ),
            key=lambda slot: (slot.period.start, slot.id),
        )
        asked = (
            slot
            for slot in found
            if wanted.status in {None, slot.shown_status}
            and (wanted.after is None or (slot.period.start, slot.id) > wanted.after)
        )
        return list(asked)[: wanted.limit]

    async def slot(self, id: SlotId, now: datetime) -> SlotAsItIs:
        stored = self.transaction.tables.slots.get(id)
        if stored is None:
            raise SlotNotFound(id)
        found = _at(stored, now, self.transaction.tables)
        return SlotAsItIs(found, stored.booked - found.booked)


def _at(slot: Slot, now: datetime, tables: Tables) -> Slot:
    """Return the slot without the seats of holds that have run out."""
    lapsed = sum(
        claim.share_id == slot.id and claim.has_lapsed(now)
        for claims in tables.claims.values()
        for claim in claims
    )
    booked = slot.booked - lapsed
    opens = slot.status is SlotStatus.BUSY and booked < slot.capacity
    return replace(
        slot, booked=booked, status=SlotStatus.FREE if opens else slot.status
    )

"""Slot generation in memory."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scheduling.application.ports.generation import (
    CalendarFacts,
    GenerationRepository,
    OwnSlots,
    RunPosition,
)
from scheduling.domain.desired_slots import (
    DesiredSlot,
    DesiredStretch,
    Part,
    digest_of,
)
from scheduling.domain.generation import Generation, Occupant
from scheduling.domain.identifiers import (
    GenerationRunId,
    ScheduleId,
    SlotId,
    new_id,
)
from scheduling.domain.period import Period
from scheduling.domain.schedule import Schedule
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot, SlotStatus
from scheduling.domain.slot_difference import Difference, StoredSlot
from tests.fakes.slots import add_slot
from tests.fakes.transaction import Tables, Transaction


@dataclass
class MemoryGeneration(GenerationRepository):
    transaction: Transaction

    async def facts_for(
        self, schedule: Schedule, source_event_id: str
    ) -> CalendarFacts:
        tables = self.transaction.tables
        role_id = schedule.practitioner_role_id
        runs = [run for run in tables.runs.values() if run.schedule_id == schedule.id]
        return CalendarFacts(
            role=None if role_id is None else tables.practitioner_roles[role_id],
            location=tables.locations[schedule.location_id],
            settings=tables.settings.get(None) or Settings(),
            followed=max((run.role_version or 0 for run in runs), default=0) or None,
            run=next(
                (run for run in runs if run.source_event_id == source_event_id), None
            ),
        )

    async def own_slots(self, schedule: Schedule, since: datetime) -> OwnSlots:
        slots = [slot for slot in self._of(schedule.id) if slot.start > since]
        as_desired = [
            DesiredSlot(slot.start, slot.end, slot.capacity, slot.service_types)
            for slot in slots
        ]
        as_made = all(
            slot.own
            and slot.serves_as(wanted)
            and slot.is_as(wanted, schedule.timezone)
            for slot, wanted in zip(slots, as_desired, strict=True)
        )
        whole = Part(since, None, [DesiredStretch.of_one(one) for one in as_desired])
        digest = digest_of(schedule.timezone, [whole]) if as_made else None
        return OwnSlots(len(slots), digest)

    async def slots(
        self,
        id: ScheduleId,
        since: datetime,
        until: datetime | None,
        limit: int | None = None,
    ) -> Sequence[StoredSlot]:
        found = [
            slot
            for slot in self._of(id)
            if since <= slot.start and (until is None or slot.start < until)
        ]
        return found[:limit]

    async def in_progress(self, id: ScheduleId, now: datetime) -> Sequence[StoredSlot]:
        return [slot for slot in self._of(id) if slot.start <= now < slot.end]

    async def lock(self, slots: Collection[StoredSlot]) -> Sequence[StoredSlot]:
        """Nothing is awaited from here to the end of the transaction."""
        ids = {slot.id for slot in slots}
        (schedule_id,) = {
            slot.schedule_id
            for slot in self.transaction.tables.slots.values()
            if slot.id in ids
        }
        return [slot for slot in self._of(schedule_id) if slot.id in ids]

    def _of(self, id: ScheduleId) -> list[StoredSlot]:
        tables = self.transaction.tables
        found = [
            _stored(slot, own=slot.id in tables.generated or slot.opened_by is not None)
            for slot in tables.slots.values()
            if slot.schedule_id == id
        ]
        return sorted(found, key=lambda slot: (slot.start, slot.id))

    async def occupants(
        self, schedule: Schedule, slots: Collection[StoredSlot]
    ) -> Sequence[Occupant]:
        ids = {slot.id for slot in slots}
        found = [
            one
            for one in self.transaction.tables.appointments.values()
            if one.schedule_id == schedule.id
            and one.status.takes_time
            and not ids.isdisjoint(one.slot_ids)
        ]
        found.sort(key=lambda one: (one.period.start, one.id))
        return [
            Occupant(one.id, one.slot_ids, one.hold_expires_at is not None)
            for one in found
        ]

    async def carry_out(
        self,
        schedule: Schedule,
        found: Difference,
        *,
        run_id: GenerationRunId,
        source_event_id: str,
        now: datetime,
    ) -> None:
        def write(tables: Tables) -> None:
            for gone in found.retired:
                del tables.slots[gone.id]
                tables.generated.pop(gone.id, None)
            for slot, wanted in found.updated:
                stored = tables.slots[slot.id]
                tables.slots[slot.id] = _updated(stored, wanted, schedule.timezone)
            for slot in found.obsolete:
                stored = tables.slots[slot.id]
                tables.slots[slot.id] = replace(stored, obsolete_since=now)
            for stretch in found.created:
                for wanted in stretch.slots():
                    made = _made(schedule, wanted, now)
                    add_slot(tables, made)
                    tables.generated[made.id] = (run_id, source_event_id)

        self.transaction.change(write)

    def add(self, run: Generation, schedule: Schedule) -> None:
        self.transaction.change(lambda tables: tables.runs.update({run.id: run}))
        self.transaction.announce([run.told(schedule)])
        self.transaction.audit(
            "slots.generated",
            schedule.id,
            schedule.version,
            run.changes_told(),
            at=run.started_at,
            entity_type="schedule",
        )

    async def runs(
        self, id: ScheduleId, after: RunPosition | None, limit: int
    ) -> Sequence[Generation]:
        of_it = (
            r for r in self.transaction.tables.runs.values() if r.schedule_id == id
        )
        found = sorted(of_it, key=_position, reverse=True)
        return [run for run in found if after is None or _position(run) < after][:limit]

    async def calendars(
        self, after: ScheduleId | None, limit: int
    ) -> Sequence[ScheduleId]:
        ids = sorted(one.id for one in self.transaction.tables.schedules.values())
        return [id for id in ids if after is None or id > after][:limit]

    async def count_calendars(self) -> int:
        return len(self.transaction.tables.schedules)


def _position(run: Generation) -> RunPosition:
    return run.started_at, run.id


def _stored(slot: Slot, *, own: bool) -> StoredSlot:
    return StoredSlot(
        id=slot.id,
        start=slot.period.start,
        end=slot.period.end,
        timezone=slot.timezone,
        status=slot.status,
        capacity=slot.capacity,
        booked=slot.booked,
        service_types=slot.service_types,
        blocked_by=slot.blocked_by,
        obsolete=slot.obsolete_since is not None,
        own=own,
    )


def _updated(slot: Slot, wanted: DesiredSlot, timezone: str) -> Slot:
    full = slot.booked >= wanted.capacity
    gives_seats = slot.gives_seats or slot.blocked_by is not None
    by_seats = SlotStatus.BUSY if full else SlotStatus.FREE
    return replace(
        slot,
        timezone=timezone,
        capacity=wanted.capacity,
        service_types=wanted.service_types,
        status=by_seats if gives_seats else slot.status,
        blocked_by=None,
        obsolete_since=None,
        version=slot.version + 1,
    )


def _made(schedule: Schedule, wanted: DesiredSlot, now: datetime) -> Slot:
    return Slot(
        id=SlotId(new_id(now)),
        schedule_id=schedule.id,
        practitioner_id=schedule.practitioner_id,
        location_id=schedule.location_id,
        period=Period(wanted.start, wanted.end),
        timezone=schedule.timezone,
        capacity=wanted.capacity,
        service_types=wanted.service_types,
        opened_by=wanted.opened_by,
    )

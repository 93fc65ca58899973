"""A calendar's slots, many at a time, and the runs that made them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from scheduling.adapters.postgres import generation_statements as s
from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import GENERATION_RUNS
from scheduling.adapters.postgres.directory_rows import (
    location_from,
    role_from,
    settings_from,
)
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.generation import (
    CalendarFacts,
    GenerationRepository,
    OwnSlots,
    RunPosition,
)
from scheduling.domain.desired_slots import DesiredSlot, DesiredStretch
from scheduling.domain.errors import OptimisticLockConflict
from scheduling.domain.events import KeptSlot
from scheduling.domain.generation import (
    Generation,
    Occupant,
    Trigger,
    kept_as_told,
)
from scheduling.domain.identifiers import (
    AppointmentId,
    GenerationRunId,
    PractitionerRoleId,
    ScheduleId,
    SlotId,
)
from scheduling.domain.schedule import Schedule
from scheduling.domain.slot import LONGEST_SLOT, SlotStatus
from scheduling.domain.slot_difference import Difference, StoredSlot

Row = Mapping[str, Any]

_AFTER_ALL = datetime.max.replace(tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_STATUS = {status.value: status for status in SlotStatus}


@dataclass(frozen=True, slots=True)
class PostgresGeneration(GenerationRepository):
    transaction: Transaction

    async def facts_for(
        self, schedule: Schedule, source_event_id: str
    ) -> CalendarFacts:
        row = await self.transaction.row(
            s.reading_facts(),
            schedule_id=schedule.id,
            source_event_id=source_event_id,
        )
        role = s.part_of(row, t.practitioner_roles)
        run = s.part_of(row, t.generation_runs)
        return CalendarFacts(
            role=None if role is None else role_from(role),
            location=location_from(s.part_of(row, t.locations) or {}),
            settings=settings_from(row),
            followed=row["followed"],
            run=None if run is None else _run_from(run),
        )

    async def own_slots(self, schedule: Schedule, since: datetime) -> OwnSlots:
        row = await self.transaction.row(
            s.digesting(),
            schedule_id=schedule.id,
            since=since,
            timezone=schedule.timezone,
        )
        return OwnSlots(row["count"], row["digest"] if row["as_made"] else None)

    async def slots(
        self,
        id: ScheduleId,
        since: datetime,
        until: datetime | None,
        limit: int | None = None,
    ) -> Sequence[StoredSlot]:
        rows = await self.transaction.rows(
            s.reading_slots(),
            schedule_id=id,
            since=since,
            until=until or _AFTER_ALL,
            limit=limit,
        )
        return [_stored(row) for row in rows]

    async def in_progress(self, id: ScheduleId, now: datetime) -> Sequence[StoredSlot]:
        rows = await self.transaction.rows(
            s.reading_slots_in_progress(),
            schedule_id=id,
            earliest=now - LONGEST_SLOT,
            now=now,
        )
        return [_stored(row) for row in rows]

    async def lock(self, slots: Collection[StoredSlot]) -> Sequence[StoredSlot]:
        rows = await self.transaction.rows(
            s.locking_slots(), ids=[slot.id for slot in slots]
        )
        return [_stored(row) for row in rows]

    async def occupants(
        self, schedule: Schedule, slots: Collection[StoredSlot]
    ) -> Sequence[Occupant]:
        ids = {slot.id for slot in slots}
        rows = await self.transaction.rows(
            s.reading_occupants(),
            practitioner_id=schedule.practitioner_id,
            schedule_id=schedule.id,
            start=min(slot.start for slot in slots) - LONGEST_SLOT,
            end=max(slot.start for slot in slots) + LONGEST_SLOT,
        )
        return [
            Occupant(
                AppointmentId(row["id"]),
                tuple(SlotId(id) for id in row["slot_ids"]),
                row["is_hold"],
            )
            for row in rows
            if not ids.isdisjoint(row["slot_ids"])
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
        rows = self.transaction.rows
        if found.retired:
            await rows(s.retiring(), ids=[slot.id for slot in found.retired])
        if found.obsolete:
            ids = [slot.id for slot in found.obsolete]
            await rows(s.marking_obsolete(), ids=ids, now=now)
        if found.updated:
            wanted = [wanted for _, wanted in found.updated]
            await rows(
                s.updating(),
                ids=[slot.id for slot, _ in found.updated],
                timezone=schedule.timezone,
                **_columns(wanted),
            )
        if found.created:
            await rows(
                s.making(),
                schedule_id=schedule.id,
                practitioner_id=schedule.practitioner_id,
                location_id=schedule.location_id,
                timezone=schedule.timezone,
                run_id=run_id,
                source_event_id=source_event_id,
                starts=[one.start for one in found.created],
                minutes=[one.length // _MINUTE for one in found.created],
                numbers=[one.number for one in found.created],
                openers=[one.opened_by for one in found.created],
                **_columns(found.created),
            )

    def add(self, run: Generation, schedule: Schedule) -> None:
        transaction = self.transaction
        transaction.batch.add(
            GENERATION_RUNS,
            _run_row(run),
            otherwise=OptimisticLockConflict(f"Schedule {schedule.id} has changed."),
        )
        transaction.announce([run.told(schedule)])
        transaction.audit(
            "slots.generated",
            "schedule",
            schedule.id,
            version=schedule.version,
            changes=run.changes_told(),
            at=run.started_at,
        )

    async def runs(
        self, id: ScheduleId, after: RunPosition | None, limit: int
    ) -> Sequence[Generation]:
        after_start, after_id = after or (None, None)
        rows = await self.transaction.rows(
            s.paging_runs(further=after is not None),
            schedule_id=id,
            after_start=after_start,
            after_id=after_id,
            limit=limit,
        )
        return [_run_from(row) for row in rows]

    async def calendars(
        self, after: ScheduleId | None, limit: int
    ) -> Sequence[ScheduleId]:
        rows = await self.transaction.rows(
            s.paging_calendars(further=after is not None), after_id=after, limit=limit
        )
        return [ScheduleId(row["id"]) for row in rows]

    async def count_calendars(self) -> int:
        row = await self.transaction.row(s.counting_calendars())
        count: int = row["count"]
        return count


def _stored(row: Sequence[Any]) -> StoredSlot:
    id, start, end, zone, status, capacity, booked, kinds, by, obsolete, own = row
    return StoredSlot(
        id,
        start,
        end,
        zone,
        _STATUS[status],
        capacity,
        booked,
        tuple(kinds),
        by,
        obsolete,
        own,
    )


def _columns(slots: Sequence[DesiredSlot | DesiredStretch]) -> dict[str, Any]:
    """Return what differs from slot to slot; service types as numbers, each list of
    them is sent once.
    """
    numbers: dict[tuple[str, ...], int] = {}
    kinds = [numbers.setdefault(slot.service_types, len(numbers)) for slot in slots]
    lists = [{"number": n, "types": types} for types, n in numbers.items()]
    return {
        "capacities": [slot.capacity for slot in slots],
        "kinds": kinds,
        "lists": orjson.dumps(lists).decode(),
    }


def _run_row(run: Generation) -> Row:
    return {
        "id": run.id,
        "schedule_id": run.schedule_id,
        "practitioner_role_id": run.practitioner_role_id,
        "role_version": run.role_version,
        "trigger": run.trigger,
        "source_event_id": run.source_event_id,
        "first_day": run.first_day,
        "last_day": run.last_day,
        "tzdata_version": run.tzdata_version,
        "digest": run.digest,
        "created": run.created,
        "updated": run.updated,
        "retired": run.retired,
        "retained": run.retained,
        "conflicts": run.conflicts,
        "unchanged": run.unchanged,
        "diagnostics": {
            "keptByReason": dict(run.kept_by_reason),
            "kept": kept_as_told(run.kept),
            "affectedAppointmentIds": run.affected,
        },
        "started_at": run.started_at,
        "duration_ms": run.duration_ms,
    }


def _run_from(row: Row) -> Generation:
    told = orjson.loads(row["diagnostics"])
    role_id = row["practitioner_role_id"]
    return Generation(
        id=GenerationRunId(row["id"]),
        schedule_id=ScheduleId(row["schedule_id"]),
        practitioner_role_id=None if role_id is None else PractitionerRoleId(role_id),
        role_version=row["role_version"],
        trigger=Trigger(row["trigger"]),
        source_event_id=row["source_event_id"],
        first_day=row["first_day"],
        last_day=row["last_day"],
        tzdata_version=row["tzdata_version"],
        digest=row["digest"],
        created=row["created"],
        updated=row["updated"],
        unchanged=row["unchanged"],
        conflicts=row["conflicts"],
        retired=row["retired"],
        retained=row["retained"],
        kept_by_reason=told["keptByReason"],
        kept=tuple(
            KeptSlot(
                slot_id=_slot_id(one["slotId"]),
                reason=one["reason"],
                appointment_ids=_appointment_ids(one["appointmentIds"]),
            )
            for one in told["kept"]
        ),
        affected=_appointment_ids(told["affectedAppointmentIds"]),
        started_at=row["started_at"],
        duration_ms=row["duration_ms"],
    )


def _slot_id(text: str) -> SlotId:
    return SlotId(UUID(text))


def _appointment_ids(texts: Sequence[str]) -> tuple[AppointmentId, ...]:
    return tuple(AppointmentId(UUID(text)) for text in texts)

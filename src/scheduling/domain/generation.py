"""A run that made a calendar's slots follow its rules, and what is told of it."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from scheduling.domain.changes import Changes
from scheduling.domain.events import KeptSlot, SlotsGenerationCompleted
from scheduling.domain.identifiers import (
    AppointmentId,
    GenerationRunId,
    PractitionerRoleId,
    ScheduleId,
    SlotId,
)
from scheduling.domain.schedule import Schedule
from scheduling.domain.slot_difference import Difference, KeptBecause, StoredSlot

MOST_TOLD = 100
"""Of kept slots, and of appointments in them, in events, runs and audit."""

MOST_SHOWN = 200
"""Of changes, by a run that only shows what it would do."""


class Trigger(StrEnum):
    EVENT = "event"
    MANUAL = "manual"
    ROLL_FORWARD = "roll-forward"


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    RETIRE = "retire"
    RETAIN = "retain"
    CONFLICT = "conflict"


class SlotChange(NamedTuple):
    """What a run would do, with the capacity then; a conflict is told of the time that
    is wanted.
    """

    action: Action
    start: datetime
    end: datetime
    capacity: int
    reason: KeptBecause | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One run; or what one would do (`dry_run`); or one that was done before for the
    same event, as it is stored (`repeated`). Days are local to the calendar, both
    inclusive.

    `kept` and `affected` (who has an appointment in a slot that is wanted no more) are
    the first MOST_TOLD; `changes` the first MOST_SHOWN, of a dry run only.
    `kept_by_reason` counts all kept slots, each once.
    """

    id: GenerationRunId
    schedule_id: ScheduleId
    practitioner_role_id: PractitionerRoleId | None
    role_version: int | None
    trigger: Trigger
    source_event_id: str
    first_day: date
    last_day: date
    tzdata_version: str
    digest: str
    created: int
    updated: int
    unchanged: int
    conflicts: int
    retired: int
    retained: int
    kept_by_reason: Mapping[str, int] = field(default_factory=dict)
    kept: tuple[KeptSlot, ...] = ()
    affected: tuple[AppointmentId, ...] = ()
    started_at: datetime
    duration_ms: int
    dry_run: bool = False
    repeated: bool = False
    changes: tuple[SlotChange, ...] = ()

    @property
    def desired(self) -> int:
        return self.created + self.updated + self.unchanged + self.conflicts

    def told(self, schedule: Schedule) -> SlotsGenerationCompleted:
        return SlotsGenerationCompleted(
            occurred_at=self.started_at,
            version=schedule.version,
            generation_run_id=self.id,
            schedule_id=self.schedule_id,
            practitioner_role_id=self.practitioner_role_id,
            role_version=self.role_version,
            practitioner_id=schedule.practitioner_id,
            location_id=schedule.location_id,
            trigger=self.trigger,
            source_event_id=self.source_event_id,
            first_day=self.first_day,
            last_day=self.last_day,
            tzdata_version=self.tzdata_version,
            created=self.created,
            updated=self.updated,
            retired=self.retired,
            retained=self.retained,
            conflicts=self.conflicts,
            unchanged=self.unchanged,
            duration_ms=self.duration_ms,
            kept_by_reason=self.kept_by_reason,
            kept=self.kept,
        )

    def changes_told(self) -> Changes:
        """Return inputs and decisions as the audit keeps them."""
        told: dict[str, object] = {
            "generationRunId": str(self.id),
            "trigger": self.trigger.value,
            "sourceEventId": self.source_event_id,
            "roleVersion": self.role_version,
            "firstDay": self.first_day.isoformat(),
            "lastDay": self.last_day.isoformat(),
            "tzdataVersion": self.tzdata_version,
            "digest": self.digest,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "conflicts": self.conflicts,
            "retired": self.retired,
            "retained": self.retained,
            "keptByReason": dict(self.kept_by_reason),
            "kept": kept_as_told(self.kept),
            "affectedAppointmentIds": [str(id) for id in self.affected],
        }
        return {name: (None, value) for name, value in told.items() if value}


def kept_as_told(kept: tuple[KeptSlot, ...]) -> list[dict[str, object]]:
    return [
        {
            "slotId": str(one.slot_id),
            "reason": one.reason,
            "appointmentIds": [str(id) for id in one.appointment_ids],
        }
        for one in kept
    ]


class Occupant(NamedTuple):
    """An appointment that takes time in slots; `is_hold`: they are only kept for it."""

    id: AppointmentId
    slot_ids: tuple[SlotId, ...]
    is_hold: bool


@dataclass(slots=True)
class Tally:
    """What a run has done so far, part by part; `shows`: the changes as well."""

    now: datetime
    shows: bool = False
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    conflicts: int = 0
    retired: int = 0
    retained: int = 0
    by_reason: Counter[str] = field(default_factory=Counter)
    kept: list[KeptSlot] = field(default_factory=list)
    affected: dict[AppointmentId, None] = field(default_factory=dict)
    changes: list[SlotChange] = field(default_factory=list)
    _seen: set[SlotId] = field(default_factory=set)

    def add(self, found: Difference, occupants: Collection[Occupant]) -> None:
        self.created += found.count_created
        self.updated += len(found.updated)
        self.unchanged += found.unchanged
        self.conflicts += len(found.conflicts)
        self.retired += len(found.retired)
        self.retained += len(found.retained)
        inside: dict[SlotId, list[Occupant]] = {}
        for one in occupants:
            for id in one.slot_ids:
                inside.setdefault(id, []).append(one)
        self._keep(found.kept, inside)
        for slot in found.retained:
            self.affected.update((one.id, None) for one in inside.get(slot.id, ()))
        if self.shows and len(self.changes) < MOST_SHOWN:
            more = sorted(self._changes(found, inside), key=_by_start)
            self.changes += more[: MOST_SHOWN - len(self.changes)]

    def _keep(
        self, kept: Iterator[StoredSlot], inside: Mapping[SlotId, list[Occupant]]
    ) -> None:
        for slot in kept:
            if slot.id in self._seen:
                continue
            self._seen.add(slot.id)
            reason = self._reason(slot, inside)
            self.by_reason[reason.value] += 1
            if len(self.kept) < MOST_TOLD:
                ids = tuple(one.id for one in inside.get(slot.id, ()))
                self.kept.append(
                    KeptSlot(
                        slot_id=slot.id,
                        reason=reason.value,
                        appointment_ids=ids[:MOST_TOLD],
                    )
                )

    def _reason(
        self, slot: StoredSlot, inside: Mapping[SlotId, list[Occupant]]
    ) -> KeptBecause:
        there = inside.get(slot.id, ())
        only_held = bool(there) and all(one.is_hold for one in there)
        return slot.why_kept(self.now, only_held=only_held)

    def _changes(
        self, found: Difference, inside: Mapping[SlotId, list[Occupant]]
    ) -> Iterator[SlotChange]:
        for new in (slot for stretch in found.created for slot in stretch.slots()):
            yield SlotChange(Action.CREATE, new.start, new.end, new.capacity)
        for slot, wanted in found.updated:
            yield SlotChange(Action.UPDATE, slot.start, slot.end, wanted.capacity)
        for slot in found.retired:
            yield SlotChange(Action.RETIRE, slot.start, slot.end, slot.capacity)
        for slot in found.retained:
            reason = self._reason(slot, inside)
            yield SlotChange(Action.RETAIN, slot.start, slot.end, slot.capacity, reason)
        for wanted, slot in found.conflicts:
            yield SlotChange(
                Action.CONFLICT,
                wanted.start,
                wanted.end,
                wanted.capacity,
                self._reason(slot, inside),
            )


def _by_start(change: SlotChange) -> tuple[datetime, datetime]:
    return change.start, change.end

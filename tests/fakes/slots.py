"""Slots in memory, and the search over them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from scheduling.application.ports.repositories import (
    Candidate,
    SearchFacts,
    SlotFilter,
    SlotRepository,
)
from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.domain.appointment import Appointment
from scheduling.domain.availability import Assignment
from scheduling.domain.changes import changes_between
from scheduling.domain.claim import (
    SOMEBODY,
    ActorKind,
    Claim,
    Clashes,
    claims_of,
    clashes,
)
from scheduling.domain.errors import (
    InvalidInput,
    OptimisticLockConflict,
    SlotNotFound,
)
from scheduling.domain.identifiers import (
    AppointmentId,
    PatientId,
    PractitionerId,
    SlotId,
)
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot, SlotStatus
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


def starts_in(
    tables: Tables, practitioners: Collection[UUID], period: Period
) -> Iterator[tuple[PractitionerId, datetime]]:
    """Yield whose appointments that limits count begin when."""
    for one in counted_in(tables, practitioners, period, now=BEFORE_ANY_HOLD):
        yield one.practitioner_id, one.period.start


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
            "slot.unblocked" if slot.is_open else "slot.blocked",
            slot.id,
            slot.version,
            changes_between(before, slot),
            at=now,
        )

    async def search_facts(self, wanted: SlotFilter) -> SearchFacts:  # noqa: ARG002  # more than is asked for does no harm
        tables = self.transaction.tables
        return SearchFacts(tables.settings.get(None, Settings()), assignments(tables))

    async def candidates(
        self, wanted: SlotFilter, settings: Settings
    ) -> Sequence[Candidate]:
        tables = self.transaction.tables
        slots = sorted(
            (s for s in tables.slots.values() if _is_asked_for(s, wanted, tables)),
            key=lambda slot: (slot.period.start, slot.id),
        )
        return [
            Candidate(
                slot_id=slot.id,
                schedule_id=slot.schedule_id,
                practitioner_id=slot.practitioner_id,
                location_id=slot.location_id,
                start=slot.period.start,
                end=slot.period.end,
                timezone=slot.timezone,
                remaining=slot.remaining,
                service_types=slot.service_types,
                clashes=_clashes(slot, wanted, settings, tables),
            )
            for slot in slots[: wanted.limit]
        ]

    async def starts_of(
        self, practitioners: Collection[PractitionerId], period: Period
    ) -> Mapping[PractitionerId, Sequence[datetime]]:
        starts: dict[PractitionerId, list[datetime]] = {}
        found = starts_in(self.transaction.tables, practitioners, period)
        for practitioner_id, start in found:
            starts.setdefault(practitioner_id, []).append(start)
        return starts


def _may_book(patient_id: PatientId | None, tables: Tables) -> bool:
    if patient_id is None:
        return True
    return patient_id in tables.patients and tables.patients[patient_id].active


def _is_asked_for(slot: Slot, wanted: SlotFilter, tables: Tables) -> bool:
    practitioner = tables.practitioners[slot.practitioner_id]
    after = wanted.after
    return (
        _may_book(wanted.patient_id, tables)
        and practitioner.active
        and tables.locations[slot.location_id].active
        and slot.status is SlotStatus.FREE
        and slot.remaining > 0
        and wanted.period.start <= slot.period.start < wanted.period.end
        and wanted.practitioner_id in {None, slot.practitioner_id}
        and wanted.location_id in {None, slot.location_id}
        and (wanted.specialty is None or wanted.specialty in practitioner.specialties)
        and (
            wanted.service_type is None
            or not slot.service_types
            or wanted.service_type in slot.service_types
        )
        and (after is None or (slot.period.start, slot.id) > after)
    )


def _clashes(
    slot: Slot, wanted: SlotFilter, settings: Settings, tables: Tables
) -> Clashes:
    """Search does not tell who is in the way, only that somebody is."""
    claims = claims_of(
        AppointmentId(SOMEBODY),
        period=slot.period,
        practitioner_id=slot.practitioner_id,
        patient_id=wanted.patient_id or SOMEBODY,
        resources=(),
        slots=[(slot.id, slot.period)],
        buffer=settings.buffer,
        overbooked=False,
    )
    asked = [
        claim
        for claim in claims
        if wanted.patient_id is not None or claim.kind is not ActorKind.PATIENT
    ]
    found = clashes(asked, standing(tables))
    if found.overlapping:
        return Clashes(overlapping=(SOMEBODY,))
    return Clashes(buffering=(SOMEBODY,)) if found.buffering else Clashes()

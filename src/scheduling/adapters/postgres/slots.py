"""Slots, and the search over them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Interval,
    Table,
    Text,
    Uuid,
    and_,
    any_,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.assignments import assignment_from, assignment_json
from scheduling.adapters.postgres.batch import NEW_SLOTS, SLOTS, TENANT
from scheduling.adapters.postgres.claimed import around, claimed_by, kind
from scheduling.adapters.postgres.directory import reading_by_id, settings_columns
from scheduling.adapters.postgres.directory_rows import settings_from
from scheduling.adapters.postgres.limits import reading_starts
from scheduling.adapters.postgres.rows import blocking_row, slot_from, slot_row
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.repositories import (
    Candidate,
    SearchFacts,
    SlotFilter,
    SlotRepository,
)
from scheduling.domain.availability import Assignment
from scheduling.domain.changes import changes_between
from scheduling.domain.claim import SOMEBODY, ActorKind, Clashes
from scheduling.domain.errors import OptimisticLockConflict, SlotNotFound
from scheduling.domain.identifiers import PractitionerId, SlotId
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot

_INSTANT = DateTime(timezone=True)
EPOCH = datetime.fromtimestamp(0, UTC)


def _in_the_way(slot: FromClause, *who: ColumnElement[bool]) -> Any:  # noqa: ANN401
    """Whether claims around a slot take real time of it (true) or only their buffer or
    its own does (false); null where there are none.
    """
    claims = t.claims
    real = and_(
        claims.c.starts_at < slot.c.ends_at, claims.c.ends_at > slot.c.starts_at
    )
    return select(func.bool_or(real)).where(*who).scalar_subquery()


@cache
def searching(filters: frozenset[str], *, for_patient: bool) -> Statement:
    """Free slots with a seat at active places, with what is in their way.

    One statement for each set of filters: `$1 IS NULL OR …` would keep PostgreSQL from
    its indexes. The clashes are the same that booking reads: other claims of the
    practitioner than those of the slot itself, and all of the patient who asks. To a
    patient who cannot book, because unknown or inactive, nothing is free.
    """
    slots, practitioners, locations = t.slots, t.practitioners, t.locations
    claims = t.claims
    of_practitioner = _in_the_way(
        slots,
        claimed_by(slots.c.practitioner_id, kind(ActorKind.PRACTITIONER)),
        around(slots.c.starts_at, slots.c.ends_at + given("buffer", Interval)),
        claims.c.share_id != slots.c.id,
    )
    of_patient = _in_the_way(
        slots,
        claimed_by(given("patient_id", Uuid), kind(ActorKind.PATIENT)),
        around(slots.c.starts_at, slots.c.ends_at),
    )
    conditions: dict[str, ColumnElement[bool]] = {
        "practitioner_id": slots.c.practitioner_id == given("practitioner_id", Uuid),
        "location_id": slots.c.location_id == given("location_id", Uuid),
        "specialty": given("specialty", Text) == any_(practitioners.c.specialties),
        "service_type": or_(
            slots.c.service_types == literal_column("'{}'::text[]"),
            given("service_type", Text) == any_(slots.c.service_types),
        ),
        "after_id": tuple_(slots.c.starts_at, slots.c.id)
        > tuple_(given("after_start", _INSTANT), given("after_id", Uuid)),
    }
    if for_patient:
        conditions["patient_id"] = exists().where(
            _active(t.patients, given("patient_id", Uuid))
        )
    return compiled(
        select(
            slots.c.id,
            slots.c.schedule_id,
            slots.c.practitioner_id,
            slots.c.location_id,
            slots.c.starts_at,
            slots.c.ends_at,
            slots.c.timezone,
            (slots.c.capacity - slots.c.booked).label("remaining"),
            slots.c.service_types,
            of_practitioner.label("practitioner_taken"),
            (of_patient if for_patient else literal_column("NULL")).label(
                "patient_taken"
            ),
        )
        .join(practitioners, _active(practitioners, slots.c.practitioner_id))
        .join(locations, _active(locations, slots.c.location_id))
        .where(
            slots.c.tenant_id == TENANT,
            slots.c.starts_at >= given("start", _INSTANT),
            slots.c.starts_at < given("end", _INSTANT),
            slots.c.status == literal_column("'free'"),
            slots.c.booked < slots.c.capacity,
            *(
                condition
                for name, condition in conditions.items()
                if name in filters or name == "patient_id"
            ),
        )
        .order_by(slots.c.starts_at, slots.c.id)
        .limit(given("limit", Integer))
    )


def _active(table: Table, id: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(table.c.tenant_id == TENANT, table.c.id == id, table.c.active)


@cache
def _reading_search_facts(filters: frozenset[str]) -> Statement:
    """The settings, and the roles of the practitioner or at the location asked for."""
    roles = t.practitioner_roles
    assignments = (
        select(func.json_agg(assignment_json()))
        .where(
            roles.c.tenant_id == TENANT,
            *(
                roles.c[name] == given(name, Uuid)
                for name in ("practitioner_id", "location_id")
                if name in filters
            ),
        )
        .scalar_subquery()
    )
    asked = select(literal_column("1").label("one")).subquery("asked")
    return compiled(
        select(*settings_columns(), assignments.label("assignments"))
        .select_from(asked)
        .outerjoin(t.settings, t.settings.c.tenant_id == TENANT)
    )


_NOTHING = Clashes()
_TAKEN = Clashes(overlapping=(SOMEBODY,))
_BUFFERED = Clashes(buffering=(SOMEBODY,))


def _clashes(practitioner: bool | None, patient: bool | None) -> Clashes:  # noqa: FBT001
    """From `bool_or(real)` of each: nobody (None), real time, or a buffer alone."""
    if practitioner is None and patient is None:
        return _NOTHING
    return _TAKEN if practitioner or patient else _BUFFERED


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
            "slot.unblocked" if slot.is_open else "slot.blocked",
            "slot",
            slot.id,
            version=slot.version,
            changes=changes_between(self.seen[slot.id], slot),
            at=now,
        )

    async def search_facts(self, wanted: SlotFilter) -> SearchFacts:
        values = _given_of(wanted)
        row = await self.transaction.row(
            _reading_search_facts(frozenset(values)), **values
        )
        assignments: dict[tuple[UUID, UUID], list[Assignment]] = {}
        for one in orjson.loads(row["assignments"] or "[]"):
            where, assignment = assignment_from(one)
            assignments.setdefault(where, []).append(assignment)
        return SearchFacts(settings_from(row), assignments)

    async def candidates(
        self, wanted: SlotFilter, settings: Settings
    ) -> Sequence[Candidate]:
        values = _given_of(wanted)
        statement = searching(
            frozenset(values), for_patient=wanted.patient_id is not None
        )
        rows = await self.transaction.rows(
            statement,
            **values,
            patient_id=wanted.patient_id,
            start=wanted.period.start,
            end=wanted.period.end,
            buffer=settings.buffer,
            limit=wanted.limit,
        )
        return [Candidate._make((*row[:9], _clashes(row[9], row[10]))) for row in rows]

    async def starts_of(
        self, practitioners: Collection[PractitionerId], period: Period
    ) -> Mapping[PractitionerId, Sequence[datetime]]:
        rows = await self.transaction.rows(
            reading_starts(),
            practitioners=list(practitioners),
            start=period.start,
            end=period.end,
            own=None,
            now=EPOCH,
        )
        starts: dict[PractitionerId, list[datetime]] = {}
        for row in rows:
            starts.setdefault(row["practitioner_id"], []).append(row["starts_at"])
        return starts


def _given_of(wanted: SlotFilter) -> dict[str, Any]:
    after_start, after_id = wanted.after or (None, None)
    values = {
        "practitioner_id": wanted.practitioner_id,
        "location_id": wanted.location_id,
        "specialty": wanted.specialty,
        "service_type": wanted.service_type,
        "after_start": after_start,
        "after_id": after_id,
    }
    return {name: value for name, value in values.items() if value is not None}

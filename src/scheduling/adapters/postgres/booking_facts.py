"""What storage knows of a request: the facts that a booking is decided on."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from scheduling.adapters.postgres.appointment_statements import (
    SLOT_COLUMNS,
    locking_practitioner,
    reading_for_booking,
)
from scheduling.adapters.postgres.assignments import assignment_from
from scheduling.adapters.postgres.directory_rows import (
    preferences_from,
    settings_from,
)
from scheduling.adapters.postgres.limits import reading_starts
from scheduling.adapters.postgres.rows import claim_from, slot_from
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.domain.booking import BookingFacts, week_of
from scheduling.domain.booking_request import BookingRequest, BySlot
from scheduling.domain.claim import ActorKind
from scheduling.domain.identifiers import AppointmentId, ScheduleId
from scheduling.domain.settings import CalendarLimits, CalendarRules
from scheduling.domain.slot import Slot


async def facts_for(
    transaction: Transaction,
    request: BookingRequest,
    *,
    now: datetime,
    own: AppointmentId | None,
) -> BookingFacts:
    """One reading; where limits are set, a lock, a second one and what they count."""
    facts = await _read(transaction, request)
    if not facts.limited or not facts.slots:
        return facts
    slot = facts.slots[0]
    lock = f"{transaction.caller.tenant_id}/{slot.practitioner_id}"
    await transaction.row(locking_practitioner(), practitioner=lock)
    facts = await _read(transaction, request)
    week = week_of(slot)
    rows = await transaction.rows(
        reading_starts(),
        practitioners=[slot.practitioner_id],
        start=week.start,
        end=week.end,
        own=own,
        now=now,
    )
    taken_of: dict[ScheduleId, tuple[datetime, ...]] = {}
    for row in rows:
        id = ScheduleId(row["schedule_id"])
        taken_of[id] = (*taken_of.get(id, ()), row["starts_at"])
    taken = tuple(row["starts_at"] for row in rows)
    return replace(facts, taken=taken, taken_of=taken_of)


async def _read(transaction: Transaction, request: BookingRequest) -> BookingFacts:
    when = request.when
    others = [
        {"kind": int(ActorKind.PATIENT), "id": request.patient_id},
        *({"kind": int(r.kind), "id": r.id} for r in request.resources),
    ]
    values: dict[str, Any] = {
        "patient_id": request.patient_id,
        "others": orjson.dumps(others, default=str).decode(),
    }
    if isinstance(when, BySlot):
        values["slot_id"] = when.slot_id
    else:
        values |= {
            "practitioner_id": when.practitioner_id,
            "location_id": when.location_id,
            "start": when.period.start,
            "end": when.period.end,
        }
    by_slot = isinstance(when, BySlot)
    row = await transaction.row(reading_for_booking(by_slot=by_slot), **values)
    return _facts_from(row, _the_slot(row) if by_slot else _all_slots(row))


def _the_slot(row: Any) -> tuple[Slot, ...]:  # noqa: ANN401
    return () if row["slot_id"] is None else (slot_from(row, "slot_"),)


def _all_slots(row: Any) -> tuple[Slot, ...]:  # noqa: ANN401
    return tuple(
        _slot_from_json(values) for values in orjson.loads(row["slots"] or "[]")
    )


def _slot_from_json(values: list[Any]) -> Slot:
    row = dict(zip(SLOT_COLUMNS, values, strict=True))
    for name in ("id", "schedule_id", "practitioner_id", "location_id"):
        row[name] = UUID(row[name])
    for name in ("starts_at", "ends_at"):
        row[name] = datetime.fromisoformat(row[name])
    return slot_from(row)


def _facts_from(one: Any, slots: tuple[Slot, ...]) -> BookingFacts:  # noqa: ANN401
    found = (one["claims"], one["other_claims"])
    calendars = orjson.loads(one["calendars"] or "[]")
    claims = [claim_from(j) for json in found if json for j in orjson.loads(json)]
    return BookingFacts(
        settings=settings_from(one),
        patient_active=one["patient_active"],
        preferences=preferences_from(one),
        practitioner_active=one["practitioner_active"],
        location_active=one["location_active"],
        location_timezone=one["location_timezone"] or "UTC",
        assignments=tuple(
            assignment_from(role)[1]
            for role in orjson.loads(one["assignments"] or "[]")
        ),
        has_schedule=bool(calendars),
        slots=slots,
        claims=tuple(claims),
        rules={
            ScheduleId(UUID(id)): CalendarRules(
                horizon, notice, CalendarLimits(*limits)
            )
            for id, horizon, notice, *limits in calendars
        },
    )

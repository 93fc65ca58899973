"""What storage knows of a request: the facts that a booking is decided on."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from scheduling.adapters.postgres.appointment_statements import (
    SLOT_COLUMNS,
    reading_for_booking,
    reading_for_bookings,
)
from scheduling.adapters.postgres.assignments import assignment_from
from scheduling.adapters.postgres.directory_rows import (
    preferences_from,
    settings_from,
)
from scheduling.adapters.postgres.limits import reading_starts
from scheduling.adapters.postgres.rows import claim_from, slot_from
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.adapters.postgres.turns import locking_practitioner
from scheduling.domain.booking import BookingFacts, week_of
from scheduling.domain.booking_request import BookingRequest, BySlot
from scheduling.domain.claim import ActorKind
from scheduling.domain.identifiers import AppointmentId, ScheduleId
from scheduling.domain.period import Period
from scheduling.domain.settings import CalendarLimits, CalendarRules
from scheduling.domain.slot import Slot


async def facts_for(
    transaction: Transaction,
    request: BookingRequest,
    *,
    now: datetime,
    own: AppointmentId | None,
    holding: bool,
) -> BookingFacts:
    """One reading; where limits are set, a lock, a second one and what they count. Who
    has the lock already needs neither.
    """
    [facts] = await _known(transaction, [request], now=now, own=own, holding=holding)
    return facts


async def facts_for_all(
    transaction: Transaction, requests: Sequence[BookingRequest], *, now: datetime
) -> Sequence[BookingFacts]:
    """As many readings for all of them as for one."""
    return await _known(transaction, requests, now=now) if requests else ()


async def _known(
    transaction: Transaction,
    requests: Sequence[BookingRequest],
    *,
    now: datetime,
    own: AppointmentId | None = None,
    holding: bool = False,
) -> Sequence[BookingFacts]:
    counting = now if holding else None
    found = await _read(transaction, requests, counting)
    limited = [facts.slots[0] for facts in found if facts.limited and facts.slots]
    if not limited:
        return found
    practitioner_id = limited[0].practitioner_id
    if practitioner_id not in transaction.kept_waiting:
        lock = f"{transaction.caller.tenant_id}/{practitioner_id}"
        await transaction.row(locking_practitioner(), practitioner=lock)
        transaction.kept_waiting.add(practitioner_id)
        found = await _read(transaction, requests, counting)
    weeks = [week_of(slot) for slot in limited]
    rows = await transaction.rows(
        reading_starts(),
        practitioners=[practitioner_id],
        start=min(week.start for week in weeks),
        end=max(week.end for week in weeks),
        own=own,
        now=now,
    )
    counted = sorted((row["starts_at"], ScheduleId(row["schedule_id"])) for row in rows)
    return [_counting(facts, counted) for facts in found]


def _counting(
    facts: BookingFacts, counted: Sequence[tuple[datetime, ScheduleId]]
) -> BookingFacts:
    """Add the starts of its own week: a day or a week is all that limits count."""
    if not facts.slots:
        return facts
    week = week_of(facts.slots[0])
    first, last = (bisect_left(counted, (end,)) for end in (week.start, week.end))
    taken_of: dict[ScheduleId, tuple[datetime, ...]] = {}
    for start, id in counted[first:last]:
        taken_of[id] = (*taken_of.get(id, ()), start)
    taken = tuple(start for start, _ in counted[first:last])
    return replace(facts, taken=taken, taken_of=taken_of)


async def _read(
    transaction: Transaction,
    requests: Sequence[BookingRequest],
    counting: datetime | None,
) -> list[BookingFacts]:
    """`counting`: holds that are live at that instant are counted."""
    first = requests[0]
    others = [
        {"kind": int(ActorKind.PATIENT), "id": first.patient_id},
        *({"kind": int(r.kind), "id": r.id} for r in first.resources),
    ]
    values: dict[str, Any] = {
        "patient_id": first.patient_id,
        "others": orjson.dumps(others, default=str).decode(),
    }
    holding = counting is not None
    if holding:
        values["now"] = counting
    if isinstance(first.when, BySlot):
        values["slot_id"] = first.when.slot_id
        row = await transaction.row(reading_for_booking(holding=holding), **values)
        return [_facts_from(row, _the_slot(row), holding=holding)]
    periods = [
        {"number": number, "starts_at": one.start, "ends_at": one.end}
        for number, one in enumerate(map(_period, requests))
    ]
    rows = await transaction.rows(
        reading_for_bookings(holding=holding),
        practitioner_id=first.when.practitioner_id,
        location_id=first.when.location_id,
        periods=orjson.dumps(periods).decode(),
        **values,
    )
    return [_facts_from(row, _all_slots(row), holding=holding) for row in rows]


def _period(request: BookingRequest) -> Period:
    if isinstance(request.when, BySlot):
        raise TypeError("several are asked for by start")
    return request.when.period


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


def _facts_from(
    one: Any,  # noqa: ANN401
    slots: tuple[Slot, ...],
    *,
    holding: bool,
) -> BookingFacts:
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
        live_holds=one["live_holds"] if holding else 0,
        rules={
            ScheduleId(UUID(id)): CalendarRules(
                horizon, notice, CalendarLimits(*limits)
            )
            for id, horizon, notice, *limits in calendars
        },
    )

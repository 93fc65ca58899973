"""Appointments with their claims, seats and reminders."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.appointment_statements import (
    SLOT_COLUMNS,
    locking_practitioner,
    reading_for_booking,
    reading_with_slots,
)
from scheduling.adapters.postgres.assignments import assignment_from
from scheduling.adapters.postgres.batch import (
    APPOINTMENTS,
    CLAIMS,
    NEW_APPOINTMENTS,
    REMINDERS,
    REMINDERS_CALLED_OFF,
    SEATS_TAKEN,
    SLOTS,
    TIME_GIVEN_BACK,
)
from scheduling.adapters.postgres.directory import reading_by_id
from scheduling.adapters.postgres.directory_rows import (
    preferences_from,
    settings_from,
)
from scheduling.adapters.postgres.limits import reading_starts
from scheduling.adapters.postgres.rows import (
    appointment_from,
    appointment_row,
    claim_from,
    claim_row,
    slot_from,
)
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.repositories import AppointmentRepository
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import (
    Booking,
    BookingFacts,
    week_of,
)
from scheduling.domain.booking_request import (
    BookingRequest,
    BySlot,
)
from scheduling.domain.claim import ActorKind
from scheduling.domain.errors import (
    AppointmentNotFound,
    DoubleBookingDetected,
    OptimisticLockConflict,
    SlotNotAvailable,
)
from scheduling.domain.events import AppointmentStatusChanged
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.slot import Slot

_BEFORE_ANY_HOLD = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class PostgresAppointments(AppointmentRepository):
    """Storing an appointment stores its events: neither is ever there alone."""

    transaction: Transaction

    async def facts_for(self, request: BookingRequest) -> BookingFacts:
        facts = await self._read_facts(request)
        if not facts.settings.limits.any or not facts.slots:
            return facts
        slot = facts.slots[0]
        lock = f"{self.transaction.caller.tenant_id}/{slot.practitioner_id}"
        await self.transaction.row(locking_practitioner(), practitioner=lock)
        facts = await self._read_facts(request)
        week = week_of(slot)
        rows = await self.transaction.rows(
            reading_starts(),
            practitioners=[slot.practitioner_id],
            start=week.start,
            end=week.end,
            own=None,
            now=_BEFORE_ANY_HOLD,
        )
        return replace(facts, taken=tuple(row["starts_at"] for row in rows))

    async def _read_facts(self, request: BookingRequest) -> BookingFacts:
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
        row = await self.transaction.row(reading_for_booking(by_slot=by_slot), **values)
        return _facts_from(row, _the_slot(row) if by_slot else _all_slots(row))

    def add(self, booking: Booking) -> None:
        appointment, batch = booking.appointment, self.transaction.batch
        start = appointment.period.start.isoformat()
        batch.add(
            SEATS_TAKEN,
            *(
                {"id": slot_id, "overbooked": appointment.overbooked}
                for slot_id in booking.seats
            ),
            otherwise=SlotNotAvailable(f"The last seat at {start} has just gone."),
        )
        batch.add(
            NEW_APPOINTMENTS,
            appointment_row(appointment),
            otherwise=OptimisticLockConflict(f"{appointment.id} is there already."),
        )
        batch.add(
            CLAIMS,
            *(claim_row(claim) for claim in booking.claims),
            otherwise=DoubleBookingDetected(f"The time at {start} has just gone."),
        )
        batch.add(
            REMINDERS,
            *(
                {
                    "id": reminder.id,
                    "appointment_id": appointment.id,
                    "appointment_version": appointment.version,
                    "offset_minutes": reminder.offset_minutes,
                    "channel": reminder.channel,
                    "due_at": reminder.due_at,
                    "status": "SCHEDULED",
                    "reason": None,
                    "attempts": 0,
                    "sent_at": None,
                }
                for reminder in booking.reminders
            ),
            otherwise=OptimisticLockConflict(f"{appointment.id} is there already."),
        )
        self.transaction.announce(appointment.events)
        changes: dict[str, tuple[object, object]] = {
            "status": (None, appointment.status)
        }
        if appointment.overbooked:
            changes["overbooked"] = (None, True)
        self._audit("appointment.booked", appointment, changes)

    async def get(self, id: AppointmentId) -> Appointment:
        appointment = await self.find(id)
        if appointment is None:
            raise AppointmentNotFound(id)
        return appointment

    async def find(self, id: AppointmentId) -> Appointment | None:
        row = await self.transaction.row(reading_by_id(t.appointments), id=id)
        return None if row is None else appointment_from(row)

    async def with_slots(
        self, id: AppointmentId
    ) -> tuple[Appointment, tuple[Slot, ...]]:
        rows = await self.transaction.rows(reading_with_slots(), id=id)
        if not rows:
            raise AppointmentNotFound(id)
        slots = tuple(
            slot_from(row, "slot_") for row in rows if row["slot_id"] is not None
        )
        return appointment_from(rows[0]), slots

    def release(self, appointment: Appointment, slots: Sequence[Slot]) -> None:
        batch = self.transaction.batch
        changed = OptimisticLockConflict(f"Appointment {appointment.id} has changed.")
        batch.add(APPOINTMENTS, appointment_row(appointment), otherwise=changed)
        batch.add(
            SLOTS,
            *(
                {
                    "id": slot.id,
                    "status": slot.status,
                    "booked": slot.booked,
                    "version": slot.version,
                }
                for slot in slots
            ),
            otherwise=changed,
        )
        batch.add(
            TIME_GIVEN_BACK,
            *(
                {
                    "appointment_id": appointment.id,
                    "actor_kind": int(kind),
                    "actor_id": actor_id,
                    "starts_at": appointment.period.start,
                    "ends_at": appointment.period.end,
                }
                for kind, actor_id in appointment.actors
            ),
        )
        batch.add(
            REMINDERS_CALLED_OFF, {"id": appointment.id, "reason": appointment.status}
        )
        self.transaction.announce(appointment.events)
        for slot in slots:
            self.transaction.announce(slot.events)
        self._audit(
            f"appointment.{appointment.status}",
            appointment,
            {
                "status": (_status_before(appointment), appointment.status),
                "reasonCode": (None, appointment.status_reason_code),
            },
        )

    def _audit(
        self,
        action: str,
        appointment: Appointment,
        changes: dict[str, tuple[object, object]],
    ) -> None:
        self.transaction.audit(
            action,
            "appointment",
            appointment.id,
            version=appointment.version,
            changes=changes,
            at=appointment.updated_at,
        )


def _status_before(appointment: Appointment) -> str | None:
    steps = (e for e in appointment.events if isinstance(e, AppointmentStatusChanged))
    return next((step.old_status for step in steps), None)


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
        has_schedule=one["has_schedule"],
        slots=slots,
        claims=tuple(claims),
    )

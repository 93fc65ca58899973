"""Appointments with their claims, seats and reminders."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Integer,
    Interval,
    Text,
    Uuid,
    and_,
    exists,
    func,
    literal_column,
    select,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import (
    APPOINTMENTS,
    CLAIMS,
    JSON_TEXT,
    NEW_APPOINTMENTS,
    REMINDERS,
    REMINDERS_CALLED_OFF,
    SEATS_TAKEN,
    SLOTS,
    TENANT,
    TIME_GIVEN_BACK,
)
from scheduling.adapters.postgres.directory import reading_by_id, settings_columns
from scheduling.adapters.postgres.rows import (
    appointment_from,
    appointment_row,
    claim_from,
    claim_row,
    preferences_from,
    settings_from,
    slot_from,
)
from scheduling.adapters.postgres.slots import (
    around,
    assignment_from,
    assignment_json,
    claimed_by,
    given,
    kind,
    reading_starts,
)
from scheduling.adapters.postgres.statements import Statement, compiled
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.repositories import AppointmentRepository
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import (
    Booking,
    BookingFacts,
    BookingRequest,
    BySlot,
    week_of,
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

_INSTANT = DateTime(timezone=True)


@cache
def reading_for_booking(*, by_slot: bool) -> Statement:
    """All that a booking decision needs: one row for each slot that may serve, with
    the answers that hold for all of them repeated in it.

    Everything hangs on one row that is always there, so that what is missing (patient,
    slot, practitioner) comes back as null and the domain names it.
    """
    slots, practitioners, locations = t.slots, t.practitioners, t.locations
    practitioner_id: ColumnElement[Any]
    location_id: ColumnElement[Any]
    start: ColumnElement[Any]
    end: ColumnElement[Any]
    if by_slot:
        practitioner_id, location_id = slots.c.practitioner_id, slots.c.location_id
        start, end = slots.c.starts_at, slots.c.ends_at
        serves = slots.c.id == given("slot_id", Uuid)
    else:
        practitioner_id = given("practitioner_id", Uuid)
        location_id = given("location_id", Uuid)
        start, end = given("start", _INSTANT), given("end", _INSTANT)
        serves = and_(
            slots.c.practitioner_id == practitioner_id,
            slots.c.location_id == location_id,
            slots.c.starts_at >= start,
            slots.c.starts_at < end,
        )
    asked = select(literal_column("1").label("one")).subquery("asked")
    return compiled(
        select(
            t.patients.c.active.label("patient_active"),
            t.patients.c.prefers_whatsapp,
            t.patients.c.prefers_sms,
            t.patients.c.prefers_email,
            *settings_columns(),
            practitioners.c.active.label("practitioner_active"),
            locations.c.active.label("location_active"),
            locations.c.timezone.label("location_timezone"),
            _assignments(practitioner_id, location_id).label("assignments"),
            _has_schedule(practitioner_id, location_id).label("has_schedule"),
            *(c.label(f"slot_{c.name}") for c in slots.c if c.name != "tenant_id"),
            _claims_of_practitioner(practitioner_id, start, end).label("claims"),
            _claims_of_others(start, end).label("other_claims"),
        )
        .select_from(asked)
        .outerjoin(
            t.patients,
            and_(
                t.patients.c.tenant_id == TENANT,
                t.patients.c.id == given("patient_id", Uuid),
            ),
        )
        .outerjoin(t.settings, t.settings.c.tenant_id == TENANT)
        .outerjoin(slots, and_(slots.c.tenant_id == TENANT, serves))
        .outerjoin(
            practitioners,
            and_(
                practitioners.c.tenant_id == TENANT,
                practitioners.c.id == practitioner_id,
            ),
        )
        .outerjoin(
            locations,
            and_(locations.c.tenant_id == TENANT, locations.c.id == location_id),
        )
        .order_by(slots.c.starts_at, slots.c.id)
    )


def _buffer() -> ColumnElement[Any]:
    minutes = func.coalesce(t.settings.c.buffer_minutes, literal_column("0"))
    zero: ColumnElement[int] = literal_column("0")
    return func.make_interval(zero, zero, zero, zero, zero, minutes, type_=Interval)


def _assignments(
    practitioner_id: ColumnElement[Any], location_id: ColumnElement[Any]
) -> Any:  # noqa: ANN401
    roles = t.practitioner_roles
    return (
        select(func.json_agg(assignment_json()))
        .where(
            roles.c.tenant_id == TENANT,
            roles.c.practitioner_id == practitioner_id,
            roles.c.location_id == location_id,
        )
        .scalar_subquery()
    )


def _has_schedule(
    practitioner_id: ColumnElement[Any], location_id: ColumnElement[Any]
) -> ColumnElement[bool]:
    return exists().where(
        t.schedules.c.tenant_id == TENANT,
        t.schedules.c.practitioner_id == practitioner_id,
        t.schedules.c.location_id == location_id,
    )


def _claim_json() -> ColumnElement[Any]:
    claims = t.claims
    return func.json_agg(
        func.json_build_array(
            claims.c.appointment_id,
            claims.c.actor_kind,
            claims.c.actor_id,
            claims.c.share_id,
            claims.c.starts_at,
            claims.c.ends_at,
            claims.c.until,
            claims.c.overbooked,
        )
    )


def _claims_of_practitioner(
    practitioner_id: ColumnElement[Any],
    start: ColumnElement[Any],
    end: ColumnElement[Any],
) -> Any:  # noqa: ANN401
    return (
        select(_claim_json())
        .where(
            claimed_by(practitioner_id, kind(ActorKind.PRACTITIONER)),
            around(start, end + _buffer()),
        )
        .scalar_subquery()
    )


def _claims_of_others(start: ColumnElement[Any], end: ColumnElement[Any]) -> Any:  # noqa: ANN401
    """Of the patient and the named resources, handed in as JSON."""
    others = (
        func.json_to_recordset(given("others", JSON_TEXT))
        .table_valued(Column("kind", Integer), Column("id", Uuid))
        .render_derived(name="others", with_types=True)
    )
    return (
        select(_claim_json())
        .select_from(others)
        .join(
            t.claims,
            and_(claimed_by(others.c.id, others.c.kind), around(start, end)),
        )
        .scalar_subquery()
    )


@cache
def _locking_practitioner() -> Statement:
    """Where limits are set, a practitioner's bookings are decided one by one."""
    name = func.hashtextextended(given("practitioner", Text), literal_column("42"))
    return compiled(select(func.pg_advisory_xact_lock(name)))


@cache
def _reading_with_slots() -> Statement:
    """An appointment and its slots, locked: the appointment first, then the slots by
    start, as all who lock both do.
    """
    appointments, slots = t.appointments, t.slots
    one = (
        select(appointments)
        .where(
            appointments.c.tenant_id == TENANT, appointments.c.id == given("id", Uuid)
        )
        .with_for_update(key_share=True)
        .cte("one")
    )
    ids = select(func.unnest(one.c.slot_ids))
    of_it = (
        select(slots)
        .where(slots.c.tenant_id == TENANT, slots.c.id.in_(ids))
        .order_by(slots.c.starts_at)
        .with_for_update(key_share=True)
        .cte("of_it")
    )
    return compiled(
        select(
            one,
            *(c.label(f"slot_{c.name}") for c in of_it.c if c.name != "tenant_id"),
        )
        .select_from(one)
        .outerjoin(of_it, literal_column("true"))
        .order_by(of_it.c.starts_at)
    )


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
        await self.transaction.row(_locking_practitioner(), practitioner=lock)
        facts = await self._read_facts(request)
        week = week_of(slot)
        rows = await self.transaction.rows(
            reading_starts(),
            practitioners=[slot.practitioner_id],
            start=week.start,
            end=week.end,
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
        rows = await self.transaction.rows(
            reading_for_booking(by_slot=isinstance(when, BySlot)), **values
        )
        return _facts_from(rows)

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
        self._audit(
            "appointment.booked", appointment, {"status": (None, appointment.status)}
        )

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
        rows = await self.transaction.rows(_reading_with_slots(), id=id)
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


def _facts_from(rows: Sequence[Any]) -> BookingFacts:
    one = rows[0]
    claims = {
        json: claim_from(json)
        for row in rows
        for found in (row["claims"], row["other_claims"])
        if found is not None
        for json in map(tuple, orjson.loads(found))
    }
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
        slots=tuple(slot_from(row, "slot_") for row in rows if row["slot_id"]),
        claims=tuple(claims.values()),
    )

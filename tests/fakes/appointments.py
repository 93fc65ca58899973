"""Appointments with their claims, seats and reminders in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from scheduling.application.ports.repositories import AppointmentRepository
from scheduling.application.ports.unit_of_work import (
    DecisionOutdated,
    TransactionAborted,
)
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import (
    Booking,
    BookingFacts,
    week_of,
)
from scheduling.domain.booking_request import (
    BookingRequest,
    BySlot,
    ByStart,
)
from scheduling.domain.claim import Claim
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import (
    AppointmentNotFound,
    DoubleBookingDetected,
    SlotNotAvailable,
)
from scheduling.domain.events import AppointmentStatusChanged
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PractitionerId,
    SlotId,
)
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot, SlotStatus
from tests.fakes.directory import demand_next
from tests.fakes.slots import assignments, standing, starts_in
from tests.fakes.transaction import StoredReminder, Tables, Transaction

_NOWHERE = ByStart(
    PractitionerId(UUID(int=0)),
    LocationId(UUID(int=0)),
    Period.of(datetime(1970, 1, 1, tzinfo=UTC), timedelta(1)),
)


@dataclass
class MemoryAppointments(AppointmentRepository):
    transaction: Transaction

    async def facts_for(self, request: BookingRequest) -> BookingFacts:
        facts = self._facts(request)
        if not facts.settings.limits.any or not facts.slots:
            return facts
        slot = facts.slots[0]
        await self.transaction.lock("practitioner", slot.practitioner_id)
        starts = starts_in(
            self.transaction.tables, {slot.practitioner_id}, week_of(slot)
        )
        return replace(self._facts(request), taken=tuple(start for _, start in starts))

    def _facts(self, request: BookingRequest) -> BookingFacts:
        tables = self.transaction.tables
        slots = tuple(_that_may_serve(request.when, tables))
        asked: ByStart | Slot = (
            request.when
            if isinstance(request.when, ByStart)
            else slots[0]
            if slots
            else _NOWHERE
        )
        where = (asked.practitioner_id, asked.location_id)
        practitioner = tables.practitioners.get(where[0])
        location = tables.locations.get(where[1])
        patient = tables.patients.get(request.patient_id)
        return BookingFacts(
            settings=tables.settings.get(None, Settings()),
            patient_active=patient.active if patient else None,
            preferences=patient.preferences if patient else ContactPreferences(),
            practitioner_active=practitioner.active if practitioner else None,
            location_active=location.active if location else None,
            location_timezone=location.timezone if location else "UTC",
            assignments=tuple(assignments(tables).get(where, ())),
            has_schedule=any(
                (one.practitioner_id, one.location_id) == where
                for one in tables.schedules.values()
            ),
            slots=slots,
            claims=tuple(standing(tables)),
        )

    def add(self, booking: Booking) -> None:
        appointment = booking.appointment

        def write(tables: Tables) -> None:
            if appointment.id in tables.appointments:
                raise TransactionAborted
            for slot_id in booking.seats:
                _take_seat(tables, slot_id, overbooked=appointment.overbooked)
            tables.appointments[appointment.id] = replace(appointment, events=())
            _take_time(tables, booking.claims)
            tables.reminders[appointment.id] = tuple(
                StoredReminder(
                    appointment_id=appointment.id,
                    appointment_version=appointment.version,
                    offset_minutes=reminder.offset_minutes,
                    channel=reminder.channel,
                    due_at=reminder.due_at,
                )
                for reminder in booking.reminders
            )

        self.transaction.change(write)
        self.transaction.announce(appointment.events)
        self.transaction.audit(
            "appointment.booked",
            appointment.id,
            appointment.version,
            {"status": (None, appointment.status)},
        )

    async def get(self, id: AppointmentId) -> Appointment:
        found = await self.find(id)
        if found is None:
            raise AppointmentNotFound(id)
        return found

    async def find(self, id: AppointmentId) -> Appointment | None:
        return self.transaction.tables.appointments.get(id)

    async def with_slots(
        self, id: AppointmentId
    ) -> tuple[Appointment, tuple[Slot, ...]]:
        await self.transaction.lock("appointment", id)
        appointment = await self.get(id)
        slots = self.transaction.tables.slots
        return appointment, tuple(slots[one] for one in appointment.slot_ids)

    def release(self, appointment: Appointment, slots: Sequence[Slot]) -> None:
        def write(tables: Tables) -> None:
            demand_next(tables.appointments.get(appointment.id), appointment.version)
            for slot in slots:
                demand_next(tables.slots.get(slot.id), slot.version)
            tables.appointments[appointment.id] = replace(appointment, events=())
            for slot in slots:
                tables.slots[slot.id] = replace(slot, events=())
            tables.claims.pop(appointment.id, None)
            tables.reminders[appointment.id] = tuple(
                replace(reminder, status="CANCELLED")
                for reminder in tables.reminders.get(appointment.id, ())
            )

        self.transaction.change(write)
        self.transaction.announce(appointment.events)
        for slot in slots:
            self.transaction.announce(slot.events)
        steps = [
            one
            for one in appointment.events
            if isinstance(one, AppointmentStatusChanged)
        ]
        self.transaction.audit(
            f"appointment.{appointment.status}",
            appointment.id,
            appointment.version,
            {
                "status": (steps[0].old_status if steps else None, appointment.status),
                "reasonCode": (None, appointment.status_reason_code),
            },
        )


def _that_may_serve(when: BySlot | ByStart, tables: Tables) -> Iterator[Slot]:
    slots = sorted(tables.slots.values(), key=lambda one: (one.period.start, one.id))
    for slot in slots:
        if (
            slot.id == when.slot_id
            if isinstance(when, BySlot)
            else (slot.practitioner_id, slot.location_id)
            == (when.practitioner_id, when.location_id)
            and when.period.start <= slot.period.start < when.period.end
        ):
            yield slot


def _take_seat(tables: Tables, slot_id: SlotId, *, overbooked: bool) -> None:
    slot = tables.slots.get(slot_id)
    if (
        slot is None
        or slot.status not in {SlotStatus.FREE, SlotStatus.BUSY}
        or not (overbooked or slot.booked < slot.capacity)
    ):
        raise DecisionOutdated(SlotNotAvailable("The last seat has just gone."))
    full = slot.booked + 1 >= slot.capacity
    tables.slots[slot_id] = replace(
        slot,
        booked=slot.booked + 1,
        status=SlotStatus.BUSY if full else SlotStatus.FREE,
        version=slot.version + 1,
    )


def _take_time(tables: Tables, claims: Sequence[Claim]) -> None:
    for claim in claims:
        if not claim.overbooked and any(
            claim.is_in_the_way_of(other)
            for other in standing(tables)
            if not other.overbooked
        ):
            raise DecisionOutdated(DoubleBookingDetected("The time has just gone."))
    if claims:
        tables.claims[claims[0].appointment_id] = tuple(claims)

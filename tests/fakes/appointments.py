"""Appointments with their claims, seats and reminders in memory."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
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
from scheduling.domain.changes import changes_between
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import (
    AppointmentNotFound,
    NotBookable,
    PatientNotFound,
    SlotNotAvailable,
)
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    SeriesId,
    SlotId,
)
from scheduling.domain.moving import Move
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot
from scheduling.domain.status import Status
from tests.fakes.directory import demand_next
from tests.fakes.slots import assignments, counted_in, standing
from tests.fakes.taking import take_seat, take_time
from tests.fakes.transaction import StoredReminder, Tables, Transaction

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_NOWHERE = ByStart(
    PractitionerId(UUID(int=0)),
    LocationId(UUID(int=0)),
    Period.of(_ANY_TIME, timedelta(1)),
)


@dataclass
class MemoryAppointments(AppointmentRepository):
    transaction: Transaction

    async def facts_for(
        self,
        request: BookingRequest,
        *,
        now: datetime,
        own: AppointmentId | None = None,
        holding: bool = False,
    ) -> BookingFacts:
        facts = self._facts(request)
        if holding:
            live = self._live_holds(request.patient_id, now)
            facts = replace(facts, live_holds=live)
        if not facts.limited or not facts.slots:
            return facts
        slot = facts.slots[0]
        await self.transaction.lock("practitioner", slot.practitioner_id)
        counted = list(
            counted_in(
                self.transaction.tables,
                {slot.practitioner_id},
                week_of(slot),
                now=now,
                own=own,
            )
        )
        return replace(
            self._facts(request),
            live_holds=facts.live_holds,
            taken=tuple(one.period.start for one in counted),
            taken_of={
                schedule_id: tuple(
                    one.period.start
                    for one in counted
                    if one.schedule_id == schedule_id
                )
                for schedule_id in {one.schedule_id for one in counted}
            },
        )

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
            rules={
                one.id: one.rules
                for one in tables.schedules.values()
                if (one.practitioner_id, one.location_id) == where
            },
        )

    async def facts_for_all(
        self, requests: Sequence[BookingRequest], *, now: datetime
    ) -> Sequence[BookingFacts]:
        return [await self.facts_for(request, now=now) for request in requests]

    def add(self, booking: Booking) -> None:
        appointment = booking.appointment

        def write(tables: Tables) -> None:
            if appointment.id in tables.appointments:
                raise TransactionAborted
            patient = tables.patients.get(appointment.patient_id)
            if patient is None or not patient.active:
                raise DecisionOutdated(PatientNotFound(appointment.patient_id))

        self.transaction.change(write)
        self._store(appointment)
        self._take(booking, SlotNotAvailable)
        self._tell(appointment)

    def add_all(self, bookings: Sequence[Booking]) -> None:
        for booking in sorted(bookings, key=lambda one: one.appointment.period.start):
            self.add(booking)

    def keep(self, appointment: Appointment) -> None:
        self._demand_next(appointment)
        self._store(appointment)
        self._tell(appointment)

    def move(self, move: Move) -> None:
        appointment = move.appointment
        self._demand_next(appointment)
        self._store(appointment)
        if appointment.before is not None and appointment.before.status.keeps_time:
            before, kept = appointment.before, appointment.slot_ids
            self._give_time_back(before, None if move.keeps_reminders else "moved")
            self._give_seats_back(id for id in before.slot_ids if id not in kept)
        self._take(move.booking, move.no_seat)
        self._tell(appointment)
        self._announce_slots(move.freed)

    def release(self, appointment: Appointment, slots: Sequence[Slot]) -> None:
        self.release_all([appointment], slots)

    def release_all(
        self, appointments: Sequence[Appointment], slots: Sequence[Slot]
    ) -> None:
        left: list[SlotId] = []
        for appointment in appointments:
            self._demand_next(appointment)
            self._store(appointment)
            before = appointment.before
            if before is not None and before.status.keeps_time:
                self._give_time_back(before, appointment.status)
                left += before.slot_ids
            self._tell(appointment)
        self._give_seats_back(left)
        self._announce_slots(slots)

    def then(self) -> None:
        """Nothing to do: changes are made one after the other here."""

    async def series(self, id: SeriesId) -> Sequence[Appointment]:
        found = self.transaction.tables.appointments.values()
        return sorted(
            (one for one in found if one.series_id == id),
            key=lambda one: one.series_index or 0,
        )

    def _demand_next(self, appointment: Appointment) -> None:
        self.transaction.change(
            lambda tables: demand_next(
                tables.appointments.get(appointment.id), appointment.version
            )
        )

    def _store(self, appointment: Appointment) -> None:
        def write(tables: Tables) -> None:
            tables.appointments[appointment.id] = replace(
                appointment, events=(), before=None
            )

        self.transaction.change(write)

    def _take(self, booking: Booking, no_seat: type[NotBookable]) -> None:
        appointment = booking.appointment

        def write(tables: Tables) -> None:
            for slot_id in booking.seats:
                take_seat(tables, slot_id, no_seat, overbooked=appointment.overbooked)
            take_time(tables, booking.claims)
            tables.reminders[appointment.id] = (
                *tables.reminders.get(appointment.id, ()),
                *(
                    StoredReminder(
                        id=reminder.id,
                        appointment_id=appointment.id,
                        appointment_version=appointment.version,
                        offset_minutes=reminder.offset_minutes,
                        channel=reminder.channel,
                        due_at=reminder.due_at,
                        reason=reminder.reason,
                    )
                    for reminder in booking.reminders
                ),
            )

        self.transaction.change(write)

    def _give_seats_back(self, slot_ids: Iterable[SlotId]) -> None:
        left = Counter(slot_ids)  # a slot that several leave at once changes once

        def write(tables: Tables) -> None:
            for id, seats in left.items():
                if id in tables.slots:  # nobody is told from here
                    freed = tables.slots[id].released(_ANY_TIME, seats=seats)
                    tables.slots[id] = replace(freed, events=())

        if left:
            self.transaction.change(write)

    def _give_time_back(self, appointment: Appointment, why: str | None) -> None:
        def write(tables: Tables) -> None:
            tables.claims.pop(appointment.id, None)
            tables.reminders[appointment.id] = tuple(
                replace(reminder, status="CANCELLED", reason=why)
                if reminder.status == "SCHEDULED" and why is not None
                else reminder
                for reminder in tables.reminders.get(appointment.id, ())
            )

        self.transaction.change(write)

    def _tell(self, appointment: Appointment) -> None:
        self.transaction.announce(appointment.events)
        self.transaction.audit(
            appointment.last_step,
            appointment.id,
            appointment.version,
            changes_between(appointment.before, appointment),
            at=appointment.updated_at,
        )

    def _announce_slots(self, slots: Sequence[Slot]) -> None:
        for slot in slots:
            self.transaction.announce(slot.events)

    async def one_hold_at_a_time(self, patient_id: PatientId) -> None:
        await self.transaction.lock("patient", patient_id)

    async def run_out(self, now: datetime, *, limit: int) -> Sequence[AppointmentId]:
        tables = self.transaction.tables
        offered = {
            entry.offer.appointment_id
            for entry in tables.waitlist.values()
            if entry.offer is not None
        }
        over = sorted(
            (one.hold_expires_at, one.id)
            for one in tables.appointments.values()
            if one.status is Status.PENDING
            and one.hold_expires_at is not None
            and one.hold_expires_at <= now
            and one.id not in offered
        )
        return [id for _, id in over[:limit]]

    def _live_holds(self, patient_id: PatientId, now: datetime) -> int:
        return sum(
            one.patient_id == patient_id
            and one.status is Status.PENDING
            and one.hold_expires_at is not None
            and one.hold_expires_at > now
            for one in self.transaction.tables.appointments.values()
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
        found = await self.all_with_slots([id])
        if not found:
            raise AppointmentNotFound(id)
        return found[0]

    async def to_move(
        self,
        id: AppointmentId,
        *,
        slot_id: SlotId | None = None,
        practitioner_id: PractitionerId | None = None,
    ) -> tuple[Appointment, tuple[Slot, ...]]:
        tables = self.transaction.tables
        concerned = set[UUID]()
        if id in tables.appointments:
            concerned.add(tables.appointments[id].practitioner_id)
        if slot_id in tables.slots:
            concerned.add(tables.slots[slot_id].practitioner_id)
        if practitioner_id is not None:
            concerned.add(practitioner_id)
        for one in sorted(concerned):
            await self.transaction.lock("practitioner", one)
        return await self.with_slots(id)

    async def all_with_slots(
        self,
        ids: Collection[AppointmentId],
        *,
        also: Collection[SlotId] = (),  # noqa: ARG002  # nobody waits for a slot here
    ) -> Sequence[tuple[Appointment, tuple[Slot, ...]]]:
        for id in sorted(ids):
            await self.transaction.lock("appointment", id)
        tables = self.transaction.tables
        return [
            (
                tables.appointments[id],
                tuple(
                    tables.slots[one]
                    for one in tables.appointments[id].slot_ids
                    if one in tables.slots
                ),
            )
            for id in sorted(set(ids))
            if id in tables.appointments
        ]

    async def of_series(
        self, id: SeriesId
    ) -> Sequence[tuple[Appointment, tuple[Slot, ...]]]:
        appointments = self.transaction.tables.appointments.values()
        return await self.all_with_slots(
            [one.id for one in appointments if one.series_id == id]
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

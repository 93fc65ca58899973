"""Appointments with their claims, seats and reminders."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.appointment_statements import (
    reading_series,
    reading_to_move,
    reading_with_slots,
)
from scheduling.adapters.postgres.batch import (
    APPOINTMENTS,
    CLAIMS,
    NEW_APPOINTMENTS,
    REMINDERS,
    REMINDERS_CALLED_OFF,
    SEATS_GIVEN_BACK,
    SEATS_TAKEN,
    TIME_GIVEN_BACK,
)
from scheduling.adapters.postgres.booking_facts import facts_for, facts_for_all
from scheduling.adapters.postgres.directory import reading_by_id
from scheduling.adapters.postgres.reminder_writes import stored_channel
from scheduling.adapters.postgres.rows import (
    appointment_from,
    appointment_row,
    claim_row,
    slot_from,
)
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.adapters.postgres.turns import locking_patient
from scheduling.adapters.postgres.waitlist_offer_statements import (
    reading_holds_run_out,
)
from scheduling.application.ports.repositories import AppointmentRepository
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import Booking, BookingFacts
from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.changes import changes_between
from scheduling.domain.errors import (
    AppointmentNotFound,
    DoubleBookingDetected,
    NotBookable,
    OptimisticLockConflict,
    PatientNotFound,
    SlotNotAvailable,
)
from scheduling.domain.identifiers import (
    AppointmentId,
    PatientId,
    PractitionerId,
    SeriesId,
    SlotId,
)
from scheduling.domain.moving import Move
from scheduling.domain.slot import Slot


@dataclass(frozen=True, slots=True)
class PostgresAppointments(AppointmentRepository):
    """Storing an appointment stores its events: neither is ever there alone."""

    transaction: Transaction

    async def facts_for(
        self,
        request: BookingRequest,
        *,
        now: datetime,
        own: AppointmentId | None = None,
        holding: bool = False,
    ) -> BookingFacts:
        return await facts_for(
            self.transaction, request, now=now, own=own, holding=holding
        )

    async def facts_for_all(
        self, requests: Sequence[BookingRequest], *, now: datetime
    ) -> Sequence[BookingFacts]:
        return await facts_for_all(self.transaction, requests, now=now)

    def add(self, booking: Booking) -> None:
        appointment = booking.appointment
        self.transaction.batch.add(
            NEW_APPOINTMENTS,
            appointment_row(appointment),
            otherwise=PatientNotFound(appointment.patient_id),
        )
        self._take(booking, SlotNotAvailable)
        self._tell(appointment)

    def add_all(self, bookings: Sequence[Booking]) -> None:
        """By start, and each with its claims in their order: of two who want the same
        weeks, both take what they share in one order.
        """
        for booking in sorted(bookings, key=lambda one: one.appointment.period.start):
            self.add(booking)

    def keep(self, appointment: Appointment) -> None:
        self._replace(appointment)
        self._tell(appointment)

    def move(self, move: Move) -> None:
        appointment = move.appointment
        self._replace(appointment)
        if appointment.before is not None and appointment.before.status.keeps_time:
            self._give_back(
                appointment.before,
                keeping=appointment.slot_ids,
                why=None if move.keeps_reminders else "moved",
            )
        self._take(move.booking, move.no_seat)
        self._tell(appointment)
        self._announce_slots(move.freed)

    def _take(self, booking: Booking, no_seat: type[NotBookable]) -> None:
        appointment, batch = booking.appointment, self.transaction.batch
        batch.add(
            SEATS_TAKEN,
            *(
                {"id": slot_id, "overbooked": appointment.overbooked}
                for slot_id in booking.seats
            ),
            otherwise=no_seat("The last seat has just gone."),
        )
        batch.add(
            CLAIMS,
            *(claim_row(claim) for claim in booking.claims),
            otherwise=DoubleBookingDetected("The time has just gone."),
        )
        batch.add(
            REMINDERS,
            *(
                {
                    "id": reminder.id,
                    "appointment_id": appointment.id,
                    "appointment_version": appointment.version,
                    "offset_minutes": reminder.offset_minutes,
                    "channel": stored_channel(reminder.channel),
                    "due_at": reminder.due_at,
                    "status": "SCHEDULED",
                    "reason": reminder.reason,
                    "attempts": 0,
                    "sent_at": None,
                }
                for reminder in booking.reminders
            ),
        )

    def _replace(self, appointment: Appointment) -> None:
        self.transaction.batch.add(
            APPOINTMENTS,
            appointment_row(appointment),
            otherwise=OptimisticLockConflict(
                f"Appointment {appointment.id} has changed."
            ),
        )

    def _give_back(
        self,
        appointment: Appointment,
        *,
        why: str | None,
        keeping: Collection[SlotId] = (),
    ) -> None:
        """Free what it took: its claims, its seats in slots that it does not keep, and
        its reminders that are not sent yet; where `why` is None, those stay.
        """
        batch = self.transaction.batch
        batch.add(
            SEATS_GIVEN_BACK,
            *({"id": id} for id in appointment.slot_ids if id not in keeping),
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
        if why is not None:
            batch.add(REMINDERS_CALLED_OFF, {"id": appointment.id, "reason": why})

    def _tell(self, appointment: Appointment) -> None:
        self.transaction.announce(appointment.events)
        self.transaction.audit(
            appointment.last_step,
            "appointment",
            appointment.id,
            version=appointment.version,
            changes=changes_between(appointment.before, appointment),
            at=appointment.updated_at,
        )

    def _announce_slots(self, slots: Sequence[Slot]) -> None:
        for slot in slots:
            self.transaction.announce(slot.events)

    async def one_hold_at_a_time(self, patient_id: PatientId) -> None:
        lock = f"{self.transaction.caller.tenant_id}/{patient_id}"
        await self.transaction.row(locking_patient(), patient=lock)

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
        rows = await self.transaction.rows(
            reading_to_move(), id=id, slot_id=slot_id, practitioner_id=practitioner_id
        )
        found = with_their_slots(rows)
        if not found:
            raise AppointmentNotFound(id)
        self.transaction.kept_waiting.update(rows[0]["kept_waiting"])
        return found[0]

    async def all_with_slots(
        self, ids: Collection[AppointmentId], *, also: Collection[SlotId] = ()
    ) -> Sequence[tuple[Appointment, tuple[Slot, ...]]]:
        given: dict[str, Any] = {"ids": list(ids)}
        if also:
            given["also"] = list(also)
        rows = await self.transaction.rows(
            reading_with_slots("ids", also=bool(also)), **given
        )
        return with_their_slots(rows)

    async def of_series(
        self, id: SeriesId
    ) -> Sequence[tuple[Appointment, tuple[Slot, ...]]]:
        rows = await self.transaction.rows(
            reading_with_slots("series_id"), series_id=id
        )
        return with_their_slots(rows)

    async def series(self, id: SeriesId) -> Sequence[Appointment]:
        rows = await self.transaction.rows(reading_series(), series_id=id)
        return [appointment_from(row) for row in rows]

    async def run_out(self, now: datetime, *, limit: int) -> Sequence[AppointmentId]:
        rows = await self.transaction.rows(
            reading_holds_run_out(), now=now, limit=limit
        )
        return [AppointmentId(row["appointment_id"]) for row in rows]

    def release(self, appointment: Appointment, slots: Sequence[Slot]) -> None:
        self.release_all([appointment], slots)

    def release_all(
        self, appointments: Sequence[Appointment], slots: Sequence[Slot]
    ) -> None:
        for appointment in appointments:
            before = appointment.before
            self._replace(appointment)
            if before is not None and before.status.keeps_time:
                self._give_back(before, why=appointment.status)
            self._tell(appointment)
        self._announce_slots(slots)

    def then(self) -> None:
        self.transaction.then()


def with_their_slots(
    rows: Sequence[Any],
) -> Sequence[tuple[Appointment, tuple[Slot, ...]]]:
    """From a row for each slot, those of one appointment together."""
    found: list[tuple[Appointment, tuple[Slot, ...]]] = []
    for _, of_one in groupby(rows, key=itemgetter("id")):
        its = list(of_one)
        slots = tuple(
            slot_from(row, "slot_") for row in its if row["slot_id"] is not None
        )
        found.append((appointment_from(its[0]), slots))
    return found

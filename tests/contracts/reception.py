"""A clinic's reception over one storage: commands as an API process makes them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.book_held_appointment import BookHeldAppointment
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.commands.edit_appointment import EditAppointment, Edits
from scheduling.application.commands.hold_slot import HoldSlot
from scheduling.application.commands.release_hold import ReleaseHold
from scheduling.application.commands.reschedule_appointment import (
    RescheduleAppointment,
)
from scheduling.application.commands.update_appointment_status import (
    UpdateAppointmentStatus,
)
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.claim import ActorKind
from scheduling.domain.errors import (
    DomainError,
)
from scheduling.domain.moving import NewTime
from scheduling.domain.slot import SlotStatus
from scheduling.domain.status import Status
from scheduling.domain.version import ExpectedVersion
from scheduling.entrypoints.attempts import settled
from tests.builders import (
    EIGHT,
    Clinic,
)
from tests.contracts.storages import Storage


class Reception:
    """Commands over one storage, as an API process makes them."""

    def __init__(self, storage: Storage, clinic: Clinic) -> None:
        self.storage = storage
        self.clinic = clinic
        self.now = EIGHT

    def clock(self) -> datetime:
        return self.now

    async def book(self, request: BookingRequest) -> Appointment:
        book = BookAppointment(self.storage.begin, self.clock)
        return await settled(lambda: book(self.clinic.caller, request))

    async def move(self, one: Appointment, when: NewTime) -> Appointment:
        move = RescheduleAppointment(self.storage.begin, self.clock)
        return await settled(
            lambda: move(
                self.clinic.caller,
                one.id,
                expected=ExpectedVersion(one.version),
                when=when,
            )
        )

    async def step(self, one: Appointment, wanted: Status) -> Appointment:
        step = UpdateAppointmentStatus(self.storage.begin, self.clock)
        return await settled(
            lambda: step(
                self.clinic.caller,
                one.id,
                expected=ExpectedVersion(one.version),
                status=wanted,
            )
        )

    async def cancel(self, one: Appointment) -> Appointment:
        cancel = CancelAppointment(self.storage.begin, self.clock)
        return await settled(
            lambda: cancel(
                self.clinic.caller,
                one.id,
                expected=ExpectedVersion(one.version),
                reason_code=CancelReason.PATIENT,
                initiated_by=Initiator.PATIENT,
                comment=None,
            )
        )

    async def edit(self, one: Appointment, edits: Edits) -> Appointment:
        edit = EditAppointment(self.storage.begin, self.clock)
        expected = ExpectedVersion(one.version)
        return await edit(self.clinic.caller, one.id, edits, expected=expected)

    async def hold(self, patient: int = 0, slot: int = 0) -> Appointment:
        hold = HoldSlot(self.storage.begin, self.clock)
        request = self.clinic.request(patient, slot)
        return await settled(lambda: hold(self.clinic.caller, request))

    async def book_held(
        self, hold: Appointment, request: BookingRequest
    ) -> Appointment:
        book = BookHeldAppointment(self.storage.begin, self.clock)
        return await settled(lambda: book(self.clinic.caller, hold.id, request))

    async def release(self, hold: Appointment) -> Appointment:
        release = ReleaseHold(self.storage.begin, self.clock)
        return await settled(lambda: release(self.clinic.caller, hold.id))

    async def seats(self) -> list[tuple[int, SlotStatus]]:
        async with self.storage.begin(self.clinic.caller) as work:
            slots = [await work.slots.get(slot.id) for slot in self.clinic.slots]
        return [(slot.booked, slot.status) for slot in slots]

    async def stored(self, one: Appointment) -> Appointment:
        async with self.storage.begin(self.clinic.caller) as work:
            return await work.appointments.get(one.id)

    async def taken_by(self, one: Appointment) -> set[tuple[ActorKind, datetime]]:
        return {
            (claim.kind, claim.period.start)
            for claim in await self.storage.claims(self.clinic.caller)
            if claim.appointment_id == one.id
        }


async def all_of(outcomes: Iterable[Awaitable[Appointment]]) -> list[Any]:
    return await asyncio.gather(*outcomes, return_exceptions=True)


def won(outcomes: Iterable[Any]) -> list[Appointment]:
    found = []
    for outcome in outcomes:
        if isinstance(outcome, Appointment):
            found.append(outcome)
        else:
            assert isinstance(outcome, DomainError), repr(outcome)
    return found


Open = Callable[..., Awaitable[Reception]]
"""Open a clinic of `slots` half hours and `patients`, as `open_clinic` takes it."""

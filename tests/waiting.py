"""The words of tests about the waitlist."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from scheduling.application.commands.add_to_waitlist import AddToWaitlist
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.freed_time import (
    GivenBack,
)
from scheduling.domain.identifiers import PatientId
from scheduling.domain.version import ExpectedVersion
from scheduling.domain.waitlist import (
    WaitlistEntry,
    Wish,
)
from tests.builders import (
    EIGHT,
    Clinic,
    a_slot,
    an_appointment,
    an_id,
    at,
    open_clinic,
    slots_from,
)
from tests.contracts.storages import Storage


def a_wish(patient_id: UUID | None = None, **told: Any) -> Wish:  # noqa: ANN401
    """Anything on our Monday, unless told otherwise."""
    return Wish(
        **{
            "patient_id": PatientId(patient_id or an_id()),
            "earliest": at("00:00"),
            "latest": at("00:00", day=1),
            **told,
        }
    )


def an_entry(
    patient_id: UUID | None = None,
    *,
    now: datetime = EIGHT,
    **told: Any,  # noqa: ANN401
) -> WaitlistEntry:
    return WaitlistEntry.added(a_wish(patient_id, **told), now=now)


def cancelled(appointment: Appointment, now: datetime = EIGHT) -> Appointment:
    return appointment.cancel(
        reason_code=CancelReason.PATIENT,
        initiated_by=Initiator.PATIENT,
        comment=None,
        now=now,
    )


def given_back(
    appointment: Appointment | None = None,
    *,
    now: datetime = EIGHT,
    **slot: Any,  # noqa: ANN401
) -> GivenBack:
    """Half an hour from nine, cancelled; `slot` is what the slot is besides."""
    of = a_slot(**{"booked": 1, "status": "busy", **slot})
    before = appointment or an_appointment(replace(of, booked=0))
    return GivenBack(before, cancelled(before, now), before.freed((of,), now))


@dataclass(frozen=True)
class Reception:
    """A clinic's desk, over whatever storage."""

    begin: BeginWork
    clinic: Clinic

    async def book(
        self, patient: int = 0, slot: int = 0, *, now: datetime = EIGHT
    ) -> Appointment:
        book = BookAppointment(self.begin, lambda: now)
        return await book(self.clinic.caller, self.clinic.request(patient, slot))

    async def cancel(
        self, appointment: Appointment, *, now: datetime = EIGHT
    ) -> Appointment:
        return await CancelAppointment(self.begin, lambda: now)(
            self.clinic.caller,
            appointment.id,
            expected=ExpectedVersion(appointment.version),
            reason_code=CancelReason.PATIENT,
            initiated_by=Initiator.STAFF,
            comment=None,
        )

    async def wait(
        self,
        patient: int = 1,
        *,
        now: datetime = EIGHT,
        **told: Any,  # noqa: ANN401
    ) -> WaitlistEntry:
        add = AddToWaitlist(self.begin, lambda: now)
        wish = a_wish(self.clinic.patients[patient].id, **told)
        return await add(self.clinic.caller, wish)


async def announced(storage: Storage, caller: Caller) -> list[dict[str, Any]]:
    """Return the data of what was told to those who wait."""
    events = [json.loads(e.body) for e in await storage.outbox(caller)]
    return [e["data"] for e in events if e["type"] == "waitlist.slot-available"]


def entries_of(told: dict[str, Any]) -> list[UUID]:
    """Return which entries an announcement names, in its order."""
    return [UUID(one["waitlistEntryId"]) for one in told["candidates"]]


async def a_clinic(storage: Storage, **told: Any) -> tuple[Clinic, Reception]:  # noqa: ANN401
    """Three slots from nine, five patients."""
    clinic = await open_clinic(
        storage.begin, *slots_from("09:00", count=3), **{"patients": 5, **told}
    )
    return clinic, Reception(storage.begin, clinic)


async def save(storage: Storage, clinic: Clinic, *entries: WaitlistEntry) -> None:
    async with storage.begin(clinic.caller) as work:
        for entry in entries:
            work.waitlist.save(entry)

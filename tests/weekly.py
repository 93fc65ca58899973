"""The words of tests about series, and about many appointments at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.book_series import BookSeries
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.commands.update_appointment_statuses import (
    Outcome,
    StatusChange,
    UpdateAppointmentStatuses,
)
from scheduling.application.ports.identity import Caller
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.period import Period
from scheduling.domain.series import HowMuch
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot
from scheduling.domain.status import Status
from scheduling.domain.version import ExpectedVersion
from tests.builders import EIGHT, Clinic, between, open_clinic
from tests.contracts.storages import Storage

FAR = Settings(horizon_days=400)


def weeks(count: int, start: str = "09:00", end: str = "09:30") -> tuple[Period, ...]:
    """Return that time of our Monday and of the Mondays after it."""
    return tuple(between(start, end, day=7 * week) for week in range(count))


@dataclass(frozen=True)
class Weekly:
    """A clinic with a slot every Monday at nine, and its desk."""

    storage: Storage
    clinic: Clinic

    async def series(
        self,
        occurrences: int,
        *,
        patient: int = 0,
        slot: int = 0,
        now: datetime = EIGHT,
        caller: Caller | None = None,
        **told: Any,  # noqa: ANN401
    ) -> Sequence[Appointment]:
        book = BookSeries(self.storage.begin, lambda: now)
        request = self.clinic.request(patient, slot, **told)
        return await book(caller or self.clinic.caller, request, occurrences)

    async def one(
        self,
        slot: int,
        *,
        patient: int = 1,
        **told: Any,  # noqa: ANN401
    ) -> Appointment:
        book = BookAppointment(self.storage.begin, lambda: EIGHT)
        return await book(
            self.clinic.caller, self.clinic.request(patient, slot, **told)
        )

    async def cancel(
        self,
        appointment: Appointment,
        series: HowMuch = HowMuch.ONE,
        *,
        now: datetime = EIGHT,
        version: int | None = None,
        caller: Caller | None = None,
    ) -> Appointment:
        return await CancelAppointment(self.storage.begin, lambda: now)(
            caller or self.clinic.caller,
            appointment.id,
            expected=ExpectedVersion(version or appointment.version),
            reason_code=CancelReason.PATIENT,
            initiated_by=Initiator.STAFF,
            comment=None,
            series=series,
        )

    async def change(
        self,
        *changes: StatusChange,
        now: datetime = EIGHT,
        caller: Caller | None = None,
    ) -> Sequence[Outcome]:
        update = UpdateAppointmentStatuses(self.storage.begin, lambda: now)
        return await update(caller or self.clinic.caller, changes)

    async def stored(self, *appointments: Appointment) -> list[Appointment]:
        async with self.storage.begin(self.clinic.caller) as work:
            return [await work.appointments.get(one.id) for one in appointments]

    async def statuses(self, *appointments: Appointment) -> list[str]:
        return [one.status.value for one in await self.stored(*appointments)]

    async def slot(self, number: int = 0) -> Slot:
        async with self.storage.begin(self.clinic.caller) as work:
            return await work.slots.get(self.clinic.slots[number].id)

    async def told(self, *, since: int = 0) -> list[str]:
        """Return the types of what was told since then; 0 is the clinic's opening."""
        events = await self.storage.outbox(self.clinic.caller)
        return [orjson.loads(one.body)["type"] for one in events[since:]]


def change(
    appointment: Appointment,
    status: Status,
    **told: Any,  # noqa: ANN401
) -> StatusChange:
    """Ask for the next step of the version in hand, unless told otherwise."""
    given = {"id": appointment.id, "version": appointment.version, "status": status}
    return StatusChange(**{**given, **told})


async def a_weekly_clinic(
    storage: Storage,
    count: int = 5,
    **told: Any,  # noqa: ANN401
) -> Weekly:
    given = {"patients": 3, "settings": FAR, **told}
    return Weekly(storage, await open_clinic(storage.begin, *weeks(count), **given))

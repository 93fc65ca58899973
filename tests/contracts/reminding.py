"""Visits with reminders that are due now, by the clock of the storage."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson

from scheduling.adapters.reminders.events import RemindersAsEvents
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.commands.dispatch_due_reminders import (
    DispatchDueReminders,
)
from scheduling.application.ports.notices import Notices
from scheduling.application.ports.reminders import ReminderDispatchPort
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.directory import Channel, ContactPreferences
from scheduling.domain.due_reminder import Notice, Reach, Retrying
from scheduling.domain.period import Period
from scheduling.domain.reminder import Reminder
from scheduling.domain.version import ExpectedVersion
from tests.builders import Clinic, a_patient, open_clinic
from tests.contracts.put_there import a_visit, put_there
from tests.contracts.storages import PostgresStorage, Storage
from tests.fakes.transaction import StoredReminder

A_DAY, TWO_HOURS = 24 * 60, 2 * 60
BY_SMS = ContactPreferences(sms=True)


def a_reminder(start: datetime, minutes: int, channel: Channel | None) -> Reminder:
    return Reminder(
        id=uuid4(),
        offset_minutes=minutes,
        channel=channel,
        due_at=start - timedelta(minutes=minutes),
    )


def starting(in_: timedelta) -> Period:
    start = datetime.now(UTC).replace(microsecond=0) + in_
    return Period.of(start, timedelta(minutes=30))


async def a_reminded_visit(
    storage: Storage,
    clinic: Clinic,
    *,
    starts_in: timedelta,
    minutes: tuple[int, ...] = (TWO_HOURS,),
    channel: Channel | None = Channel.SMS,
    patient: int = 0,
    **told: Any,  # noqa: ANN401
) -> Appointment:
    """Put one there with reminders so many minutes before it begins."""
    period = starting(starts_in)
    visit = a_visit(clinic, period, patient, **told)
    reminders = tuple(a_reminder(period.start, one, channel) for one in minutes)
    (stored,) = await put_there(storage, clinic, replace(visit, reminders=reminders))
    return stored


class Outgoing(ReminderDispatchPort):
    """Takes what is sent beyond the transaction; `refusals` by patient come first."""

    with_the_transaction = False

    def __init__(self, *, repeatable: bool = False) -> None:
        self._reach = Reach(repeatable=repeatable)
        self.sent: list[Notice] = []
        self.refusals: dict[UUID, list[Exception]] = {}

    @property
    def reach(self) -> Reach:
        return self._reach

    async def dispatch(self, notice: Notice, _notices: Notices, /) -> None:
        refusals = self.refusals.get(notice.reminder.patient_id)
        if refusals:
            raise refusals.pop(0)
        self.sent.append(notice)

    @property
    def times(self) -> Counter[UUID]:
        return Counter(one.reminder.id for one in self.sent)


@dataclass
class Sweeping:
    """A sweeper over one clinic's storage."""

    storage: Storage
    clinic: Clinic

    async def __call__(
        self,
        dispatch: ReminderDispatchPort | None = None,
        **told: Any,  # noqa: ANN401
    ) -> Counter[str]:
        tenant = self.clinic.caller.tenant_id

        async def only_this() -> list[Any]:
            return [tenant]

        sweep = DispatchDueReminders(
            self.storage.begin,
            only_this,
            dispatch or RemindersAsEvents(),
            **{"retrying": Retrying(), **told},
        )
        done: Counter[str] = Counter()
        async for piece in sweep():
            done += piece
        return done

    async def reminders(self) -> list[StoredReminder]:
        return await self.storage.reminders(self.clinic.caller)

    async def only(self) -> StoredReminder:
        (one,) = await self.reminders()
        return one

    async def told(self, *types: str) -> list[dict[str, Any]]:
        outbox = await self.storage.outbox(self.clinic.caller)
        events = [orjson.loads(one.body) for one in outbox]
        return [one for one in events if one["type"] in types]

    async def change(self, id: UUID, **columns: Any) -> None:  # noqa: ANN401
        """Change a row behind everybody's back, as time or an accident would."""
        storage, caller = self.storage, self.clinic.caller
        if isinstance(storage, PostgresStorage):
            for name, value in columns.items():
                await storage.rows(
                    caller,
                    f"UPDATE reminders SET {name} = '{value}' WHERE id = '{id}'",  # noqa: S608  # ours
                )
            return
        tables = storage.tenants[caller.tenant_id]
        for appointment, kept in tables.reminders.items():
            tables.reminders[appointment] = tuple(
                replace(one, **columns) if one.id == id else one for one in kept
            )


OpenSweeping = Callable[..., Awaitable[Sweeping]]


def sweeping_over(storage: Storage) -> OpenSweeping:
    """Open a clinic of four patients, or of those named, with a sweeper."""

    async def opened(*patients: Any, **told: Any) -> Sweeping:  # noqa: ANN401
        people = patients or tuple(
            a_patient(preferences=BY_SMS, phone=f"+49 30 000{n}") for n in range(4)
        )
        clinic = await open_clinic(storage.begin, patients=people, **told)
        return Sweeping(storage, clinic)

    return opened


async def visit(here: Sweeping, **told: Any) -> Any:  # noqa: ANN401
    wanted = {"starts_in": timedelta(minutes=119), **told}
    return await a_reminded_visit(here.storage, here.clinic, **wanted)


async def cancel(here: Sweeping, id: Any) -> None:  # noqa: ANN401
    await CancelAppointment(here.storage.begin, lambda: datetime.now(UTC))(
        here.clinic.caller,
        id,
        expected=ExpectedVersion(1),
        reason_code=CancelReason.PATIENT,
        initiated_by=Initiator.STAFF,
        comment=None,
    )

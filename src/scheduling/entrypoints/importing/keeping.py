"""Hand a record to the use cases of the API, and say what became of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import singledispatchmethod
from typing import Protocol

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.create_schedule import CreateSchedule
from scheduling.application.commands.create_slot import CreateSlot
from scheduling.application.commands.put_location import PutLocation
from scheduling.application.commands.put_patient import PutPatient
from scheduling.application.commands.put_practitioner import PutPractitioner
from scheduling.application.commands.put_practitioner_role import PutPractitionerRole
from scheduling.application.commands.take_over_appointment import TakeOverAppointment
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork, UnitOfWork
from scheduling.domain.booking_request import (
    BookingRequest,
    BySlot,
    ByStart,
)
from scheduling.domain.directory import (
    ContactPreferences,
    Location,
    Patient,
    Practitioner,
)
from scheduling.domain.errors import (
    InvalidInput,
    PractitionerRoleNotFound,
    ScheduleNotFound,
    SlotNotFound,
)
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    PractitionerRoleId,
    ScheduleId,
    SlotId,
)
from scheduling.domain.period import Period
from scheduling.domain.schedule import PractitionerRole, WeeklyRule
from scheduling.domain.status import Status
from scheduling.entrypoints.importing.records import (
    AppointmentRecord,
    LocationRecord,
    PatientRecord,
    PractitionerRecord,
    PractitionerRoleRecord,
    Record,
    Rule,
    ScheduleRecord,
    SlotRecord,
)


class Outcome(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


_AHEAD = frozenset(
    {
        Status.PROPOSED,
        Status.PENDING,
        Status.BOOKED,
        Status.CONFIRMED,
        Status.CANCELLED,
        Status.ENTERED_IN_ERROR,
    }
)
"""What a visit can be before it has begun."""


@dataclass(frozen=True, slots=True)
class Keep:
    """One record, one transaction. What is there already is left as it is.

    Raise DomainError where the record is refused, and what a unit of work raises.
    """

    begin: BeginWork
    now: Clock
    caller: Caller

    @singledispatchmethod
    async def __call__(self, record: Record) -> Outcome:
        raise TypeError(f"{record.kind} cannot be imported")

    @__call__.register
    async def _(self, record: LocationRecord) -> Outcome:
        now = self.now()
        wanted = Location(id=LocationId(record.id), **record.model_dump(exclude={"id"}))
        kept = await PutLocation(self.begin, lambda: now)(self.caller, wanted)
        return _outcome(kept, now)

    @__call__.register
    async def _(self, record: PractitionerRecord) -> Outcome:
        now = self.now()
        wanted = Practitioner(
            id=PractitionerId(record.id),
            name=record.name,
            active=record.active,
            specialties=record.specialties,
        )
        kept = await PutPractitioner(self.begin, lambda: now)(self.caller, wanted)
        return _outcome(kept, now)

    @__call__.register
    async def _(self, record: PatientRecord) -> Outcome:
        now = self.now()
        wanted = Patient(
            id=PatientId(record.id),
            name=record.name,
            active=record.active,
            file_number=record.file_number,
            phone=record.phone,
            email=record.email,
            preferences=ContactPreferences(
                record.preferences.whatsapp,
                record.preferences.sms,
                record.preferences.email,
            ),
            language=record.language,
        )
        kept = await PutPatient(self.begin, lambda: now)(self.caller, wanted)
        return _outcome(kept, now)

    @__call__.register
    async def _(self, record: PractitionerRoleRecord) -> Outcome:
        now = self.now()
        wanted = PractitionerRole(
            id=PractitionerRoleId(record.id),
            practitioner_id=PractitionerId(record.practitioner_id),
            location_id=LocationId(record.location_id),
            active=record.active,
            specialties=record.specialties,
            service_types=record.service_types,
            timezone=record.timezone,
            period_start=record.period_start,
            period_end=record.period_end,
            availability=_weekly(record.availability),
        )
        kept = await PutPractitionerRole(self.begin, lambda: now)(self.caller, wanted)
        return _outcome(kept.role, now)

    @__call__.register
    async def _(self, record: ScheduleRecord) -> Outcome:
        id = ScheduleId(record.id)
        async with self.begin(self.caller) as work:
            try:
                kept = await work.schedules.get(id)
            except ScheduleNotFound:
                await CreateSchedule(_joining(work), self.now)(
                    self.caller,
                    practitioner_id=PractitionerId(record.practitioner_id),
                    location_id=LocationId(record.location_id),
                    timezone=record.timezone,
                    availability=_weekly(record.availability),
                    horizon_days=record.horizon_days,
                    id=id,
                )
                return Outcome.CREATED
        same = (kept.practitioner_id, kept.location_id) == (
            record.practitioner_id,
            record.location_id,
        )
        return _unchanged(same=same)

    @__call__.register
    async def _(self, record: SlotRecord) -> Outcome:
        id = SlotId(record.id)
        period = _period(record.start, record.end, record.duration_minutes)
        async with self.begin(self.caller) as work:
            try:
                kept = await work.slots.get(id)
            except SlotNotFound:
                await CreateSlot(_joining(work), self.now)(
                    self.caller,
                    schedule_id=await _schedule_of(record, work),
                    period=period,
                    capacity=record.capacity,
                    service_types=record.service_types,
                    id=id,
                )
                return Outcome.CREATED
        return _unchanged(same=kept.period == period)

    @__call__.register
    async def _(self, record: AppointmentRecord) -> Outcome:
        async with self.begin(self.caller) as work:
            kept = await work.appointments.find(AppointmentId(record.id))
            if kept is not None:
                return _unchanged(same=kept.patient_id == record.patient_id)
            await self._book(record, _joining(work), await _start_of(record, work))
        return Outcome.CREATED

    async def _book(
        self, record: AppointmentRecord, begin: BeginWork, start: datetime
    ) -> None:
        now = self.now()
        request = _request(record)
        booked_at = record.booked_at or min(now, start)
        if booked_at > now:
            raise InvalidInput("nobody books in the future", "bookedAt")
        if start > now and record.status is Status.BOOKED:
            await BookAppointment(begin, lambda: now)(self.caller, request)
        elif start > now and record.status not in _AHEAD:
            raise InvalidInput("the visit has not begun", "status")
        else:
            await TakeOverAppointment(begin)(
                self.caller, request, booked_at=booked_at, status=record.status
            )


class _Kept(Protocol):
    @property
    def version(self) -> int: ...
    @property
    def updated_at(self) -> datetime | None: ...


def _outcome(kept: _Kept, now: datetime) -> Outcome:
    """A put that changes nothing returns what was stored, with its older time."""
    if kept.updated_at != now:
        return Outcome.UNCHANGED
    return Outcome.CREATED if kept.version == 1 else Outcome.CHANGED


def _unchanged(*, same: bool) -> Outcome:
    if not same:
        raise InvalidInput("another thing has this id", "id")
    return Outcome.UNCHANGED


def _weekly(rules: tuple[Rule, ...]) -> tuple[WeeklyRule, ...]:
    return tuple(
        WeeklyRule(
            days=rule.days_of_week,
            start=rule.start_time,
            end=rule.end_time,
            slot_minutes=rule.slot_minutes,
            capacity=rule.capacity,
            service_types=rule.service_types,
            valid_from=rule.valid_from,
            valid_to=rule.valid_to,
        )
        for rule in rules
    )


def _period(start: datetime, end: datetime | None, minutes: int | None) -> Period:
    return Period(start, end or start + timedelta(minutes=minutes or 0))


async def _schedule_of(record: SlotRecord, work: UnitOfWork) -> ScheduleId:
    if record.schedule_id is not None:
        return ScheduleId(record.schedule_id)
    if record.practitioner_role_id is None:
        raise InvalidInput("whose slot is it?", "scheduleId")
    calendar = await work.schedules.of_role(
        PractitionerRoleId(record.practitioner_role_id)
    )
    if calendar is None:
        raise PractitionerRoleNotFound(record.practitioner_role_id)
    return calendar.id


async def _start_of(record: AppointmentRecord, work: UnitOfWork) -> datetime:
    if record.start is not None:
        return record.start
    if record.slot_id is None:
        raise InvalidInput("when is it?", "slotId")
    return (await work.slots.get(SlotId(record.slot_id))).period.start


def _request(record: AppointmentRecord) -> BookingRequest:
    when: BySlot | ByStart
    if record.slot_id is not None:
        when = BySlot(SlotId(record.slot_id))
    elif record.practitioner_id and record.location_id and record.start:
        when = ByStart(
            PractitionerId(record.practitioner_id),
            LocationId(record.location_id),
            _period(record.start, record.end, record.duration_minutes),
        )
    else:
        raise InvalidInput("when and where is it?", "slotId")
    return BookingRequest(
        id=AppointmentId(record.id),
        patient_id=PatientId(record.patient_id),
        when=when,
        appointment_type=record.appointment_type,
        reason=record.reason,
        notes=record.notes,
    )


def _joining(work: UnitOfWork) -> BeginWork:
    """Let a use case take part in the transaction that looked first."""

    @asynccontextmanager
    async def join(_caller: Caller) -> AsyncIterator[UnitOfWork]:
        yield work

    return join

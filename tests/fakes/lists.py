"""Lists of appointments, the staff calendar and figures, from memory."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from scheduling.application.ports.appointment_lists import (
    AppointmentFilter,
    AppointmentLists,
    AppointmentPage,
    CalendarDay,
    CalendarFilter,
    CalendarReader,
    Page,
    StatisticsFilter,
    StatisticsReader,
    Summary,
    Whose,
    more_than,
)
from scheduling.domain.appointment import Appointment
from scheduling.domain.claim import ActorKind
from scheduling.domain.local_days import LocalDays
from scheduling.domain.period import Period, local_day
from scheduling.domain.slot import Slot, SlotStatus
from scheduling.domain.statistics import COUNTED, Statistics
from scheduling.domain.status import Status
from tests.fakes.slots import standing
from tests.fakes.transaction import Tables, Transaction

Thing = TypeVar("Thing", Appointment, Slot)


def in_order(things: Iterable[Thing]) -> list[Thing]:
    return sorted(things, key=_place)


def _place(thing: Appointment | Slot) -> tuple[datetime, UUID]:
    return thing.period.start, thing.id


def _is_of(thing: Appointment | Slot, whose: Whose) -> bool:
    return (not whose.location_ids or thing.location_id in whose.location_ids) and (
        not whose.practitioner_ids or thing.practitioner_id in whose.practitioner_ids
    )


def _ran_out(one: Appointment, now: datetime) -> bool:
    """Whether it was a hold; one that was swept still has its expiry."""
    return one.hold_expires_at is not None and one.hold_expires_at <= now


@dataclass
class MemoryAppointmentLists(AppointmentLists):
    transaction: Transaction

    async def page(self, wanted: AppointmentFilter, page: Page) -> AppointmentPage:
        found = in_order(self._found(wanted))
        if page.newest_first:
            found.reverse()
        after = page.after
        if after is not None:
            found = [
                one
                for one in found
                if (_place(one) < after if page.newest_first else _place(one) > after)
            ]
        return AppointmentPage(found[: page.limit], more=len(found) > page.limit)

    async def summary(self, wanted: AppointmentFilter, days: LocalDays) -> Summary:
        found = list(self._found(wanted))
        return Summary(
            by_status=Counter(one.status for one in found),
            by_day=Counter(local_day(one.period.start, days.timezone) for one in found),
            by_practitioner=Counter(one.practitioner_id for one in found),
        )

    def _found(self, wanted: AppointmentFilter) -> Iterator[Appointment]:
        for one in self.transaction.tables.appointments.values():
            if (
                _is_of(one, wanted.whose)
                and wanted.patient_id in {None, one.patient_id}
                and one.status in wanted.statuses
                and not _ran_out(one, wanted.now)
                and (
                    one.period.overlaps(wanted.period)
                    if wanted.running
                    else _begins_in(wanted.period, one)
                )
            ):
                yield one


def _begins_in(period: Period, one: Appointment) -> bool:
    return period.start <= one.period.start < period.end


@dataclass
class MemoryCalendar(CalendarReader):
    transaction: Transaction

    async def read(self, wanted: CalendarFilter) -> Sequence[CalendarDay]:
        tables = self.transaction.tables
        left_out = {Status.ENTERED_IN_ERROR}
        if not wanted.include_cancelled:
            left_out.add(Status.CANCELLED)
        appointments = [
            one
            for one in in_order(tables.appointments.values())
            if _is_of(one, wanted.whose)
            and one.period.overlaps(wanted.days.period)
            and one.status not in left_out
            and not _ran_out(one, wanted.now)
        ]
        slots = [
            one
            for one in in_order(tables.slots.values())
            if _is_of(one, wanted.whose)
            and one.period.overlaps(wanted.days.period)
            and one.status is not SlotStatus.ENTERED_IN_ERROR
        ]
        if max(len(appointments), len(slots)) > wanted.at_most:
            raise more_than(wanted.at_most)
        lapsed = _lapsed_seats(tables, wanted.now)
        first, *_ = dates = wanted.days.dates

        def day_of(thing: Appointment | Slot) -> date:
            return max(first, local_day(thing.period.start, wanted.days.timezone))

        return [
            CalendarDay(
                day,
                _json(_shown(a, tables) for a in appointments if day_of(a) == day),
                _json(_slot(s, lapsed[s.id]) for s in slots if day_of(s) == day),
            )
            for day in dates
        ]


def _lapsed_seats(tables: Tables, now: datetime) -> Counter[UUID]:
    return Counter(
        claim.share_id
        for claim in standing(tables)
        if claim.kind is ActorKind.PRACTITIONER and claim.has_lapsed(now)
    )


def _json(shown: Iterable[dict[str, Any]]) -> str:
    return json.dumps(list(shown), default=_written)


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)


def _shown(one: Appointment, tables: Tables) -> dict[str, Any]:
    return {
        "id": one.id,
        "patientId": one.patient_id,
        "patientName": tables.patients[one.patient_id].name,
        "practitionerId": one.practitioner_id,
        "practitionerName": tables.practitioners[one.practitioner_id].name,
        "locationId": one.location_id,
        "slotIds": one.slot_ids,
        "start": one.period.start,
        "end": one.period.end,
        "appointmentType": one.appointment_type,
        "status": one.status,
        "overbooked": one.overbooked,
        "holdExpiresAt": one.hold_expires_at,
        "seriesId": one.series_id,
        "version": one.version,
    }


def _slot(one: Slot, lapsed: int) -> dict[str, Any]:
    booked = one.booked - lapsed
    left = one.capacity - booked
    return {
        "id": one.id,
        "scheduleId": one.schedule_id,
        "practitionerId": one.practitioner_id,
        "locationId": one.location_id,
        "start": one.period.start,
        "end": one.period.end,
        "status": _status(one, left),
        "capacity": one.capacity,
        "booked": booked,
        "remaining": max(0, left) if one.is_open else 0,
        "serviceTypes": one.service_types,
        "version": one.version,
    }


def _status(one: Slot, left: int) -> SlotStatus:
    if one.is_open and left > 0:
        return SlotStatus.FREE
    return replace(one, booked=one.capacity - left).shown_status


@dataclass
class MemoryStatistics(StatisticsReader):
    transaction: Transaction

    async def count(self, wanted: StatisticsFilter) -> Statistics:
        zone, period = ZoneInfo(wanted.days.timezone), wanted.days.period
        ever = [
            one
            for one in self.transaction.tables.appointments.values()
            if one.status in COUNTED and one.hold_expires_at is None
        ]
        found = [
            one for one in ever if _begins_in(period, one) and _is_of(one, wanted.whose)
        ]
        walls = [one.period.start.astimezone(zone) for one in found]
        by_day = {
            day: Counter(
                one.status
                for one, wall in zip(found, walls, strict=True)
                if wall.date() == day
            )
            for day in wanted.days.dates
        }
        patients = {one.patient_id for one in found}
        known = {
            one.patient_id
            for one in ever
            if one.period.start < period.start and one.patient_id in patients
        }
        return Statistics(
            by_status=Counter(one.status for one in found),
            by_type=Counter(one.appointment_type for one in found),
            by_day=by_day,
            by_hour=Counter(wall.hour for wall in walls),
            by_practitioner={
                id: Counter(one.status for one in found if one.practitioner_id == id)
                for id in {one.practitioner_id for one in found}
            },
            new_patients=len(patients - known),
            returning_patients=len(known),
        )

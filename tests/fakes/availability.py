"""What can be had in memory: every slot is asked about by the rules of the domain."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from scheduling.application.ports.availability import (
    AvailabilityRepository,
    Candidate,
    First,
    OpenLocation,
    OwnDays,
    SlotFilter,
    SlotInList,
    SlotList,
)
from scheduling.domain.appointment import Appointment
from scheduling.domain.availability import (
    BookingWindow,
    Taken,
    why_not_offered,
    why_not_there,
)
from scheduling.domain.calendar_hours import CalendarHours
from scheduling.domain.claim import (
    SOMEBODY,
    ActorKind,
    Claim,
    Clashes,
    claims_of,
    clashes,
)
from scheduling.domain.errors import (
    LocationNotFound,
    PatientNotFound,
    PractitionerNotFound,
)
from scheduling.domain.explaining import Circumstances, Question
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
)
from scheduling.domain.period import Period, local_day
from scheduling.domain.schedule import Schedule
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot, SlotStatus
from tests.fakes.slots import assignments, counted_in, standing
from tests.fakes.transaction import Tables, Transaction

_AROUND = timedelta(days=9)


@dataclass
class MemoryAvailability(AvailabilityRepository):
    transaction: Transaction

    async def offered(
        self,
        wanted: SlotFilter,
        period: Period,
        first: First,
        *,
        settings: Settings,
        now: datetime,
    ) -> Sequence[Candidate]:
        tables = self.transaction.tables
        demand_patient(tables, wanted.patient_id)
        found = sorted(
            (
                slot
                for slot in tables.slots.values()
                if is_asked_for(slot, wanted, tables)
                and period.start <= slot.period.start < period.end
                and (first.after is None or _place(slot) > first.after)
            ),
            key=_place,
        )
        offered = (
            candidate
            for slot in found
            if (candidate := self.offer(slot, wanted.patient_id, settings, now))
        )
        return [one for one, _ in zip(offered, range(first.limit), strict=False)]

    async def slots(
        self,
        wanted: SlotList,
        first: First,
        *,
        settings: Settings,
        now: datetime,
    ) -> Sequence[SlotInList]:
        tables = self.transaction.tables
        if wanted.owner == "practitioner":
            if wanted.id not in tables.practitioners:
                raise PractitionerNotFound(wanted.id)
        elif wanted.id not in tables.locations:
            raise LocationNotFound(wanted.id)
        found = sorted(
            (
                slot
                for slot in tables.slots.values()
                if wanted.id in {slot.practitioner_id, slot.location_id}
                and slot.status is not SlotStatus.ENTERED_IN_ERROR
                and _meets(slot, wanted.when)
                and (first.after is None or _place(slot) > first.after)
            ),
            key=_place,
        )
        return [self._in_list(slot, settings, now) for slot in found[: first.limit]]

    def _in_list(self, slot: Slot, settings: Settings, now: datetime) -> SlotInList:
        offered = self.offer(slot, None, settings, now) is not None
        seen = without_lapsed(slot, self.transaction.tables, now)
        status = seen.shown_status
        if seen.is_open:
            status = SlotStatus.FREE if seen.remaining else SlotStatus.BUSY
        return SlotInList(
            slot_id=seen.id,
            schedule_id=seen.schedule_id,
            practitioner_id=seen.practitioner_id,
            location_id=seen.location_id,
            start=seen.period.start,
            end=seen.period.end,
            timezone=seen.timezone,
            status=status,
            capacity=seen.capacity,
            booked=seen.booked,
            remaining=seen.remaining,
            service_types=list(seen.service_types),
            version=seen.version,
            offered=offered,
        )

    async def open_locations(
        self,
        day: date,
        wanted: SlotFilter,
        first: First,
        *,
        settings: Settings,
        now: datetime,
    ) -> Sequence[OpenLocation]:
        tables = self.transaction.tables
        found = []
        for place in tables.locations.values():
            starts = [
                slot.period.start
                for slot in tables.slots.values()
                if slot.location_id == place.id
                and local_day(slot.period.start, place.timezone) == day
                and is_asked_for(slot, wanted, tables)
                and self.offer(slot, None, settings, now)
            ]
            if starts:
                told = (place.id, place.name, place.timezone, len(starts), min(starts))
                found.append(OpenLocation._make(told))
        found.sort(key=lambda one: (one.first, one.location_id))
        after = first.after
        further = [
            one for one in found if not after or (one.first, one.location_id) > after
        ]
        return further[: first.limit]

    async def circumstances(
        self,
        practitioner_id: PractitionerId,
        location_id: LocationId | None,
        question: Question,
        period: Period,
        *,
        settings: Settings,  # noqa: ARG002  # more than is asked for does no harm
        now: datetime,
    ) -> Circumstances:
        tables = self.transaction.tables
        practitioner = tables.practitioners.get(practitioner_id)
        if practitioner is None:
            raise PractitionerNotFound(practitioner_id)
        if location_id is not None and location_id not in tables.locations:
            raise LocationNotFound(location_id)
        demand_patient(tables, question.patient_id)
        schedules = [
            one
            for one in tables.schedules.values()
            if one.practitioner_id == practitioner_id
            and location_id in {None, one.location_id}
        ]
        around = Period(period.start - _AROUND, period.end + _AROUND)
        counted = list(counted_in(tables, {practitioner_id}, around, now=now))
        return Circumstances(
            practitioner_active=practitioner.active,
            calendars=tuple(_hours(one, tables) for one in schedules),
            slots=tuple(
                slot
                for slot in tables.slots.values()
                if slot.schedule_id in {one.id for one in schedules}
                and slot.period.overlaps(period)
            ),
            claims=tuple(standing(tables)),
            taken={
                id: tuple(o.period.start for o in counted if o.schedule_id == id)
                for id in {one.schedule_id for one in counted}
            },
        )

    def offer(
        self,
        slot: Slot,
        patient_id: PatientId | None,
        settings: Settings,
        now: datetime,
    ) -> Candidate | None:
        """Return the slot as it can be had; None where it cannot."""
        tables = self.transaction.tables
        slot = without_lapsed(slot, tables, now)
        schedule = tables.schedules[slot.schedule_id]
        where = (slot.practitioner_id, slot.location_id)
        refusal = why_not_offered(
            slot.period.start,
            window=BookingWindow.of(
                settings, schedule.rules, now=now, timezone=slot.timezone
            ),
            has_seat=slot.remaining > 0,
            clashes=self.in_the_way(slot, patient_id, settings, now),
            limit_reached=_limit_reached(slot, tables, settings, now),
            there=why_not_there(
                assignments(tables).get(where, ()), slot.period, slot.timezone
            ),
        )
        if refusal is not None or not _is_open(slot, tables):
            return None
        return Candidate(
            slot_id=slot.id,
            schedule_id=slot.schedule_id,
            practitioner_id=slot.practitioner_id,
            location_id=slot.location_id,
            start=slot.period.start,
            end=slot.period.end,
            timezone=slot.timezone,
            remaining=slot.remaining,
            service_types=slot.service_types,
            horizon_days=schedule.horizon_days,
            minimum_notice_minutes=schedule.minimum_notice_minutes,
        )

    def in_the_way(
        self,
        slot: Slot,
        patient_id: PatientId | None,
        settings: Settings,
        now: datetime,
    ) -> Clashes:
        wanted = claims_of(
            AppointmentId(SOMEBODY),
            period=slot.period,
            practitioner_id=slot.practitioner_id,
            patient_id=patient_id or SOMEBODY,
            resources=(),
            slots=[(slot.id, slot.period)],
            buffer=settings.buffer,
            overbooked=False,
        )
        return clashes(wanted, live(self.transaction.tables, now))


def _hours(schedule: Schedule, tables: Tables) -> CalendarHours:
    where = (schedule.practitioner_id, schedule.location_id)
    return CalendarHours(
        schedule_id=schedule.id,
        location_active=tables.locations[schedule.location_id].active,
        assignments=tuple(assignments(tables).get(where, ())),
        timezone=schedule.timezone,
        rules=schedule.rules,
        weekly=schedule.availability,
        deviations=tuple(
            one for one in tables.exceptions.values() if one.schedule_id == schedule.id
        ),
    )


def _meets(slot: Slot, when: Period | OwnDays) -> bool:
    if isinstance(when, Period):
        return slot.period.overlaps(when)
    last = slot.period.end - timedelta.resolution
    return (
        local_day(slot.period.start, slot.timezone) < when.end
        and local_day(last, slot.timezone) >= when.first
    )


def live(tables: Tables, now: datetime) -> Iterator[Claim]:
    return (claim for claim in standing(tables) if not claim.has_lapsed(now))


def without_lapsed(slot: Slot, tables: Tables, now: datetime) -> Slot:
    """Return the slot without the seats of holds that have run out."""
    lapsed = Counter(
        claim.share_id
        for claim in standing(tables)
        if claim.kind is ActorKind.PRACTITIONER and claim.has_lapsed(now)
    )
    return replace(slot, booked=max(0, slot.booked - lapsed[slot.id]))


def demand_patient(tables: Tables, patient_id: PatientId | None) -> None:
    if patient_id is None:
        return
    patient = tables.patients.get(patient_id)
    if patient is None or not patient.active:
        raise PatientNotFound(patient_id)


def is_asked_for(slot: Slot, wanted: SlotFilter, tables: Tables) -> bool:
    practitioners = wanted.whose.practitioner_ids or {slot.practitioner_id}
    locations = wanted.whose.location_ids or {slot.location_id}
    specialties = tables.practitioners[slot.practitioner_id].specialties
    return (
        slot.practitioner_id in practitioners
        and slot.location_id in locations
        and wanted.specialty in {None, *specialties}
        and (not slot.service_types or _serves(slot, wanted.service_type))
    )


def _serves(slot: Slot, service_type: str | None) -> bool:
    return service_type is None or service_type in slot.service_types


def _is_open(slot: Slot, tables: Tables) -> bool:
    return (
        tables.practitioners[slot.practitioner_id].active
        and tables.locations[slot.location_id].active
    )


def _limit_reached(
    slot: Slot, tables: Tables, settings: Settings, now: datetime
) -> bool:
    around = Period(slot.period.start - _AROUND, slot.period.start + _AROUND)
    counted: list[Appointment] = list(
        counted_in(tables, {slot.practitioner_id}, around, now=now)
    )
    day = local_day(slot.period.start, slot.timezone)
    of_schedule = [one for one in counted if one.schedule_id == slot.schedule_id]
    return _taken(counted, slot).reaches(settings.limits, day) or _taken(
        of_schedule, slot
    ).reaches(tables.schedules[slot.schedule_id].limits, day)


def _taken(counted: Sequence[Appointment], slot: Slot) -> Taken:
    return Taken.of([one.period.start for one in counted], slot.timezone)


def _place(slot: Slot) -> tuple[datetime, object]:
    return slot.period.start, slot.id

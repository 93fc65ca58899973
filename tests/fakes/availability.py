"""What can be had in memory: every slot is asked about by the rules of the domain."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduling.application.ports.availability import (
    AvailabilityRepository,
    Candidate,
    First,
    SlotFilter,
)
from scheduling.domain.appointment import Appointment
from scheduling.domain.availability import (
    BookingWindow,
    Taken,
    why_not_offered,
    why_not_there,
)
from scheduling.domain.claim import (
    SOMEBODY,
    ActorKind,
    Claim,
    Clashes,
    claims_of,
    clashes,
)
from scheduling.domain.errors import PatientNotFound
from scheduling.domain.identifiers import AppointmentId, PatientId
from scheduling.domain.period import Period, local_day
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot
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
        and (
            not slot.service_types or _serves(slot, wanted.service_type)
        )
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

"""The words that tests are written in: a Monday in 2030, and a small clinic."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.appointment import Appointment
from scheduling.domain.availability import Assignment
from scheduling.domain.booking import (
    Booking,
    BookingFacts,
    decide_booking,
)
from scheduling.domain.booking_request import (
    BookingRequest,
    BySlot,
    ByStart,
)
from scheduling.domain.claim import ActorKind, Resource
from scheduling.domain.directory import (
    ContactPreferences,
    Location,
    Patient,
    Practitioner,
    put,
)
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    PractitionerRoleId,
    SlotId,
    TenantId,
)
from scheduling.domain.period import Period
from scheduling.domain.schedule import PractitionerRole, Schedule
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot

MONDAY = datetime(2030, 1, 7, tzinfo=UTC)
EIGHT = MONDAY.replace(hour=8)
EVERYTHING = frozenset(Scope)


def at(clock: str, *, day: int = 0) -> datetime:
    """Return that time (UTC) of our Monday, or `day` days after it."""
    hour, minute = clock.split(":")
    return MONDAY + timedelta(days=day, hours=int(hour), minutes=int(minute))


def between(start: str, end: str, *, day: int = 0) -> Period:
    return Period(at(start, day=day), at(end, day=day))


def slots_from(start: str, *, minutes: int = 30, count: int) -> tuple[Period, ...]:
    """Return consecutive periods of that length."""
    length = timedelta(minutes=minutes)
    return tuple(Period.of(at(start) + n * length, length) for n in range(count))


def a_caller(
    tenant_id: TenantId | None = None,
    *,
    subject: str = "reception",
    scopes: frozenset[str] = EVERYTHING,
    patient_id: PatientId | None = None,
    traceparent: str | None = None,
) -> Caller:
    return Caller(
        tenant_id=tenant_id or TenantId(uuid4()),
        subject=subject,
        scopes=scopes,
        patient_id=patient_id,
        request_id="request-1",
        traceparent=traceparent,
    )


def a_practitioner(**told: Any) -> Practitioner:  # noqa: ANN401
    return Practitioner(
        **{"id": PractitionerId(uuid4()), "name": "Dr. Marker-Practitioner", **told}
    )


def a_location(**told: Any) -> Location:  # noqa: ANN401
    id = LocationId(uuid4())
    return Location(
        **{
            "id": id,
            "name": "Marker Clinic",
            "code": id.hex[:8],
            "timezone": "UTC",
            **told,
        }
    )


def a_patient(**told: Any) -> Patient:  # noqa: ANN401
    return Patient(**{"id": PatientId(uuid4()), "name": "Marker Patient", **told})


def a_role(
    practitioner_id: PractitionerId | None = None,
    location_id: LocationId | None = None,
    **told: Any,  # noqa: ANN401
) -> PractitionerRole:
    return PractitionerRole(
        **{
            "id": PractitionerRoleId(uuid4()),
            "practitioner_id": practitioner_id or PractitionerId(uuid4()),
            "location_id": location_id or LocationId(uuid4()),
            **told,
        }
    )


def a_schedule(
    practitioner_id: PractitionerId | None = None,
    location_id: LocationId | None = None,
    *,
    timezone: str = "UTC",
) -> Schedule:
    return Schedule.published(
        practitioner_id=practitioner_id or PractitionerId(uuid4()),
        location_id=location_id or LocationId(uuid4()),
        timezone=timezone,
        availability=(),
        now=EIGHT,
    )


def a_slot(
    period: Period | None = None,
    *,
    schedule: Schedule | None = None,
    capacity: int = 1,
    **told: Any,  # noqa: ANN401
) -> Slot:
    """Return a slot as storage gives it back: its news is told."""
    slot = Slot.opened(
        schedule or a_schedule(),
        period or between("09:00", "09:30"),
        capacity=capacity,
        service_types=(),
        now=EIGHT,
    )
    return replace(slot, **{"events": (), **told})


def a_room() -> Resource:
    return Resource(ActorKind.ROOM, uuid4())


def a_device() -> Resource:
    return Resource(ActorKind.DEVICE, uuid4())


def a_request(slot: Slot | None = None, **told: Any) -> BookingRequest:  # noqa: ANN401
    """Ask for that slot, or whatever `when` says."""
    return BookingRequest(
        **{
            "patient_id": PatientId(uuid4()),
            "when": BySlot(slot.id if slot else SlotId(uuid4())),
            "appointment_type": "consultation",
            **told,
        }
    )


def facts(*slots: Slot, **known: Any) -> BookingFacts:  # noqa: ANN401
    """Return facts under which a booking of these slots succeeds, but for `known`."""
    return BookingFacts(
        **{
            "settings": Settings(),
            "patient_active": True,
            "preferences": ContactPreferences(),
            "practitioner_active": True,
            "location_active": True,
            "location_timezone": "UTC",
            "assignments": (Assignment(active=True),),
            "has_schedule": True,
            "slots": slots,
            "claims": (),
            **known,
        }
    )


def a_booking(
    slot: Slot | None = None,
    *,
    now: datetime = EIGHT,
    request: BookingRequest | None = None,
    **known: Any,  # noqa: ANN401
) -> Booking:
    slot = slot or a_slot()
    return decide_booking(request or a_request(slot), facts(slot, **known), now=now)


def an_appointment(slot: Slot | None = None, **told: Any) -> Appointment:  # noqa: ANN401
    """Return a booked one as storage gives it back: its news is told."""
    return replace(a_booking(slot).appointment, **{"events": (), **told})


@dataclass(frozen=True, kw_only=True)
class Clinic:
    """A practitioner at a location, with slots, and patients who want them."""

    caller: Caller
    practitioner: Practitioner
    location: Location
    schedule: Schedule
    slots: tuple[Slot, ...]
    patients: tuple[Patient, ...]

    def request(self, patient: int = 0, slot: int = 0, **told: Any) -> BookingRequest:  # noqa: ANN401
        """Ask for the nth slot in the name of the nth patient."""
        return a_request(
            self.slots[slot], **{"patient_id": self.patients[patient].id, **told}
        )

    def by_start(
        self,
        period: Period,
        patient: int = 0,
        **told: Any,  # noqa: ANN401
    ) -> BookingRequest:
        when = ByStart(self.practitioner.id, self.location.id, period)
        return self.request(patient, when=when, **told)

    def own_token(self, patient: int = 0) -> Caller:
        """The nth patient in person."""
        return replace(
            self.caller,
            subject=f"patient-{patient}",
            patient_id=self.patients[patient].id,
        )


async def open_clinic(
    begin: BeginWork,
    *periods: Period,
    capacity: int = 1,
    caller: Caller | None = None,
    patients: int | tuple[Patient, ...] = 2,
    practitioner: Practitioner | None = None,
    location: Location | None = None,
    settings: Settings | None = None,
    timezone: str = "UTC",
    preferences: ContactPreferences | None = None,
) -> Clinic:
    """Store a clinic. Whoever has a version is there already and is left alone."""
    caller = caller or a_caller()
    practitioner = practitioner or a_practitioner()
    location = location or a_location(timezone=timezone)
    if isinstance(patients, int):
        patients = tuple(
            a_patient(preferences=preferences or ContactPreferences())
            for _ in range(patients)
        )
    schedule = a_schedule(practitioner.id, location.id, timezone=timezone)
    slots = tuple(
        Slot.opened(schedule, period, capacity=capacity, service_types=(), now=EIGHT)
        for period in periods or (between("09:00", "09:30"),)
    )
    async with begin(caller) as work:
        if settings is not None:
            work.settings.save(Settings().replaced_by(settings, now=EIGHT))
        if practitioner.version == 0:
            practitioner = put(None, practitioner, expected=None, now=EIGHT)
            work.practitioners.save(practitioner)
        if location.version == 0:
            location = put(None, location, expected=None, now=EIGHT)
            work.locations.save(location)
        stored = []
        for one in patients:
            patient = put(None, one, expected=None, now=EIGHT)
            if one.version == 0:
                work.patients.save(patient)
            stored.append(patient if one.version == 0 else one)
        work.schedules.save(schedule)
        for slot in slots:
            work.slots.add(slot)
    return Clinic(
        caller=caller,
        practitioner=practitioner,
        location=location,
        schedule=replace(schedule, events=()),
        slots=tuple(replace(slot, events=()) for slot in slots),
        patients=tuple(stored),
    )


def an_id() -> AppointmentId:
    return AppointmentId(uuid4())

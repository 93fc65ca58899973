"""What a record must look like, in the names and ranges of the REST shapes."""

from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Annotated, ClassVar, Self
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from scheduling.domain.plausible import EARLIEST, LATEST
from scheduling.domain.schedule import Day
from scheduling.domain.status import Status


class Kind(StrEnum):
    """In the order in which one stands on the other."""

    LOCATIONS = "locations"
    PRACTITIONERS = "practitioners"
    PRACTITIONER_ROLES = "practitioner-roles"
    SCHEDULES = "schedules"
    PATIENTS = "patients"
    SLOTS = "slots"
    APPOINTMENTS = "appointments"


def _storable(text: str) -> str:
    if any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in text):
        raise PydanticCustomError("not_storable", "holds what is no character")
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PydanticCustomError("unknown_zone", "no IANA time zone") from error
    return name


def _of_our_time(instant: datetime) -> datetime:
    if not EARLIEST <= instant < LATEST:
        raise PydanticCustomError("out_of_range", "not from 1900 to 2199")
    return instant.astimezone(UTC)


Word = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(_storable)
]
Code = Annotated[
    str, StringConstraints(min_length=1, max_length=20), AfterValidator(_storable)
]
Prose = Annotated[
    str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_storable)
]
Zone = Annotated[str, AfterValidator(_zone)]
Instant = Annotated[AwareDatetime, AfterValidator(_of_our_time)]
Words = tuple[Word, ...]


class Shape(BaseModel):
    """Fields not named here are an error of the mapping, found before any row."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
        # A refusal is reported: it says what is wrong, not what was there.
        hide_input_in_errors=True,
    )


class Record(Shape):
    kind: ClassVar[Kind]
    id: UUID

    def keys(self) -> tuple[object, ...]:
        """What it touches: records that share one are kept in the file's order."""
        return (self.id,)


class LocationRecord(Record):
    kind = Kind.LOCATIONS
    name: Word
    code: Code
    timezone: Zone
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    subdivision: Code | None = None
    active: bool = True


class PractitionerRecord(Record):
    kind = Kind.PRACTITIONERS
    name: Word
    active: bool = True
    specialties: Words = ()


class Rule(Shape):
    days_of_week: Annotated[tuple[Day, ...], Field(min_length=1)]
    start_time: time
    end_time: time
    slot_minutes: Annotated[int, Field(ge=1, le=1440)]
    capacity: Annotated[int, Field(ge=1, le=1000)] = 1
    service_types: Words = ()
    valid_from: date | None = None
    valid_to: date | None = None


class PractitionerRoleRecord(Record):
    kind = Kind.PRACTITIONER_ROLES
    practitioner_id: UUID
    location_id: UUID
    active: bool = True
    specialties: Words = ()
    service_types: Words = ()
    timezone: Zone | None = None
    period_start: date | None = None
    period_end: date | None = None
    availability: tuple[Rule, ...] = ()


class ScheduleRecord(Record):
    kind = Kind.SCHEDULES
    practitioner_id: UUID
    location_id: UUID
    timezone: Zone | None = None
    horizon_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    availability: tuple[Rule, ...] = ()


class Preferences(Shape):
    whatsapp: bool = False
    sms: bool = False
    email: bool = False


class PatientRecord(Record):
    kind = Kind.PATIENTS
    name: Word
    active: bool = True
    file_number: Word | None = None
    phone: Word | None = None
    email: Word | None = None
    preferences: Preferences = Preferences()
    language: Word | None = None


class SlotRecord(Record):
    """Of a schedule, or of the calendar that a practitioner role has."""

    kind = Kind.SLOTS
    schedule_id: UUID | None = None
    practitioner_role_id: UUID | None = None
    start: Instant
    end: Instant | None = None
    duration_minutes: Annotated[int, Field(ge=1, le=10_080)] | None = None
    capacity: Annotated[int, Field(ge=1, le=1000)] = 1
    service_types: Words = ()

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        _demand_one("scheduleId", self.schedule_id, self.practitioner_role_id)
        _demand_one("end", self.end, self.duration_minutes)
        return self


class AppointmentRecord(Record):
    """In a slot, or over the slots that a time at a place is covered by."""

    kind = Kind.APPOINTMENTS
    patient_id: UUID
    slot_id: UUID | None = None
    practitioner_id: UUID | None = None
    location_id: UUID | None = None
    start: Instant | None = None
    end: Instant | None = None
    duration_minutes: Annotated[int, Field(ge=1, le=10_080)] | None = None
    appointment_type: Word
    reason: Prose | None = None
    notes: Prose | None = None
    status: Status = Status.BOOKED
    booked_at: Instant | None = None

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        place = (self.practitioner_id, self.location_id, self.start)
        _demand_one("slotId", self.slot_id, self.start)
        if self.slot_id is None:
            if None in place:
                raise PydanticCustomError("missing", "practitionerId and locationId")
            _demand_one("end", self.end, self.duration_minutes)
        elif any((*place, self.end, self.duration_minutes)):
            raise PydanticCustomError("contradiction", "slotId says when and where")
        return self

    def keys(self) -> tuple[object, ...]:
        where = self.slot_id or self.practitioner_id
        return (self.id, self.patient_id, where)


def _demand_one(field: str, *ways: object) -> None:
    if sum(way is not None for way in ways) != 1:
        raise PydanticCustomError("missing", "{field}", {"field": field})


RECORDS: dict[Kind, type[Record]] = {
    record.kind: record
    for record in (
        LocationRecord,
        PractitionerRecord,
        PractitionerRoleRecord,
        ScheduleRecord,
        PatientRecord,
        SlotRecord,
        AppointmentRecord,
    )
}

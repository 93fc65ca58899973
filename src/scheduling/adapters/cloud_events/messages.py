"""The data of each type of event that we listen to, read strictly, and what it says.

`INBOUND` are those of others, on the inbox stream; unknown fields are an error there,
as in a body over REST. Those of ours that come back to us are in `own_messages`.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID, uuid5

from pydantic import Field, ValidationError, create_model, model_validator

from scheduling.adapters.cloud_events.fields import (
    Absences,
    Data,
    Days,
    Email,
    Flag,
    FreeText,
    Instant,
    Language,
    Line,
    Minutes,
    Phone,
    Vacations,
    Whole,
    Windows,
    Words,
    Zone,
)
from scheduling.adapters.cloud_events.rejections import InvalidMessage, UnknownType
from scheduling.application.ports.messages import (
    AppointmentRequested,
    CalendarNews,
    DoctorCreated,
    EncounterFinalized,
    Message,
    PatientDeleted,
    PatientNews,
    PractitionerRoleDeleted,
    PractitionerRoleNews,
    RoutedNews,
)
from scheduling.domain.booking_request import BookingRequest, BySlot, ByStart, when_said
from scheduling.domain.directory import ContactPreferences, Patient, Practitioner
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    PractitionerRoleId,
)
from scheduling.domain.routing import ROUTES, Route
from scheduling.domain.schedule import PractitionerRole


class MessageData(Data):
    @abstractmethod
    def to_message(self) -> Message: ...


class PortalAppointmentRequestedData(MessageData):
    """By `slotId`, or by practitioner, location, start and duration."""

    request_id: UUID
    patient_id: UUID
    slot_id: UUID | None = None
    practitioner_id: UUID | None = None
    location_id: UUID | None = None
    start: Instant | None = None
    duration_minutes: Minutes | None = None
    appointment_type: Line
    reason: FreeText | None = None
    notes: FreeText | None = None

    @model_validator(mode="after")
    def _one_way_to_say_when(self) -> Self:
        self.when()
        return self

    def when(self) -> BySlot | ByStart:
        return when_said(
            self.slot_id,
            self.practitioner_id,
            self.location_id,
            self.start,
            self.duration_minutes,
        )

    def to_message(self) -> AppointmentRequested:
        return AppointmentRequested(
            request_id=self.request_id,
            wanted=BookingRequest(
                patient_id=PatientId(self.patient_id),
                when=self.when(),
                appointment_type=self.appointment_type,
                reason=self.reason,
                notes=self.notes,
            ),
        )


class PreferencesData(Data):
    """Which ways of being reminded the patient agreed to."""

    whatsapp: Flag = False
    sms: Flag = False
    email: Flag = False


class PatientUpdatedData(MessageData):
    is_new: ClassVar[bool] = False

    patient_id: UUID
    name: Line
    active: Flag = True
    file_number: Line | None = None
    phone: Phone | None = None
    email: Email | None = None
    preferences: PreferencesData = PreferencesData()
    language: Language | None = None

    def to_message(self) -> PatientNews:
        return PatientNews(
            created=self.is_new,
            patient=Patient(
                id=PatientId(self.patient_id),
                name=self.name,
                active=self.active,
                file_number=self.file_number,
                phone=self.phone,
                email=self.email,
                preferences=ContactPreferences(
                    whatsapp=self.preferences.whatsapp,
                    sms=self.preferences.sms,
                    email=self.preferences.email,
                ),
                language=self.language,
            ),
        )


class PatientCreatedData(PatientUpdatedData):
    is_new = True


class PatientDeletedData(MessageData):
    patient_id: UUID

    def to_message(self) -> PatientDeleted:
        return PatientDeleted(patient_id=PatientId(self.patient_id))


class PractitionerRoleData(MessageData):
    practitioner_role_id: UUID
    practitioner_id: UUID
    location_id: UUID
    active: Flag = True
    specialties: Words = ()
    service_types: Words = ()
    timezone: Zone | None = None
    period: Days | None = None
    availability: Windows = ()
    not_available: Absences = ()

    def to_message(self) -> PractitionerRoleNews:
        return PractitionerRoleNews(
            role=PractitionerRole(
                id=PractitionerRoleId(self.practitioner_role_id),
                practitioner_id=PractitionerId(self.practitioner_id),
                location_id=LocationId(self.location_id),
                active=self.active,
                specialties=self.specialties,
                service_types=self.service_types,
                timezone=self.timezone,
                period_start=self.period.start if self.period else None,
                period_end=self.period.end if self.period else None,
                availability=tuple(window.to_rule() for window in self.availability),
                not_available=tuple(
                    away.to_absence(away.description) for away in self.not_available
                ),
            )
        )


class PractitionerRoleDeletedData(MessageData):
    practitioner_role_id: UUID

    def to_message(self) -> PractitionerRoleDeleted:
        return PractitionerRoleDeleted(
            practitioner_role_id=PractitionerRoleId(self.practitioner_role_id)
        )


class DoctorCreatedData(MessageData):
    """`vacations` are when they do not work there. Without `practitionerRoleId` the
    role is the one of that practitioner at that location.
    """

    practitioner_id: UUID
    name: Line
    specialties: Words = ()
    practitioner_role_id: UUID | None = None
    location_id: UUID
    timezone: Zone | None = None
    availability: Windows
    service_types: Words = ()
    period: Days | None = None
    vacations: Vacations = ()

    def to_message(self) -> DoctorCreated:
        role_id = self.practitioner_role_id or uuid5(
            self.practitioner_id, str(self.location_id)
        )
        practitioner = Practitioner(
            id=PractitionerId(self.practitioner_id),
            name=self.name,
            specialties=self.specialties,
        )
        return DoctorCreated(
            practitioner=practitioner,
            role=PractitionerRole(
                id=PractitionerRoleId(role_id),
                practitioner_id=practitioner.id,
                location_id=LocationId(self.location_id),
                specialties=self.specialties,
                service_types=self.service_types,
                timezone=self.timezone,
                period_start=self.period.start if self.period else None,
                period_end=self.period.end if self.period else None,
                availability=tuple(window.to_rule() for window in self.availability),
                not_available=tuple(away.to_absence() for away in self.vacations),
            ),
        )


class EncounterFinalizedData(MessageData):
    appointment_id: UUID
    finalized_at: Instant | None = None

    def to_message(self) -> EncounterFinalized:
        return EncounterFinalized(appointment_id=AppointmentId(self.appointment_id))


class RoutedData(MessageData):
    """Ids and numbers by their names; which they are, its line in the table says."""

    type: ClassVar[str]

    def to_message(self) -> RoutedNews:
        told = self.model_dump(mode="json", exclude_none=True)
        return RoutedNews(
            type=self.type,
            references={name: str(value) for name, value in told.items()},
        )


_Count = Annotated[Whole, Field(ge=0, le=2**53)]


def _routed(type: str, route: Route) -> type[MessageData]:
    """Build the model of a line of the routing table, named after its type."""
    fields: dict[str, Any] = {
        **{_snake(name): (UUID, ...) for name in route.needs},
        **{_snake(name): (UUID | None, None) for name in route.may},
        **{_snake(name): (_Count | None, None) for name in route.numbers},
    }
    words = type.replace(".", "-").split("-")
    name = "".join(word.title() for word in (*words, "data"))
    model = create_model(name, __base__=RoutedData, **fields)
    model.type = type
    return model


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


INBOUND: Mapping[str, type[MessageData]] = MappingProxyType(
    {
        "portal.appointment.requested": PortalAppointmentRequestedData,
        "patient.created": PatientCreatedData,
        "patient.updated": PatientUpdatedData,
        "patient.deleted": PatientDeletedData,
        "practitioner-role.created": PractitionerRoleData,
        "practitioner-role.updated": PractitionerRoleData,
        "practitioner-role.deleted": PractitionerRoleDeletedData,
        "doctor.created": DoctorCreatedData,
        "encounter.finalized": EncounterFinalizedData,
        **{type: _routed(type, route) for type, route in ROUTES.items()},
    }
)


def message_of(
    type: str,
    data: object,
    *,
    version: int | None = None,
    known: Mapping[str, type[MessageData]] = INBOUND,
) -> Message:
    """Return what an event says.

    `data` is parsed JSON, `version` the event's `aggregateversion`. Raise UnknownType
    for what is not `known`, InvalidMessage for data that is not of its type.
    """
    model = known.get(type)
    if model is None:
        raise UnknownType("nobody here listens to events of that type")
    try:
        message = model.model_validate(data).to_message()
    except ValidationError as errors:
        raise InvalidMessage(_told(errors)) from None
    if isinstance(message, CalendarNews) and message.practitioner_role_id:
        return replace(message, role_version=version)
    return message


MOST_TOLD = 10


def _told(errors: ValidationError) -> str:
    """Say where and what kind, and nothing that was given: it may be a patient's."""
    found = errors.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{_place(one['loc'], one['type'])}: {one['type']}" for one in found]
    more = len(told) - MOST_TOLD
    return "; ".join(told[:MOST_TOLD] + ([f"{more} more"] if more > 0 else []))


def _place(path: Iterable[int | str], kind: str) -> str:
    """Name the field; one that we do not know is not repeated: it is theirs."""
    names = [str(name) for name in path]
    if kind == "extra_forbidden":
        names[-1:] = ["(unknown)"]
    return ".".join(names) or "data"

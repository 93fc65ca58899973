"""What news from outside says, once it is understood. Ids, codes and the data that we
keep; the envelope around it is `ports/inbox.ReceivedEvent`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.directory import Patient, Practitioner
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    PractitionerRoleId,
    ScheduleId,
    SlotId,
    WaitlistEntryId,
)
from scheduling.domain.period import Period
from scheduling.domain.schedule import PractitionerRole
from scheduling.domain.visit_news import VisitNews


class Aggregate(NamedTuple):
    """Whose news it is: of one, older news never comes after newer."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(ABC):
    """The data of one type of event."""

    @property
    @abstractmethod
    def aggregate(self) -> Aggregate | None:
        """None where each stands for itself, and order does not matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarNews(Message):
    """Our own: what a calendar is made from has changed, or it was published.

    `role_version` is that of the role, where the calendar follows one. Which run has
    seen it is known by the runs, not by the inbox: several of its news share a version.
    """

    schedule_id: ScheduleId
    practitioner_role_id: PractitionerRoleId | None
    role_version: int | None

    @property
    def aggregate(self) -> Aggregate | None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeFreed(Message):
    """Our own: an appointment gave time back, and who waits for such a time, best
    first. `period` is from the first of the slots on; the last may reach beyond it.
    """

    practitioner_id: PractitionerId
    location_id: LocationId
    slot_ids: tuple[SlotId, ...]
    period: Period
    appointment_type: str
    candidates: tuple[WaitlistEntryId, ...]

    @property
    def aggregate(self) -> Aggregate | None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitTold(Message):
    """Our own: a step of an appointment. Each is followed, in whatever order: what was
    overtaken is seen by how the visit stands.
    """

    news: VisitNews

    @property
    def aggregate(self) -> Aggregate | None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentRequested(Message):
    """A patient asks for a time through the portal. `request_id` is the portal's: the
    same one again is the same wish.
    """

    request_id: UUID
    wanted: BookingRequest = field(repr=False)

    @property
    def aggregate(self) -> Aggregate | None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientNews(Message):
    """What the registry says of a patient; `created` of one that it had not."""

    patient: Patient
    created: bool

    @property
    def aggregate(self) -> Aggregate:
        return Aggregate("patient", self.patient.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientDeleted(Message):
    patient_id: PatientId

    @property
    def aggregate(self) -> Aggregate:
        return Aggregate("patient", self.patient_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorCreated(Message):
    """Somebody new, and where they work; vacations are times of the role when they are
    not available.
    """

    practitioner: Practitioner = field(repr=False)
    role: PractitionerRole = field(repr=False)

    @property
    def aggregate(self) -> Aggregate:
        return Aggregate("practitioner", self.practitioner.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterFinalized(Message):
    """What an appointment was for is done and written up."""

    appointment_id: AppointmentId

    @property
    def aggregate(self) -> Aggregate | None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PractitionerRoleNews(Message):
    """What a directory says of a role; its version there is the event's."""

    role: PractitionerRole = field(repr=False)

    @property
    def aggregate(self) -> Aggregate:
        return Aggregate("practitioner-role", self.role.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PractitionerRoleDeleted(Message):
    practitioner_role_id: PractitionerRoleId

    @property
    def aggregate(self) -> Aggregate:
        return Aggregate("practitioner-role", self.practitioner_role_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedNews(Message):
    """What is told on to whom `domain/routing` says, and nothing else: ids and numbers
    by their names on the wire.
    """

    type: str
    references: Mapping[str, str]

    @property
    def aggregate(self) -> Aggregate | None:
        return None

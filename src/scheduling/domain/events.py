"""What happened, told in the past tense and never changed afterwards.

An event names ids, codes and times; no name, contact or free text is ever in one.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    ScheduleId,
    SlotId,
)
from scheduling.domain.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(ABC):
    """One step of one aggregate; `version` is the aggregate's after the step."""

    occurred_at: datetime
    version: int

    @property
    @abstractmethod
    def aggregate_id(self) -> UUID:
        """Whose step it is; the subject of the CloudEvent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentEvent(Event):
    appointment_id: AppointmentId
    patient_id: PatientId
    practitioner_id: PractitionerId
    location_id: LocationId
    slot_ids: tuple[SlotId, ...]
    period: Period
    timezone: str
    appointment_type: str

    @property
    def aggregate_id(self) -> UUID:
        return self.appointment_id


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentCreated(AppointmentEvent):
    status: str
    overbooked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentStatusChanged(AppointmentEvent):
    old_status: str
    new_status: str
    reason_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentCancelled(AppointmentStatusChanged):
    initiated_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePublished(Event):
    schedule_id: ScheduleId
    practitioner_id: PractitionerId
    location_id: LocationId
    timezone: str

    @property
    def aggregate_id(self) -> UUID:
        return self.schedule_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotOpened(Event):
    """A slot that can be booked: made, or free again."""

    slot_id: SlotId
    schedule_id: ScheduleId
    practitioner_id: PractitionerId
    location_id: LocationId
    period: Period
    timezone: str
    remaining: int

    @property
    def aggregate_id(self) -> UUID:
        return self.slot_id

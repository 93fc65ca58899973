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
    ScheduleExceptionId,
    ScheduleId,
    SlotId,
    WaitlistEntryId,
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
class AppointmentBefore:
    """What an updated appointment was; all fields, also those that stayed."""

    period: Period
    practitioner_id: PractitionerId
    location_id: LocationId
    slot_ids: tuple[SlotId, ...]
    appointment_type: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentUpdated(AppointmentEvent):
    """Moved, edited, or come from being asked for or held to being booked.

    `changed` names fields as the REST shapes do; of free text only that it changed.
    """

    status: str
    overbooked: bool
    old: AppointmentBefore
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentStatusChanged(AppointmentEvent):
    old_status: str
    new_status: str
    reason_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentCancelled(AppointmentStatusChanged):
    initiated_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinCompleted(AppointmentEvent):
    """The patient is here; told beside the change of status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldExpired(AppointmentEvent):
    """Seats that were kept until an instant are free; nobody had to come by for it."""

    expired_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistCandidate:
    waitlist_entry_id: WaitlistEntryId
    patient_id: PatientId


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistSlotAvailable(AppointmentEvent):
    """Time that an appointment gave back, and who waits for such a time, best first.

    Nobody is booked by it. `period` and the places are those that were given back.
    """

    candidates: tuple[WaitlistCandidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistFulfilled(Event):
    waitlist_entry_id: WaitlistEntryId
    patient_id: PatientId
    appointment_id: AppointmentId

    @property
    def aggregate_id(self) -> UUID:
        return self.waitlist_entry_id


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
class SlotEvent(Event):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotOpened(SlotEvent):
    """A slot that can be booked: made, or free again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotBlocked(SlotEvent):
    """A slot that gives no more seats; who has one keeps it. `remaining` is 0."""

    exception_id: ScheduleExceptionId | None

"""What happened, told in the past tense and never changed afterwards.

An event names ids, codes and times; no name, contact or free text is ever in one.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from scheduling.domain.identifiers import (
    AppointmentId,
    GenerationRunId,
    LocationId,
    PatientId,
    PractitionerId,
    PractitionerRoleId,
    ScheduleExceptionId,
    ScheduleId,
    SlotId,
    WaitlistEntryId,
    WaitlistOfferId,
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
class WaitlistOfferEvent(Event):
    """A step of an entry: what was offered to it, and what became of that.

    `appointment_id` is the hold that keeps the time meanwhile.
    """

    offer_id: WaitlistOfferId
    waitlist_entry_id: WaitlistEntryId
    patient_id: PatientId
    appointment_id: AppointmentId

    @property
    def aggregate_id(self) -> UUID:
        return self.waitlist_entry_id


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistOffered(WaitlistOfferEvent):
    """Freed time is kept for a patient who waits, until an instant: not booked yet."""

    practitioner_id: PractitionerId
    location_id: LocationId
    slot_ids: tuple[SlotId, ...]
    period: Period
    timezone: str
    appointment_type: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistOfferAccepted(WaitlistOfferEvent):
    """The hold is a booking now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistOfferDeclined(WaitlistOfferEvent):
    """Somebody said no, or the patient waits no more, or took something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistOfferExpired(WaitlistOfferEvent):
    """Nobody answered in time."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarChanged(Event):
    """What a bookable calendar is made from has changed: its slots are made anew.

    `changed` names fields as the REST shapes do, those of the location and the settings
    behind a dot (`location.timezone`, `settings.horizonDays`).
    """

    schedule_id: ScheduleId
    practitioner_id: PractitionerId
    location_id: LocationId
    changed: tuple[str, ...]

    @property
    def aggregate_id(self) -> UUID:
        return self.schedule_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PractitionerRoleChanged(CalendarChanged):
    """The same of a calendar that follows a role, whose version and step it is."""

    practitioner_role_id: PractitionerRoleId
    active: bool
    deleted: bool = False

    @property
    def aggregate_id(self) -> UUID:
        return self.practitioner_role_id


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSlot:
    """A slot that a run would not touch: why, and who is in it."""

    slot_id: SlotId
    reason: str
    appointment_ids: tuple[AppointmentId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsGenerationCompleted(Event):
    """A calendar's slots follow its rules again.

    What was desired is created, updated, unchanged or a conflict (something that stays
    is in its way). What is not desired any more is retired, or retained. `kept` are
    some of the conflicts and the retained, `kept_by_reason` counts all. Days are local
    to the calendar, both inclusive; `duration_ms` is elapsed.
    """

    generation_run_id: GenerationRunId
    schedule_id: ScheduleId
    practitioner_role_id: PractitionerRoleId | None
    role_version: int | None
    practitioner_id: PractitionerId
    location_id: LocationId
    trigger: str
    source_event_id: str
    first_day: date
    last_day: date
    tzdata_version: str
    created: int
    updated: int
    retired: int
    retained: int
    conflicts: int
    unchanged: int
    duration_ms: int
    kept_by_reason: Mapping[str, int] = field(default_factory=dict)
    kept: tuple[KeptSlot, ...] = ()

    @property
    def aggregate_id(self) -> UUID:
        return self.schedule_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRequested(Event):
    """Somebody is to be told something, by whoever sends messages.

    `template` is a code; `references` names what it is about, by ids and codes only.
    `recipient_id` is None where all of a kind are meant (the staff of a location named
    in the references). `channel` is None where the sender chooses.
    """

    notification_id: UUID
    template: str
    recipient_type: str
    recipient_id: UUID | None
    priority: str = "normal"
    channel: str | None = None
    references: Mapping[str, str] = field(default_factory=dict)
    source_event_id: str | None = None

    @property
    def aggregate_id(self) -> UUID:
        return self.notification_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderEvent(Event):
    """What became of a notice to a patient. The step is the reminder's, its only one:
    an appointment may have several, and other steps meanwhile.
    """

    reminder_id: UUID
    appointment_id: AppointmentId
    patient_id: PatientId
    practitioner_id: PractitionerId
    location_id: LocationId
    start: datetime
    timezone: str
    offset_minutes: int
    channel: str

    @property
    def aggregate_id(self) -> UUID:
        return self.reminder_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderSent(ReminderEvent):
    """Handed to whoever delivers it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderFailed(ReminderEvent):
    """It will not be tried again. `reason` is a code."""

    reason: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalReply(Event):
    """What became of a portal's request. `request_event_id` is that event's id."""

    request_id: UUID
    request_event_id: str
    patient_id: PatientId

    @property
    def aggregate_id(self) -> UUID:
        return self.request_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalAppointmentAccepted(PortalReply):
    appointment_id: AppointmentId


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalAppointmentRejected(PortalReply):
    """`code` is of the error catalogue."""

    code: str

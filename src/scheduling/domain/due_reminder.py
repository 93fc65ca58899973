"""A reminder whose instant has come: whether it still helps, how it goes, what becomes
of it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from scheduling.domain.directory import Channel, ContactPreferences
from scheduling.domain.events import Event, ReminderFailed, ReminderSent
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    TenantId,
)
from scheduling.domain.reminder import ReminderStatus
from scheduling.domain.status import Status

LAST_CALL = timedelta(minutes=5)
"""Before the start: after that nobody is reminded, for it would be read too late."""


class Why(StrEnum):
    """Why a reminder was not sent, besides the codes of whoever sends."""

    TOO_LATE = "TOO_LATE"
    """The visit is about to begin or has, or a later reminder of it is due as well."""

    NO_CHANNEL = "NO_CHANNEL"
    """No way that the patient agreed to, and that whoever sends can go."""

    PATIENT_INACTIVE = "PATIENT_INACTIVE"

    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    """It was being sent when whoever sent it died: once more could be twice."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What whoever sends can do. `looks_up`: it finds addresses itself, so that those
    which we do not have stand in nobody's way. `repeatable`: the same reminder again is
    known there by its id, and told once.
    """

    channels: frozenset[Channel] = frozenset(Channel)
    looks_up: bool = False
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Retrying:
    """How often it is tried to send one, and how long we wait in between."""

    attempts: int = 6
    first_pause: timedelta = timedelta(minutes=1)
    longest_pause: timedelta = timedelta(hours=1)

    def pause_after(self, attempt: int) -> timedelta:
        """Twice as long each time; `attempt` counts from 1."""
        doubled: int = 2 ** min(attempt - 1, 20)
        return min(self.first_pause * doubled, self.longest_pause)


@dataclass(frozen=True, slots=True)
class Contact:
    """How a patient may be reached. Never in an event or a log."""

    preferences: ContactPreferences
    phone: str | None = None
    email: str | None = None
    language: str | None = None

    def __repr__(self) -> str:
        return "Contact(…)"

    def address_on(self, channel: Channel) -> str | None:
        return self.email if channel is Channel.EMAIL else self.phone

    def channel(self, reach: Reach) -> Channel | None:
        """The first way that was agreed to, leads somewhere and can be gone."""
        anywhere = reach.looks_up and self.phone is None and self.email is None
        for channel in self.preferences.channels():
            if channel in reach.channels and (anywhere or self.address_on(channel)):
                return channel
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReminder:
    """A reminder that is due, with all that decides, as of `now` by the database.

    `overtaken`: a later one for the same time is due as well. `patient_active` is false
    of one who was forgotten. `reason` is why the last attempt failed.
    """

    tenant_id: TenantId
    id: UUID
    appointment_id: AppointmentId
    patient_id: PatientId
    practitioner_id: PractitionerId
    location_id: LocationId
    start: datetime
    status: Status
    offset_minutes: int
    channel: Channel
    look_at: datetime
    attempts: int
    reason: str | None
    sending_since: datetime | None
    overtaken: bool
    patient_active: bool
    contact: Contact
    location_name: str
    timezone: str
    now: datetime

    @property
    def of_use_until(self) -> datetime:
        """Five minutes before the start, or half of what was left when it was due."""
        left = timedelta(minutes=self.offset_minutes)
        return self.start - min(LAST_CALL, left / 2)

    def judged(self, reach: Reach, *, ours: bool = False) -> "Notice | SettledReminder":
        """Return what to send, or what became of it since it is not to be sent.

        `ours`: that it is being sent is what we have said ourselves.
        """
        told = self._is_off(reach, ours=ours)
        if told is not None:
            return told
        channel = self.contact.channel(reach)
        if not self.patient_active:
            return self._settled(ReminderStatus.SKIPPED, Why.PATIENT_INACTIVE)
        if channel is None:
            return self._settled(ReminderStatus.SKIPPED, Why.NO_CHANNEL)
        # To copy it costs more than all the rest of this.
        same = channel is self.channel
        return Notice(self if same else replace(self, channel=channel))

    def _is_off(self, reach: Reach, *, ours: bool) -> "SettledReminder | None":
        if not self.status.takes_time:
            return self._settled(ReminderStatus.CANCELLED, self.status)
        if self.sending_since is not None and not (ours or reach.repeatable):
            return self.failed(Why.OUTCOME_UNKNOWN)
        if not (self._is_over() or self.overtaken):
            return None
        if self.attempts > 0 and self.reason is not None:
            return self.failed(self.reason)
        return self._settled(ReminderStatus.SKIPPED, Why.TOO_LATE)

    def _is_over(self) -> bool:
        here = self.status in {Status.ARRIVED, Status.IN_PROGRESS}
        return here or self.now > self.of_use_until

    def being_sent(self, *, lease: timedelta) -> "SettledReminder":
        """Count the attempt and say that it is under way; nobody looks at it again
        before the lease is over, whatever becomes of us.
        """
        return SettledReminder(
            id=self.id,
            status=ReminderStatus.SCHEDULED,
            channel=self.channel,
            reason=self.reason,
            attempts=self.attempts + 1,
            attempt_at=self.now + lease,
            sending_since=self.now,
        )

    def sent(self) -> "SettledReminder":
        told = ReminderSent(
            occurred_at=self.now,
            version=1,
            reminder_id=self.id,
            appointment_id=self.appointment_id,
            patient_id=self.patient_id,
            practitioner_id=self.practitioner_id,
            location_id=self.location_id,
            start=self.start,
            timezone=self.timezone,
            offset_minutes=self.offset_minutes,
            channel=self.channel,
        )
        return SettledReminder(
            id=self.id,
            status=ReminderStatus.SENT,
            channel=self.channel,
            attempts=max(self.attempts, 1),
            sent_at=self.now,
            events=(told,),
        )

    def failed(self, reason: str) -> "SettledReminder":
        told = ReminderFailed(
            occurred_at=self.now,
            version=1,
            reminder_id=self.id,
            appointment_id=self.appointment_id,
            patient_id=self.patient_id,
            practitioner_id=self.practitioner_id,
            location_id=self.location_id,
            start=self.start,
            timezone=self.timezone,
            offset_minutes=self.offset_minutes,
            channel=self.channel,
            reason=reason,
            attempts=self.attempts,
        )
        settled = self._settled(ReminderStatus.FAILED, reason)
        return replace(settled, events=(told,))

    def put_off(self, reason: str, retrying: Retrying) -> "SettledReminder":
        """Try again later; give up after the last attempt, or where later is too late.
        `attempts` counts the one that has just failed.
        """
        again = self.now + retrying.pause_after(self.attempts)
        if self.attempts >= retrying.attempts or again > self.of_use_until:
            return self.failed(reason)
        settled = self._settled(ReminderStatus.SCHEDULED, reason)
        return replace(settled, attempt_at=again)

    def _settled(self, status: ReminderStatus, reason: str) -> "SettledReminder":
        return SettledReminder(
            id=self.id,
            status=status,
            channel=self.channel,
            reason=reason,
            attempts=self.attempts,
        )


@dataclass(frozen=True, slots=True)
class Notice:
    """A reminder that is to be sent now, on its `channel`."""

    reminder: DueReminder

    @property
    def address(self) -> str | None:
        return self.reminder.contact.address_on(self.reminder.channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledReminder:
    """What is stored of a reminder that was looked at, with its news."""

    id: UUID
    status: ReminderStatus
    channel: Channel
    attempts: int
    reason: str | None = None
    sent_at: datetime | None = None
    attempt_at: datetime | None = None
    sending_since: datetime | None = None
    events: tuple[Event, ...] = ()

    @property
    def outcome(self) -> str:
        """A word for figures: what became of it now."""
        if self.status is ReminderStatus.SCHEDULED:
            return "put-off"
        return self.status.lower()

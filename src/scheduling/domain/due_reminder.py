"""A reminder whose instant has come: whether it still helps, how it goes, what becomes
of it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
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
from scheduling.domain.reminder import ReminderStatus, Why
from scheduling.domain.status import Status

LAST_CALL = timedelta(minutes=5)
"""Before the start: after that nobody is reminded, for it would be read too late."""


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
    of one who was forgotten. `channel` is by which way it was planned or last tried, if
    there was one, `reason` why that came to nothing.
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
    channel: Channel | None
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
            return self.settled(ReminderStatus.SKIPPED, Why.PATIENT_INACTIVE)
        if channel is None:
            return self.settled(ReminderStatus.SKIPPED, Why.NO_CHANNEL)
        return Notice(self, channel)

    def _is_off(self, reach: Reach, *, ours: bool) -> "SettledReminder | None":
        if not self.status.takes_time:
            return self.settled(ReminderStatus.CANCELLED, self.status)
        # Whoever tried it has left by which way.
        tried = None if self.channel is None else Notice(self, self.channel)
        if self.sending_since and tried and not (ours or reach.repeatable):
            return tried.failed(Why.OUTCOME_UNKNOWN)
        if not (self._is_over() or self.overtaken):
            return None
        if self.attempts > 0 and tried and self.reason is not None:
            return tried.failed(self.reason)
        return self.settled(ReminderStatus.SKIPPED, Why.TOO_LATE)

    def _is_over(self) -> bool:
        here = self.status in {Status.ARRIVED, Status.IN_PROGRESS}
        return here or self.now > self.of_use_until

    def settled(
        self, status: ReminderStatus, reason: str, channel: Channel | None = None
    ) -> "SettledReminder":
        """`channel`: where it was tried now; else it stays what it was."""
        return SettledReminder(
            id=self.id,
            status=status,
            channel=channel or self.channel,
            reason=reason,
            attempts=self.attempts,
        )


@dataclass(frozen=True, slots=True)
class Notice:
    """A reminder that goes out by a channel: to be sent now, or how that went."""

    reminder: DueReminder
    channel: Channel

    @property
    def address(self) -> str | None:
        return self.reminder.contact.address_on(self.channel)

    def being_sent(self, *, lease: timedelta) -> "SettledReminder":
        """Count the attempt and say that it is under way; nobody looks at it again
        before the lease is over, whatever becomes of us.
        """
        reminder = self.reminder
        return SettledReminder(
            id=reminder.id,
            status=ReminderStatus.SCHEDULED,
            channel=self.channel,
            reason=reminder.reason,
            attempts=reminder.attempts + 1,
            attempt_at=reminder.now + lease,
            sending_since=reminder.now,
        )

    def sent(self) -> "SettledReminder":
        reminder = self.reminder
        told = ReminderSent(
            occurred_at=reminder.now,
            version=1,
            reminder_id=reminder.id,
            appointment_id=reminder.appointment_id,
            patient_id=reminder.patient_id,
            practitioner_id=reminder.practitioner_id,
            location_id=reminder.location_id,
            start=reminder.start,
            timezone=reminder.timezone,
            offset_minutes=reminder.offset_minutes,
            channel=self.channel,
        )
        return SettledReminder(
            id=reminder.id,
            status=ReminderStatus.SENT,
            channel=self.channel,
            attempts=max(reminder.attempts, 1),
            sent_at=reminder.now,
            events=(told,),
        )

    def failed(self, reason: str) -> "SettledReminder":
        reminder = self.reminder
        told = ReminderFailed(
            occurred_at=reminder.now,
            version=1,
            reminder_id=reminder.id,
            appointment_id=reminder.appointment_id,
            patient_id=reminder.patient_id,
            practitioner_id=reminder.practitioner_id,
            location_id=reminder.location_id,
            start=reminder.start,
            timezone=reminder.timezone,
            offset_minutes=reminder.offset_minutes,
            channel=self.channel,
            reason=reason,
            attempts=reminder.attempts,
        )
        settled = reminder.settled(ReminderStatus.FAILED, reason, self.channel)
        return replace(settled, events=(told,))

    def put_off(self, reason: str, retrying: Retrying) -> "SettledReminder":
        """Try again later; give up after the last attempt, or where later is too late.
        `attempts` counts the one that has just failed.
        """
        reminder = self.reminder
        again = reminder.now + retrying.pause_after(reminder.attempts)
        if reminder.attempts >= retrying.attempts or again > reminder.of_use_until:
            return self.failed(reason)
        settled = reminder.settled(ReminderStatus.SCHEDULED, reason, self.channel)
        return replace(settled, attempt_at=again)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledReminder:
    """What is stored of a reminder that was looked at, with its news."""

    id: UUID
    status: ReminderStatus
    channel: Channel | None
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

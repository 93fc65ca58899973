"""One notice to one patient for one appointment version, offset and channel."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from scheduling.domain.appointment import Appointment
from scheduling.domain.directory import Channel, ContactPreferences
from scheduling.domain.identifiers import new_id
from scheduling.domain.settings import Settings
from scheduling.domain.status import Status

REMINDED = frozenset({Status.BOOKED, Status.CONFIRMED})


class ReminderStatus(StrEnum):
    SCHEDULED = "SCHEDULED"
    SENT = "SENT"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"


class Why(StrEnum):
    """Why a reminder was not sent, besides the codes of whoever sends."""

    TOO_LATE = "TOO_LATE"
    """The visit is about to begin or has, or a later reminder of it is due as well."""

    NO_CHANNEL = "NO_CHANNEL"
    """No way that the patient agreed to, and that whoever sends can go."""

    PATIENT_INACTIVE = "PATIENT_INACTIVE"

    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    """It was being sent when whoever sent it died: once more could be twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """As it is planned. Without a channel it waits all the same: until it is due, the
    patient may agree to one.
    """

    id: UUID
    offset_minutes: int
    channel: Channel | None
    due_at: datetime

    @property
    def reason(self) -> Why | None:
        """Why it could not be sent, as things stand."""
        return Why.NO_CHANNEL if self.channel is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReminder:
    """A reminder as it stands. `reason` says why it was not sent, or not yet."""

    id: UUID
    appointment_version: int
    offset_minutes: int
    channel: Channel | None
    due_at: datetime
    status: ReminderStatus
    reason: str | None
    sent_at: datetime | None


def reminders_for(
    start: datetime,
    *,
    settings: Settings,
    preferences: ContactPreferences,
    now: datetime,
) -> tuple[Reminder, ...]:
    """Plan the notices whose due instant is still ahead."""
    channel = preferences.channel()
    return tuple(
        Reminder(id=new_id(now), offset_minutes=minutes, channel=channel, due_at=due_at)
        for minutes in settings.reminder_offsets_minutes
        if (due_at := start - timedelta(minutes=minutes)) > now
    )


def reminders_stay(after: Appointment) -> bool:
    """Whether what the patient is reminded of is still as it was before."""
    before = after.before
    return (
        before is not None
        and {before.status, after.status} <= REMINDED
        and before.period.start == after.period.start
        and before.location_id == after.location_id
    )

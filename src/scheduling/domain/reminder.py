"""One notice to one patient for one appointment version, offset and channel."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from scheduling.domain.directory import Channel, ContactPreferences
from scheduling.domain.identifiers import new_id
from scheduling.domain.settings import Settings


class ReminderStatus(StrEnum):
    SCHEDULED = "SCHEDULED"
    SENT = "SENT"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    id: UUID
    offset_minutes: int
    channel: Channel
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReminder:
    """A reminder as it stands. `reason` says why it was not sent, or not yet."""

    id: UUID
    appointment_version: int
    offset_minutes: int
    channel: Channel
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
    """Plan the notices whose due instant is still ahead; none without a channel."""
    channel = preferences.channel()
    if channel is None:
        return ()
    return tuple(
        Reminder(id=new_id(now), offset_minutes=minutes, channel=channel, due_at=due_at)
        for minutes in settings.reminder_offsets_minutes
        if (due_at := start - timedelta(minutes=minutes)) > now
    )

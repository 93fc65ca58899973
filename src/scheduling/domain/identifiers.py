"""The names by which the domain tells one thing from another."""

from datetime import datetime
from os import urandom
from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", UUID)
PractitionerId = NewType("PractitionerId", UUID)
LocationId = NewType("LocationId", UUID)
PatientId = NewType("PatientId", UUID)
PractitionerRoleId = NewType("PractitionerRoleId", UUID)
ScheduleId = NewType("ScheduleId", UUID)
SlotId = NewType("SlotId", UUID)
AppointmentId = NewType("AppointmentId", UUID)
SeriesId = NewType("SeriesId", UUID)
ScheduleExceptionId = NewType("ScheduleExceptionId", UUID)
WaitlistEntryId = NewType("WaitlistEntryId", UUID)
WaitlistOfferId = NewType("WaitlistOfferId", UUID)
GenerationRunId = NewType("GenerationRunId", UUID)
SubFileId = NewType("SubFileId", UUID)
NotificationId = NewType("NotificationId", UUID)


def new_id(now: datetime) -> UUID:
    """Return a UUIDv7 (RFC 9562, 5.7): rows made together lie together in an index."""
    milliseconds = int(now.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    random = int.from_bytes(urandom(10)) & (1 << 74) - 1
    high = milliseconds << 16 | 0x7000 | random >> 62
    low = 0b10 << 62 | random & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=high << 64 | low)

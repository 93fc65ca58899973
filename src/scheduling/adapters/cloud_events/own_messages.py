"""Our own events, come back to us: they may gain fields, and who reads bears it."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from pydantic import ConfigDict

from scheduling.adapters.cloud_events.fields import Data, Instant, Line
from scheduling.adapters.cloud_events.messages import MessageData
from scheduling.application.ports.messages import CalendarNews, TimeFreed
from scheduling.domain.identifiers import (
    LocationId,
    PractitionerId,
    PractitionerRoleId,
    ScheduleId,
    SlotId,
    WaitlistEntryId,
)
from scheduling.domain.period import Period


class OwnData(MessageData):
    """We may say more one day than we do today."""

    model_config = ConfigDict(extra="ignore")


class CalendarNewsData(OwnData):
    schedule_id: UUID
    practitioner_role_id: UUID | None = None

    def to_message(self) -> CalendarNews:
        role_id = self.practitioner_role_id
        return CalendarNews(
            schedule_id=ScheduleId(self.schedule_id),
            practitioner_role_id=None
            if role_id is None
            else PractitionerRoleId(role_id),
            role_version=None,
        )


class CandidateData(Data):
    model_config = OwnData.model_config

    waitlist_entry_id: UUID


class TimeFreedData(OwnData):
    practitioner_id: UUID
    location_id: UUID
    slot_ids: tuple[UUID, ...]
    start: Instant
    end: Instant
    appointment_type: Line
    candidates: tuple[CandidateData, ...]

    def to_message(self) -> TimeFreed:
        return TimeFreed(
            practitioner_id=PractitionerId(self.practitioner_id),
            location_id=LocationId(self.location_id),
            slot_ids=tuple(map(SlotId, self.slot_ids)),
            period=Period(self.start, self.end),
            appointment_type=self.appointment_type,
            candidates=tuple(
                WaitlistEntryId(one.waitlist_entry_id) for one in self.candidates
            ),
        )


OWN: Mapping[str, type[MessageData]] = MappingProxyType(
    {
        "practitioner-role.changed": CalendarNewsData,
        "schedule.changed": CalendarNewsData,
        "schedule.published": CalendarNewsData,
        "waitlist.slot-available": TimeFreedData,
    }
)

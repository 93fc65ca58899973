"""Our own events, come back to us: they may gain fields, and who reads bears it."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from uuid import UUID

from pydantic import ConfigDict

from scheduling.adapters.cloud_events.fields import Data, Instant, Line
from scheduling.adapters.cloud_events.messages import MessageData
from scheduling.application.ports.messages import CalendarNews, TimeFreed, VisitTold
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
from scheduling.domain.status import Status
from scheduling.domain.visit_news import VisitBefore, VisitNews


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


class VisitData(OwnData):
    """What all news of an appointment say of it."""

    appointment_id: UUID
    patient_id: UUID
    practitioner_id: UUID
    location_id: UUID
    start: Instant
    end: Instant
    timezone: Line
    appointment_type: Line

    def to_message(self) -> VisitTold:
        news = VisitNews(
            appointment_id=AppointmentId(self.appointment_id),
            patient_id=PatientId(self.patient_id),
            practitioner_id=PractitionerId(self.practitioner_id),
            location_id=LocationId(self.location_id),
            period=Period(self.start, self.end),
            timezone=self.timezone,
            appointment_type=self.appointment_type,
            status=self._status(),
        )
        return VisitTold(news=self._with_what_was(news))

    @abstractmethod
    def _status(self) -> Status: ...

    def _with_what_was(self, news: VisitNews) -> VisitNews:
        return news


class VisitMadeData(VisitData):
    status: Status

    def _status(self) -> Status:
        return self.status


class VisitBeforeData(Data):
    model_config = OwnData.model_config

    practitioner_id: UUID
    location_id: UUID
    start: Instant
    status: Status


class VisitUpdatedData(VisitMadeData):
    old: VisitBeforeData

    def _with_what_was(self, news: VisitNews) -> VisitNews:
        was = VisitBefore(
            self.old.status,
            PractitionerId(self.old.practitioner_id),
            LocationId(self.old.location_id),
            self.old.start,
        )
        return replace(news, before=was)


class VisitStepData(VisitData):
    old_status: Status
    new_status: Status
    reason_code: Line | None = None
    initiated_by: Line | None = None

    def _status(self) -> Status:
        return self.new_status

    def _with_what_was(self, news: VisitNews) -> VisitNews:
        return replace(
            news,
            before=VisitBefore(
                self.old_status,
                news.practitioner_id,
                news.location_id,
                news.period.start,
            ),
            reason_code=self.reason_code,
            initiated_by=self.initiated_by,
        )


OWN: Mapping[str, type[MessageData]] = MappingProxyType(
    {
        "appointment.arrived": VisitStepData,
        "appointment.cancelled": VisitStepData,
        "appointment.created": VisitMadeData,
        "appointment.updated": VisitUpdatedData,
        "practitioner-role.changed": CalendarNewsData,
        "schedule.changed": CalendarNewsData,
        "schedule.published": CalendarNewsData,
        "waitlist.slot-available": TimeFreedData,
    }
)

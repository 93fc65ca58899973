"""What a step of a visit means for those around it: whose record is opened, and who is
told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from scheduling.domain.appointment import Appointment, SystemReason
from scheduling.domain.directory import Patient
from scheduling.domain.events import NotificationRequested
from scheduling.domain.handover_events import EncounterRequested
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    NotificationId,
    PatientId,
    PractitionerId,
    new_id,
)
from scheduling.domain.notification import Notification, Template
from scheduling.domain.period import Period
from scheduling.domain.routing import Recipient
from scheduling.domain.status import CLOSED, Status
from scheduling.domain.sub_file import SubFile

_NOT_YET_BOOKED = frozenset({Status.PROPOSED, Status.PENDING})
_BOOKED = frozenset({Status.BOOKED, Status.CONFIRMED})
_CAN_BE_CALLED_OFF = _BOOKED | {Status.ARRIVED}


class Happening(StrEnum):
    """What a step is to people; most steps are nothing to them."""

    BOOKED = "booked"
    MOVED = "moved"
    """Another time, clinic or practitioner; a longer or shorter visit is none."""

    CALLED_OFF = "called-off"
    ARRIVED = "arrived"


@dataclass(frozen=True, slots=True)
class VisitBefore:
    """What it was before the step; places and start are those of now where only the
    status is told.
    """

    status: Status
    practitioner_id: PractitionerId
    location_id: LocationId
    start: datetime


@dataclass(frozen=True, slots=True)
class Telling:
    """`by_notice`: whoever sends messages is asked to, too."""

    recipient: Recipient
    recipient_id: UUID
    template: Template
    priority: str = "normal"
    by_notice: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitNews:
    """A visit as it was after a step; `before` is None of one that is new.

    `reason_code` and `initiated_by` are told with a cancel.
    """

    appointment_id: AppointmentId
    patient_id: PatientId
    practitioner_id: PractitionerId
    location_id: LocationId
    period: Period
    timezone: str
    appointment_type: str
    status: Status
    before: VisitBefore | None = None
    reason_code: str | None = None
    initiated_by: str | None = None

    @property
    def happening(self) -> Happening | None:
        was = self.before
        if self.status is Status.BOOKED and (
            was is None or was.status in _NOT_YET_BOOKED
        ):
            return Happening.BOOKED
        if was is None:
            return None
        if self.status is Status.CANCELLED:
            called_off = was.status in _CAN_BE_CALLED_OFF
            return Happening.CALLED_OFF if called_off else None
        if self.status is Status.ARRIVED and was.status is not Status.ARRIVED:
            return Happening.ARRIVED
        there = self.practitioner_id, self.location_id, self.period.start
        moved = there != (was.practitioner_id, was.location_id, was.start)
        return Happening.MOVED if moved and self.status in _BOOKED else None

    @property
    def is_booking_at_clinic(self) -> bool:
        """Whether the patient has a visit at the clinic by this step."""
        return self.happening is Happening.BOOKED or (
            self.happening is Happening.MOVED
            and self.before is not None
            and self.before.location_id != self.location_id
        )

    def stands(self, visit: Appointment) -> bool:
        """Whether what happened is still so: what was overtaken is told by what came
        after it.
        """
        if self.happening is Happening.CALLED_OFF:
            return visit.status is Status.CANCELLED
        return visit.status.takes_time and (
            visit.practitioner_id,
            visit.location_id,
            visit.period.start,
        ) == (self.practitioner_id, self.location_id, self.period.start)

    def tellings(self, now: datetime) -> tuple[Telling, ...]:
        """Return who is told what; nobody, of what is over."""
        return () if self.period.end <= now else tuple(self._tellings())

    def _tellings(self) -> Iterator[Telling]:
        patient = Recipient.PATIENT, self.patient_id
        practitioner = Recipient.PRACTITIONER, self.practitioner_id
        was = self.before
        match self.happening:
            case Happening.BOOKED:
                yield Telling(*patient, Template.BOOKED)
                yield Telling(*practitioner, Template.BOOKED, by_notice=False)
            case Happening.MOVED if was is not None:
                yield Telling(*patient, Template.RESCHEDULED)
                if was.practitioner_id == self.practitioner_id:
                    yield Telling(*practitioner, Template.RESCHEDULED)
                else:
                    yield Telling(*practitioner, Template.BOOKED, by_notice=False)
                    before = Recipient.PRACTITIONER, was.practitioner_id
                    yield Telling(*before, Template.HANDED_OVER)
            case Happening.CALLED_OFF if (
                self.reason_code == SystemReason.PATIENT_DELETED
            ):
                # Nobody is to be written to about a patient who is forgotten.
                yield Telling(*practitioner, Template.CANCELLED, by_notice=False)
            case Happening.CALLED_OFF:
                yield Telling(*patient, Template.CANCELLED, "high")
                yield Telling(*practitioner, Template.CANCELLED, "high")

    def notices(
        self, patient: Patient | None, *, source_event_id: str, now: datetime
    ) -> Iterator[NotificationRequested]:
        """Yield what whoever sends messages is asked for. A patient who is not there or
        was forgotten is not written to.
        """
        known = patient is not None and not patient.is_deleted
        for one in self.tellings(now):
            to_patient = one.recipient is Recipient.PATIENT
            if not one.by_notice or (to_patient and not known):
                continue
            whom = patient if to_patient else None
            yield NotificationRequested(
                occurred_at=now,
                version=1,
                notification_id=new_id(now),
                template=one.template,
                recipient_type=one.recipient,
                recipient_id=one.recipient_id,
                priority=one.priority,
                channel=whom.preferences.channel() if whom else None,
                references=self._references(whom.language if whom else None),
                source_event_id=source_event_id,
            )

    def notifications(
        self, *, source_event_id: str, now: datetime
    ) -> Iterator[Notification]:
        """Yield what the practitioners find in the app."""
        for one in self.tellings(now):
            if one.recipient is Recipient.PRACTITIONER:
                yield Notification(
                    id=NotificationId(new_id(now)),
                    practitioner_id=PractitionerId(one.recipient_id),
                    template=one.template,
                    patient_id=self.patient_id,
                    appointment_id=self.appointment_id,
                    start=self.period.start,
                    timezone=self.timezone,
                    service_type=self.appointment_type,
                    source_event_id=source_event_id,
                    created_at=now,
                )

    def encounter(
        self, sub_file: SubFile | None, *, arrived_at: datetime, now: datetime
    ) -> EncounterRequested:
        """Return what an encounter begins with."""
        return EncounterRequested(
            occurred_at=now,
            version=1,
            encounter_request_id=new_id(now),
            appointment_id=self.appointment_id,
            patient_id=self.patient_id,
            practitioner_id=self.practitioner_id,
            location_id=self.location_id,
            period=self.period,
            timezone=self.timezone,
            appointment_type=self.appointment_type,
            arrived_at=arrived_at,
            sub_file_id=sub_file.id if sub_file else None,
            sub_file_number=sub_file.number if sub_file else None,
        )

    def _references(self, language: str | None) -> dict[str, str]:
        told = {
            "appointmentId": str(self.appointment_id),
            "patientId": str(self.patient_id),
            "practitionerId": str(self.practitioner_id),
            "locationId": str(self.location_id),
            "start": _told(self.period.start),
            "end": _told(self.period.end),
            "timezone": self.timezone,
            "appointmentType": self.appointment_type,
        }
        was = self.before
        if self.happening is Happening.MOVED and was is not None:
            told["oldStart"] = _told(was.start)
            told["oldPractitionerId"] = str(was.practitioner_id)
            told["oldLocationId"] = str(was.location_id)
        codes = {
            "reasonCode": self.reason_code,
            "initiatedBy": self.initiated_by,
            "language": language,
        }
        return told | {name: code for name, code in codes.items() if code is not None}


def awaits_encounter(visit: Appointment, arrived_at: datetime) -> bool:
    """Whether somebody who arrived then is still to be seen, or was. Who is checked in
    and done at one instant was written up elsewhere already; who is gone needs none.
    """
    written_up = visit.status is Status.COMPLETED and visit.updated_at == arrived_at
    return visit.status not in CLOSED and not written_up


def _told(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")

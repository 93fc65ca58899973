"""A patient's visit to a practitioner, from the wish to the end of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self
from uuid import UUID

from scheduling.domain.claim import ActorKind, Resource
from scheduling.domain.errors import InvalidStatusTransition
from scheduling.domain.events import (
    AppointmentCancelled,
    AppointmentCreated,
    AppointmentStatusChanged,
    Event,
)
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    ScheduleId,
    SeriesId,
    SlotId,
)
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot


class Status(StrEnum):
    PROPOSED = "proposed"
    PENDING = "pending"
    BOOKED = "booked"
    CONFIRMED = "confirmed"
    ARRIVED = "arrived"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no-show"
    ENTERED_IN_ERROR = "entered-in-error"

    @property
    def takes_time(self) -> bool:
        """Whether the appointment holds its seat and its actors' time."""
        return self in _TAKING_TIME


_TAKING_TIME = frozenset(
    {
        Status.PENDING,
        Status.BOOKED,
        Status.CONFIRMED,
        Status.ARRIVED,
        Status.IN_PROGRESS,
    }
)

TRANSITIONS: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {
        Status.PROPOSED: frozenset({Status.PENDING, Status.BOOKED, Status.CANCELLED}),
        Status.PENDING: frozenset({Status.BOOKED, Status.CANCELLED}),
        Status.BOOKED: frozenset(
            {Status.CONFIRMED, Status.ARRIVED, Status.CANCELLED, Status.NO_SHOW}
        ),
        Status.CONFIRMED: frozenset({Status.ARRIVED, Status.CANCELLED, Status.NO_SHOW}),
        Status.ARRIVED: frozenset(
            {Status.IN_PROGRESS, Status.COMPLETED, Status.CANCELLED, Status.NO_SHOW}
        ),
        Status.IN_PROGRESS: frozenset({Status.COMPLETED}),
        Status.COMPLETED: frozenset(),
        Status.CANCELLED: frozenset(),
        Status.NO_SHOW: frozenset(),
        Status.ENTERED_IN_ERROR: frozenset(),
    }
)
"""What follows what. With the right to, also: no-show → arrived on the same local
day, and anything but entered-in-error → entered-in-error."""


class CancelReason(StrEnum):
    PATIENT = "patient"
    PRACTICE = "practice"
    EMERGENCY = "emergency"
    WEATHER = "weather"
    OTHER = "other"


class Initiator(StrEnum):
    PATIENT = "patient"
    PRACTITIONER = "practitioner"
    STAFF = "staff"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """Never changes in place: each verb returns the next version.

    The next version carries the events that tell what happened. An appointment read
    back from storage carries none.
    """

    id: AppointmentId
    patient_id: PatientId
    practitioner_id: PractitionerId
    location_id: LocationId
    schedule_id: ScheduleId
    slot_ids: tuple[SlotId, ...]
    period: Period
    timezone: str
    appointment_type: str
    status: Status
    created_at: datetime
    updated_at: datetime
    reason: str | None = None
    notes: str | None = None
    resources: tuple[Resource, ...] = ()
    overbooked: bool = False
    override_reason: str | None = None
    hold_expires_at: datetime | None = None
    held_by: str | None = None
    series_id: SeriesId | None = None
    series_index: int | None = None
    status_reason_code: str | None = None
    status_comment: str | None = None
    cancelled_by: Initiator | None = None
    sub_file_id: UUID | None = None
    version: int = 1
    events: tuple[Event, ...] = ()

    def __repr__(self) -> str:
        """Reasons and notes stay out of logs, also by accident."""
        return f"Appointment(id={self.id!r}, version={self.version})"

    @property
    def actors(self) -> tuple[tuple[ActorKind, UUID], ...]:
        """Whose time the appointment takes."""
        return (
            (ActorKind.PRACTITIONER, self.practitioner_id),
            (ActorKind.PATIENT, self.patient_id),
            *((resource.kind, resource.id) for resource in self.resources),
        )

    def created(self) -> Self:
        event = AppointmentCreated(
            occurred_at=self.created_at,
            status=self.status,
            overbooked=self.overbooked,
            **self._told(self.version),
        )
        return replace(self, events=(*self.events, event))

    def cancel(
        self,
        *,
        reason_code: CancelReason,
        initiated_by: Initiator,
        comment: str | None,
        now: datetime,
    ) -> Self:
        self._demand(Status.CANCELLED)
        event = AppointmentCancelled(
            occurred_at=now,
            old_status=self.status,
            new_status=Status.CANCELLED,
            reason_code=reason_code,
            initiated_by=initiated_by,
            **self._told(self.version + 1),
        )
        return replace(
            self,
            status=Status.CANCELLED,
            status_reason_code=reason_code,
            status_comment=comment,
            cancelled_by=initiated_by,
            hold_expires_at=None,
            version=self.version + 1,
            updated_at=now,
            events=(event,),
        )

    def freed(self, slots: Iterable[Slot], now: datetime) -> tuple[Slot, ...]:
        """Return the next versions of the slots whose seats this one held."""
        if not self.status.takes_time:
            return ()
        return tuple(slot.released(now) for slot in slots)

    def taken_over_as(self, status: Status, *, now: datetime) -> Self:
        """Set the status that a visit of another system had when it was taken over.

        No transition is asked for: what happened elsewhere is not ours to refuse. What
        was not booked there yet is not said to have been booked here.
        """
        if status is self.status:
            return self
        if status in {Status.PROPOSED, Status.PENDING}:
            return replace(self, status=status, events=()).created()
        told = self._told(self.version + 1)
        change: dict[str, Any] = {"old_status": self.status, "new_status": status}
        event = (
            AppointmentCancelled(
                occurred_at=now,
                reason_code=CancelReason.OTHER,
                initiated_by=Initiator.SYSTEM,
                **change,
                **told,
            )
            if status is Status.CANCELLED
            else AppointmentStatusChanged(occurred_at=now, **change, **told)
        )
        return replace(
            self,
            status=status,
            version=self.version + 1,
            updated_at=now,
            events=(*self.events, event),
        )

    def _demand(self, wanted: Status) -> None:
        if wanted not in TRANSITIONS[self.status]:
            raise InvalidStatusTransition(
                f"Appointment {self.id} is {self.status}: it cannot become {wanted}."
            )

    def _told(self, version: int) -> dict[str, Any]:
        return {
            "version": version,
            "appointment_id": self.id,
            "patient_id": self.patient_id,
            "practitioner_id": self.practitioner_id,
            "location_id": self.location_id,
            "slot_ids": self.slot_ids,
            "period": self.period,
            "timezone": self.timezone,
            "appointment_type": self.appointment_type,
        }

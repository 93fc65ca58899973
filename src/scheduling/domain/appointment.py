"""A patient's visit to a practitioner, from the wish to the end of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Self
from uuid import UUID

from scheduling.domain.claim import ActorKind, Resource
from scheduling.domain.errors import InvalidInput, InvalidStatusTransition
from scheduling.domain.events import (
    AppointmentBefore,
    AppointmentCancelled,
    AppointmentCreated,
    AppointmentStatusChanged,
    AppointmentUpdated,
    CheckinCompleted,
    Event,
    HoldExpired,
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
from scheduling.domain.period import Period, local_day
from scheduling.domain.slot import Slot
from scheduling.domain.status import CLOSED, TRANSITIONS, Status


class CancelReason(StrEnum):
    PATIENT = "patient"
    PRACTICE = "practice"
    EMERGENCY = "emergency"
    WEATHER = "weather"
    OTHER = "other"

    @classmethod
    def named(cls, given: str | None) -> Self:
        """Raise InvalidInput for what is no reason to cancel, or where none is told."""
        try:
            return cls(given or "")
        except ValueError:
            raise InvalidInput(f"is one of {', '.join(cls)}", "reasonCode") from None


class SystemReason(StrEnum):
    """Why we call a visit off ourselves; nobody can say so."""

    HOLD_EXPIRED = "hold-expired"
    PATIENT_DELETED = "patient-deleted"


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
    before: "Appointment | None" = field(default=None, compare=False)
    """The version that this one follows, in the step that made it."""

    def __repr__(self) -> str:
        """Reasons and notes stay out of logs, also by accident."""
        return f"Appointment(id={self.id!r}, version={self.version})"

    @property
    def last_step(self) -> str:
        """What was done last, named as the event of it is; `booked` at first, where it
        is no proposal.
        """
        if self.before is None:
            proposed = self.status is Status.PROPOSED
            return f"appointment.{'proposed' if proposed else 'booked'}"
        if self.before.status is self.status:
            return "appointment.updated"
        return f"appointment.{self.status}"

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
        reason_code: CancelReason | SystemReason,
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
        return self._next(
            now,
            event,
            status=Status.CANCELLED,
            status_reason_code=reason_code,
            status_comment=comment,
            cancelled_by=initiated_by,
            # A hold that is given up has run out: it never was more than a hold.
            hold_expires_at=self.hold_expires_at and now,
        )

    def is_correction(self, wanted: Status, *, now: datetime) -> bool:
        """Whether this is no step of a visit's life but takes one back: who does that
        needs the right to.
        """
        if wanted is Status.ENTERED_IN_ERROR:
            return self.status is not Status.ENTERED_IN_ERROR
        return (
            self.status is Status.NO_SHOW
            and wanted is Status.ARRIVED
            and local_day(now, self.timezone)
            == local_day(self.period.start, self.timezone)
        )

    def takes_time_anew(self, wanted: Status) -> bool:
        """Whether becoming that takes a new look at what is free: coming to what takes
        time, or from waiting to being booked.
        """
        if not wanted.takes_time:
            return False
        return not self.status.takes_time or self.status is Status.PENDING

    def demand(self, wanted: Status, *, now: datetime) -> None:
        """Raise InvalidStatusTransition where it cannot become that."""
        if not self.is_correction(wanted, now=now):
            self._demand(wanted)

    def demand_no_new_time(self, wanted: Status, *, now: datetime) -> None:
        """Raise InvalidStatusTransition also where becoming that takes time anew."""
        self.demand(wanted, now=now)
        if self.takes_time_anew(wanted):
            raise InvalidStatusTransition(
                f"Appointment {self.id} would take its time anew: change its status by "
                "itself, not with others."
            )

    def become(
        self,
        wanted: Status,
        *,
        reason_code: str | None = None,
        comment: str | None = None,
        now: datetime,
        **otherwise: Any,  # noqa: ANN401  # fields that change with the status
    ) -> Self:
        """Take the next step of a visit's life, or take one back; to cancel, say why:
        `cancel`.
        """
        self.demand(wanted, now=now)
        after = replace(self, status=wanted, **otherwise)
        told = after._told(self.version + 1)  # noqa: SLF001  # of our own kind
        event: Event = (
            self._updated(after, now)
            if wanted in _WAITING_OR_BOOKED
            else AppointmentStatusChanged(
                occurred_at=now,
                old_status=self.status,
                new_status=wanted,
                reason_code=reason_code,
                **told,
            )
        )
        arrival = (
            (CheckinCompleted(occurred_at=now, **told),)
            if wanted is Status.ARRIVED
            else ()
        )
        return self._next(
            now,
            event,
            *arrival,
            status=wanted,
            status_reason_code=reason_code,
            status_comment=comment,
            hold_expires_at=None,
            held_by=None,
            **otherwise,
        )

    def carried_out(self, *, now: datetime) -> tuple[Self, ...]:
        """Return the steps by which it comes to be completed, none where it is. Who was
        never checked in has been here all the same.
        """
        if self.status is Status.COMPLETED:
            return ()
        if self.status not in _STILL_TO_COME:
            return (self.become(Status.COMPLETED, now=now),)
        here = self.become(Status.ARRIVED, now=now)
        return here, here.become(Status.COMPLETED, now=now)

    def called_off_for_good(self, *, now: datetime) -> Self:
        """Its patient is deleted. A hold that has run out has ended by itself."""
        gone = self.lapsed(now) or self.cancel(
            reason_code=SystemReason.PATIENT_DELETED,
            initiated_by=Initiator.SYSTEM,
            comment=None,
            now=now,
        )
        return gone.without_texts()

    def without_texts(self) -> Self:
        """Ids, codes and times stay; what somebody wrote about the patient goes."""
        return replace(
            self, reason=None, notes=None, override_reason=None, status_comment=None
        )

    def edited(self, *, now: datetime, **wanted: Any) -> Self:  # noqa: ANN401
        """Replace fields of it, by their names here; the same where nothing changes."""
        if self.status in CLOSED or self.lapsed(now):
            raise InvalidStatusTransition(
                f"Appointment {self.id} is {self.status}: it does not change any more."
            )
        after = replace(self, **wanted)
        if after == self:
            return self
        return self._next(now, self._updated(after, now), **wanted)

    def lapsed(self, now: datetime) -> Self | None:
        """Return the hold as it is once it has run out; None where it has not."""
        until = self.hold_expires_at
        if self.status is not Status.PENDING or until is None or until > now:
            return None
        event = HoldExpired(
            occurred_at=now, expired_at=until, **self._told(self.version + 1)
        )
        return self._next(
            now,
            event,
            status=Status.CANCELLED,
            status_reason_code=SystemReason.HOLD_EXPIRED,
            cancelled_by=Initiator.SYSTEM,
        )

    def freed(self, slots: Iterable[Slot], now: datetime) -> tuple[Slot, ...]:
        """Return the next versions of the slots whose seats this one held."""
        if not self.status.keeps_time:
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

    def _next(self, now: datetime, *events: Event, **changes: Any) -> Self:  # noqa: ANN401
        return replace(
            self,
            **changes,
            version=self.version + 1,
            updated_at=now,
            events=events,
            before=replace(self, events=(), before=None),
        )

    def _updated(self, after: Self, now: datetime) -> AppointmentUpdated:
        return AppointmentUpdated(
            occurred_at=now,
            status=after.status,
            overbooked=after.overbooked,
            changed=tuple(n for n, of in _ON_THE_WIRE if of(self) != of(after)),
            old=AppointmentBefore(
                period=self.period,
                practitioner_id=self.practitioner_id,
                location_id=self.location_id,
                slot_ids=self.slot_ids,
                appointment_type=self.appointment_type,
                status=self.status,
            ),
            **after._told(self.version + 1),
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


_WAITING_OR_BOOKED = frozenset({Status.PENDING, Status.BOOKED})
_STILL_TO_COME = frozenset({Status.BOOKED, Status.CONFIRMED})

# What an update tells: the names as REST has them. Of free text only that it changed.
_ON_THE_WIRE = (
    ("practitionerId", attrgetter("practitioner_id")),
    ("locationId", attrgetter("location_id")),
    ("slotIds", attrgetter("slot_ids")),
    ("start", attrgetter("period.start")),
    ("end", attrgetter("period.end")),
    ("appointmentType", attrgetter("appointment_type")),
    ("status", attrgetter("status")),
    ("resources", attrgetter("resources")),
    ("overbooked", attrgetter("overbooked")),
    ("reason", attrgetter("reason")),
    ("notes", attrgetter("notes")),
)

"""Every way in which the domain says no.

DomainError
├── InvalidInput                   422  a value makes no sense, named by its field
│   └── InvalidPeriod
├── NotFound                       404  missing, or another tenant's
│   ├── AppointmentNotFound
│   ├── SeriesNotFound
│   ├── ScheduleNotFound
│   ├── SlotNotFound
│   ├── PatientNotFound
│   ├── PractitionerNotFound
│   ├── PractitionerRoleNotFound
│   ├── LocationNotFound
│   ├── ScheduleExceptionNotFound
│   ├── NotificationNotFound
│   └── WaitlistEntryNotFound
├── NotBookable                    409  the time is not to be had
│   ├── PractitionerNotAvailable        inactive, or away
│   ├── PractitionerNotAssigned         not at that location on that date
│   ├── OutsideSchedule
│   ├── OutsideBookingWindow            past, too soon, too far ahead
│   ├── SlotNotAvailable                no free seat
│   ├── NewSlotNotAvailable             no free seat where one would move to
│   ├── HoldExpired                     the hold that was to be booked has run out
│   ├── DoubleBookingDetected           practitioner, patient or resource is taken
│   ├── BufferTimeConflict              only the buffer is in the way
│   └── BookingLimitReached
├── DoubleBookingOverrideDenied    403  allowDoubleBooking without the right to
├── OptimisticLockConflict         409  the thing moved on while the caller decided
├── PreconditionFailed             412  the same, said by If-Match
├── PreconditionRequired           428  a change names no version
├── PatientIdClaimRequired         400  self-booking without a patient's own token
├── InvalidStatusTransition        409
├── IdempotencyKeyReused           422  same key, other request
└── RequestInProgress              409  same key, still running

`code` is what clients read; http/problems.py alone knows statuses. Messages name ids
and times only: they end up in logs and responses, and no patient's data may follow.
"""

from typing import ClassVar
from uuid import UUID


class DomainError(Exception):
    """The request is understood, and refused."""

    code: ClassVar[str] = "REFUSED"

    index: int | None = None
    """Of several that were asked for, the one that cannot be; the first is 1."""


class InvalidInput(DomainError):
    """A value of the right shape that makes no sense; `field` is its JSON path."""

    code = "VALIDATION_FAILED"

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class InvalidPeriod(InvalidInput):
    def __init__(self, message: str, field: str = "end") -> None:
        super().__init__(message, field)


class NotFound(DomainError):
    """There is none for this tenant; whether another has it is not told."""

    what: ClassVar[str] = "thing"

    def __init__(self, id: UUID) -> None:
        super().__init__(f"There is no {self.what} {id}.")
        self.id = id


class AppointmentNotFound(NotFound):
    code = "APPOINTMENT_NOT_FOUND"
    what = "appointment"


class SeriesNotFound(NotFound):
    code = "SERIES_NOT_FOUND"
    what = "series"


class ScheduleNotFound(NotFound):
    code = "SCHEDULE_NOT_FOUND"
    what = "schedule"


class SlotNotFound(NotFound):
    code = "SLOT_NOT_FOUND"
    what = "slot"


class PatientNotFound(NotFound):
    code = "PATIENT_NOT_FOUND"
    what = "active patient"


class PractitionerNotFound(NotFound):
    code = "PRACTITIONER_NOT_FOUND"
    what = "practitioner"


class PractitionerRoleNotFound(NotFound):
    code = "PRACTITIONER_ROLE_NOT_FOUND"
    what = "practitioner role"


class LocationNotFound(NotFound):
    code = "LOCATION_NOT_FOUND"
    what = "location"


class ScheduleExceptionNotFound(NotFound):
    code = "SCHEDULE_EXCEPTION_NOT_FOUND"
    what = "schedule exception"


class NotificationNotFound(NotFound):
    code = "NOTIFICATION_NOT_FOUND"
    what = "notification"


class WaitlistEntryNotFound(NotFound):
    code = "WAITLIST_ENTRY_NOT_FOUND"
    what = "waitlist entry"


class NotBookable(DomainError):
    """The time cannot be had; another may."""


class PractitionerNotAvailable(NotBookable):
    code = "PRACTITIONER_NOT_AVAILABLE"


class PractitionerNotAssigned(NotBookable):
    code = "PRACTITIONER_NOT_ASSIGNED"


class OutsideSchedule(NotBookable):
    code = "OUTSIDE_SCHEDULE"


class OutsideBookingWindow(NotBookable):
    code = "OUTSIDE_BOOKING_WINDOW"


class SlotNotAvailable(NotBookable):
    code = "SLOT_NOT_AVAILABLE"


class NewSlotNotAvailable(NotBookable):
    code = "NEW_SLOT_NOT_AVAILABLE"


class HoldExpired(NotBookable):
    code = "HOLD_EXPIRED"


class DoubleBookingDetected(NotBookable):
    """`conflicting` are the appointments in the way, as far as they are known."""

    code = "DOUBLE_BOOKING_DETECTED"

    def __init__(self, message: str, conflicting: tuple[UUID, ...] = ()) -> None:
        super().__init__(message)
        self.conflicting = conflicting


class BufferTimeConflict(NotBookable):
    code = "BUFFER_TIME_CONFLICT"

    def __init__(self, message: str, conflicting: tuple[UUID, ...] = ()) -> None:
        super().__init__(message)
        self.conflicting = conflicting


class BookingLimitReached(NotBookable):
    code = "BOOKING_LIMIT_REACHED"


class DoubleBookingOverrideDenied(DomainError):
    code = "DOUBLE_BOOKING_OVERRIDE_DENIED"


class OptimisticLockConflict(DomainError):
    code = "OPTIMISTIC_LOCK_CONFLICT"


class PreconditionFailed(DomainError):
    code = "OPTIMISTIC_LOCK_CONFLICT"


class PreconditionRequired(DomainError):
    code = "PRECONDITION_REQUIRED"


class PatientIdClaimRequired(DomainError):
    code = "PATIENT_ID_CLAIM_REQUIRED"


class InvalidStatusTransition(DomainError):
    code = "INVALID_STATUS_TRANSITION"


class IdempotencyKeyReused(DomainError):
    code = "IDEMPOTENCY_KEY_REUSED"


class RequestInProgress(DomainError):
    code = "REQUEST_IN_PROGRESS"

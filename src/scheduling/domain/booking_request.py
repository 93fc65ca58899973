"""What somebody may ask for when they want an appointment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from scheduling.domain.claim import Resource
from scheduling.domain.errors import DoubleBookingOverrideDenied, InvalidInput
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    SeriesId,
    SlotId,
)
from scheduling.domain.period import Period


@dataclass(frozen=True, slots=True)
class BySlot:
    slot_id: SlotId


@dataclass(frozen=True, slots=True)
class ByStart:
    """A stretch over one slot or consecutive slots of one schedule."""

    practitioner_id: PractitionerId
    location_id: LocationId
    period: Period


def when_said(
    slot_id: UUID | None,
    practitioner_id: UUID | None,
    location_id: UUID | None,
    start: datetime | None,
    duration_minutes: int | None,
) -> BySlot | ByStart:
    """Return what was said, in one of the two ways; raise ValueError where it was said
    in neither, in both, or in part.
    """
    by_start = (practitioner_id, location_id, start, duration_minutes)
    if slot_id is not None and by_start == (None, None, None, None):
        return BySlot(SlotId(slot_id))
    if (
        slot_id is not None
        or practitioner_id is None
        or location_id is None
        or start is None
        or duration_minutes is None
    ):
        raise ValueError(
            "give slotId alone, or practitionerId, locationId, start and "
            "durationMinutes together"
        )
    return ByStart(
        PractitionerId(practitioner_id),
        LocationId(location_id),
        Period.of(start, timedelta(minutes=duration_minutes)),
    )


@dataclass(frozen=True, slots=True)
class Override:
    """Book although somebody is taken. `allowed`: the caller has the right to."""

    reason: str | None
    allowed: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the seats for somebody, until an instant at which they are free again."""

    until: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRequest:
    patient_id: PatientId
    when: BySlot | ByStart
    appointment_type: str
    reason: str | None = None
    notes: str | None = None
    resources: tuple[Resource, ...] = ()
    override: Override | None = None
    hold: Hold | None = None
    series: tuple[SeriesId, int] | None = None
    id: AppointmentId | None = None

    def demand_override_right(self) -> None:
        """An override needs the right to it first, then a reason."""
        if self.override is None:
            return
        if not self.override.allowed:
            raise DoubleBookingOverrideDenied("Only who may override can double-book.")
        if not (self.override.reason or "").strip():
            raise InvalidInput("an override needs a reason", "overrideReason")

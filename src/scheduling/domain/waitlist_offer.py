"""Freed time that is kept for one of those who wait, until they answer or it ends."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from scheduling.domain.appointment import Appointment, SystemReason
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PractitionerId,
    SlotId,
    WaitlistEntryId,
    WaitlistOfferId,
    new_id,
)
from scheduling.domain.period import Period
from scheduling.domain.status import Status

WAITLIST = "waitlist"
"""Who holds what is offered: nobody's token, so nobody else books it by the hold."""


class OfferStatus(StrEnum):
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTime:
    """When and where it is: what the hold keeps."""

    practitioner_id: PractitionerId
    location_id: LocationId
    slot_ids: tuple[SlotId, ...]
    period: Period
    timezone: str
    appointment_type: str

    @classmethod
    def of(cls, hold: Appointment) -> Self:
        return cls(
            practitioner_id=hold.practitioner_id,
            location_id=hold.location_id,
            slot_ids=hold.slot_ids,
            period=hold.period,
            timezone=hold.timezone,
            appointment_type=hold.appointment_type,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistOffer:
    """`appointment_id` is the hold. `source_event_id` is the news of the freed time,
    of which everybody is asked once; `candidates` are all whom it named, best first.
    What somebody offers by themselves has a news of its own, and no candidates where
    the organisation does not go on to the next.
    """

    id: WaitlistOfferId
    appointment_id: AppointmentId
    time: OfferedTime
    source_event_id: str
    status: OfferStatus = OfferStatus.OFFERED
    candidates: tuple[WaitlistEntryId, ...]
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    version: int = 1

    @classmethod
    def of(
        cls,
        hold: Appointment,
        *,
        source_event_id: str,
        candidates: tuple[WaitlistEntryId, ...],
        now: datetime,
    ) -> Self:
        return cls(
            id=WaitlistOfferId(new_id(now)),
            appointment_id=hold.id,
            time=OfferedTime.of(hold),
            source_event_id=source_event_id,
            candidates=candidates,
            expires_at=hold.hold_expires_at or now,
            created_at=now,
            updated_at=now,
        )

    @property
    def is_open(self) -> bool:
        return self.status is OfferStatus.OFFERED

    def ended(self, status: OfferStatus, *, now: datetime) -> Self:
        return replace(self, status=status, version=self.version + 1, updated_at=now)


def what_became_of(hold: Appointment, now: datetime) -> OfferStatus:
    """Tell it by the hold, which may have gone other ways: booked or given up at the
    desk, or let lapse by somebody who needed the time.
    """
    if hold.status is Status.PENDING:
        return OfferStatus.EXPIRED if hold.lapsed(now) else OfferStatus.OFFERED
    if hold.status_reason_code == SystemReason.HOLD_EXPIRED:
        return OfferStatus.EXPIRED
    if hold.status in {Status.CANCELLED, Status.ENTERED_IN_ERROR}:
        return OfferStatus.DECLINED
    return OfferStatus.ACCEPTED

"""What patients ask for through a portal: a wish, which staff make a visit of."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import Booking, BookingFacts, decide_booking
from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.errors import DomainError, IdempotencyKeyReused
from scheduling.domain.events import (
    PortalAppointmentAccepted,
    PortalAppointmentRejected,
)
from scheduling.domain.identifiers import AppointmentId, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalRequest:
    """`id` is the portal's, `event_id` that of the event which told it this time: the
    same wish may be told by several.
    """

    tenant_id: TenantId
    id: UUID
    event_id: str
    wanted: BookingRequest

    @property
    def appointment_id(self) -> AppointmentId:
        """The same for the same wish, so that it is one proposal."""
        return AppointmentId(uuid5(self.tenant_id, str(self.id)))

    @property
    def wish(self) -> BookingRequest:
        return replace(self.wanted, id=self.appointment_id)

    def decide(self, facts: BookingFacts, *, now: datetime) -> Booking:
        """Propose what could be booked now, or raise why it could not."""
        return decide_booking(self.wish, facts, now=now).as_proposal()

    def demand_same(self, kept: Appointment) -> None:
        """Raise IdempotencyKeyReused where the wish under that id is another's."""
        if kept.patient_id != self.wanted.patient_id:
            raise IdempotencyKeyReused(f"Request {self.id} was somebody else's.")

    def accepted(self, now: datetime) -> PortalAppointmentAccepted:
        return PortalAppointmentAccepted(
            appointment_id=self.appointment_id, **self._told(now)
        )

    def rejected(
        self, refusal: DomainError, now: datetime
    ) -> PortalAppointmentRejected:
        return PortalAppointmentRejected(code=refusal.code, **self._told(now))

    def _told(self, now: datetime) -> dict[str, Any]:
        return {
            "occurred_at": now,
            "version": 1,
            "request_id": self.id,
            "request_event_id": self.event_id,
            "patient_id": self.wanted.patient_id,
        }

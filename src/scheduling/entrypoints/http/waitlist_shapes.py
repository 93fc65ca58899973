"""Entries of the waitlist, and what is offered to them, as they are told."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.application.ports.waitlist import NamedEntry
from scheduling.domain.appointment import Appointment
from scheduling.domain.waitlist import WaitlistEntry, WaitlistStatus
from scheduling.domain.waitlist_offer import WaitlistOffer
from scheduling.entrypoints.http.appointment_shapes import (
    AppointmentView,
    appointment_view,
)
from scheduling.entrypoints.http.shapes import Instant, Shape, answer


class WaitlistOfferView(Shape):
    """Freed time that is kept for the patient until `expiresAt`: not booked yet."""

    offer_id: UUID
    appointment_id: Annotated[UUID, Field(description="The hold")]
    practitioner_id: UUID
    location_id: UUID
    slot_ids: list[UUID]
    start: Instant
    end: Instant
    timezone: str
    appointment_type: str
    expires_at: Instant


class WaitlistEntryEffectView(Shape):
    """An entry as a command leaves it."""

    id: UUID
    patient_id: UUID
    practitioner_ids: list[UUID]
    location_ids: list[UUID]
    service_type: str | None
    earliest: Instant
    latest: Instant
    priority: int
    status: WaitlistStatus
    appointment_id: Annotated[
        UUID | None, Field(description="What it was fulfilled by")
    ]
    offer: Annotated[
        WaitlistOfferView | None, Field(description="What is kept for it now")
    ]
    created_at: Instant
    updated_at: Instant
    version: int


class WaitlistEntryView(WaitlistEntryEffectView):
    patient_name: Annotated[str | None, Field(description="Told to staff only")]


class CandidateView(Shape):
    entry: WaitlistEntryView
    patient_name: str


class CandidatesView(Shape):
    """The best first: by priority, then who has waited longest."""

    items: list[CandidateView]


class FulfilmentView(Shape):
    entry: WaitlistEntryEffectView
    appointment: AppointmentView


def entry_view(one: WaitlistEntry) -> dict[str, Any]:
    return {
        "id": one.id,
        "patientId": one.patient_id,
        "practitionerIds": one.practitioner_ids,
        "locationIds": one.location_ids,
        "serviceType": one.service_type,
        "earliest": one.earliest,
        "latest": one.latest,
        "priority": one.priority,
        "status": one.status,
        "appointmentId": one.appointment_id,
        "offer": _offer_view(one.offer) if one.offer and one.offer.is_open else None,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
        "version": one.version,
    }


def named_view(one: NamedEntry, caller: Caller) -> dict[str, Any]:
    """A patient knows who it is."""
    name = one.patient_name if caller.patient_id is None else None
    return {**entry_view(one.entry), "patientName": name}


def candidate_view(one: NamedEntry, caller: Caller) -> dict[str, Any]:
    return {"entry": named_view(one, caller), "patientName": one.patient_name}


def _offer_view(one: WaitlistOffer) -> dict[str, Any]:
    time = one.time
    return {
        "offerId": one.id,
        "appointmentId": one.appointment_id,
        "practitionerId": time.practitioner_id,
        "locationId": time.location_id,
        "slotIds": time.slot_ids,
        "start": time.period.start,
        "end": time.period.end,
        "timezone": time.timezone,
        "appointmentType": time.appointment_type,
        "expiresAt": one.expires_at,
    }


def fulfilled(done: tuple[WaitlistEntry, Appointment]) -> StoredAnswer:
    """What was made is the appointment: RFC 9110, 15.3.2."""
    entry, booked = done
    return answer(
        201,
        {"entry": entry_view(entry), "appointment": appointment_view(booked)},
        version=booked.version,
        Location=f"/v1/appointments/{booked.id}",
    )

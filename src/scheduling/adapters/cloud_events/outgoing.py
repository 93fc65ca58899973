"""Domain events in CloudEvents 1.0 dress, as exact bytes.

Changing a word here is a breaking change for whoever listens. The envelope is written
by hand and not with the `cloudevents` library, because the bytes are made in the hot
path of every command; a test reads them back with the library.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import singledispatch
from typing import Any
from uuid import UUID

import orjson

from scheduling.adapters.cloud_events.payloads import data_of
from scheduling.domain.events import (
    AppointmentCreated,
    AppointmentStatusChanged,
    AppointmentUpdated,
    CalendarChanged,
    CheckinCompleted,
    Event,
    HoldExpired,
    NotificationRequested,
    PortalAppointmentAccepted,
    PortalAppointmentRejected,
    PractitionerRoleChanged,
    ReminderFailed,
    ReminderSent,
    SchedulePublished,
    SlotBlocked,
    SlotOpened,
    SlotsGenerationCompleted,
    WaitlistFulfilled,
    WaitlistOfferAccepted,
    WaitlistOfferDeclined,
    WaitlistOffered,
    WaitlistOfferExpired,
    WaitlistSlotAvailable,
)
from scheduling.domain.handover_events import EncounterRequested, SubFileCreated
from scheduling.domain.identifiers import TenantId, new_id

SOURCE = "/scheduling"
CONTENT_TYPE = "application/cloudevents+json"


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event ready for the outbox: `subject` is NATS's, `body` the CloudEvent."""

    event_id: UUID
    aggregate_id: UUID
    aggregate_version: int
    subject: str
    body: bytes


def to_envelope(event: Event, tenant_id: TenantId, traceparent: str | None) -> Envelope:
    """Dress an event; its id is new each time, so dress it once and keep the bytes."""
    event_id = new_id(event.occurred_at)
    type = type_of(event)
    aggregate_id = event.aggregate_id
    attributes = {
        "specversion": "1.0",
        "id": event_id,
        "source": SOURCE,
        "type": type,
        "subject": aggregate_id,
        "time": event.occurred_at,
        "datacontenttype": "application/json",
        "dataschema": f"urn:scheduling:schema:{type}:1",
        "tenantid": tenant_id,
        "aggregateversion": event.version,
        "partitionkey": aggregate_id,
    }
    if traceparent is not None:
        attributes["traceparent"] = traceparent
    attributes["data"] = data_of(event)
    return Envelope(
        event_id=event_id,
        aggregate_id=aggregate_id,
        aggregate_version=event.version,
        subject=f"scheduling.{tenant_id}.{type}",
        body=orjson.dumps(attributes, default=str, option=orjson.OPT_UTC_Z),
    )


def concerns(
    body: bytes,
    *,
    location_ids: AbstractSet[UUID],
    practitioner_ids: AbstractSet[UUID],
) -> bool:
    """Tell whether an event is of one of the locations and one of the practitioners.

    No ids: of any. What was moved concerns the places it came from, too.
    """
    if not location_ids and not practitioner_ids:
        return True
    try:
        data = orjson.loads(body)["data"]
        return any(
            (not location_ids or _id(told, "locationId") in location_ids)
            and (
                not practitioner_ids or _id(told, "practitionerId") in practitioner_ids
            )
            for told in (data, data.get("old") or {})
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return False  # not of our making: it names nothing that we know


def _id(told: dict[str, Any], name: str) -> UUID | None:
    return UUID(told[name]) if told.get(name) else None


@singledispatch
def type_of(event: Event) -> str:
    raise TypeError(f"{event.__class__.__name__} has no type on the wire")


@type_of.register
def _(event: AppointmentCreated) -> str:
    return "appointment.proposed" if event.status == "proposed" else _CREATED


_CREATED = "appointment.created"


@type_of.register
def _(event: AppointmentStatusChanged) -> str:
    return f"appointment.{event.new_status}"


@type_of.register
def _(_event: SchedulePublished) -> str:
    return "schedule.published"


@type_of.register
def _(_event: SlotOpened) -> str:
    return "slot.opened"


@type_of.register
def _(_event: SlotBlocked) -> str:
    return "slot.blocked"


@type_of.register
def _(_event: AppointmentUpdated) -> str:
    return "appointment.updated"


@type_of.register
def _(_event: CheckinCompleted) -> str:
    return "checkin.completed"


@type_of.register
def _(_event: HoldExpired) -> str:
    return "hold.expired"


@type_of.register
def _(_event: WaitlistSlotAvailable) -> str:
    return "waitlist.slot-available"


@type_of.register
def _(_event: WaitlistFulfilled) -> str:
    return "waitlist.fulfilled"


@type_of.register
def _(_event: WaitlistOffered) -> str:
    return "waitlist.offered"


@type_of.register
def _(_event: WaitlistOfferAccepted) -> str:
    return "waitlist.offer-accepted"


@type_of.register
def _(_event: WaitlistOfferDeclined) -> str:
    return "waitlist.offer-declined"


@type_of.register
def _(_event: WaitlistOfferExpired) -> str:
    return "waitlist.offer-expired"


@type_of.register
def _(_event: CalendarChanged) -> str:
    return "schedule.changed"


@type_of.register
def _(_event: PractitionerRoleChanged) -> str:
    return "practitioner-role.changed"


@type_of.register
def _(_event: SlotsGenerationCompleted) -> str:
    return "slots.generation.completed"


@type_of.register
def _(_event: NotificationRequested) -> str:
    return "notification.requested"


@type_of.register
def _(_event: PortalAppointmentAccepted) -> str:
    return "portal.appointment.accepted"


@type_of.register
def _(_event: PortalAppointmentRejected) -> str:
    return "portal.appointment.rejected"


@type_of.register
def _(_event: ReminderSent) -> str:
    return "appointment.reminder.sent"


@type_of.register
def _(_event: ReminderFailed) -> str:
    return "appointment.reminder.failed"


@type_of.register
def _(_event: SubFileCreated) -> str:
    return "subfile.created"


@type_of.register
def _(_event: EncounterRequested) -> str:
    return "encounter.requested"

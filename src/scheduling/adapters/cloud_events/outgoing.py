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

from scheduling.domain.events import (
    AppointmentCancelled,
    AppointmentCreated,
    AppointmentEvent,
    AppointmentStatusChanged,
    AppointmentUpdated,
    CalendarChanged,
    CheckinCompleted,
    Event,
    HoldExpired,
    NotificationRequested,
    PortalAppointmentAccepted,
    PortalAppointmentRejected,
    PortalReply,
    PractitionerRoleChanged,
    SchedulePublished,
    SlotBlocked,
    SlotEvent,
    SlotOpened,
    SlotsGenerationCompleted,
    WaitlistFulfilled,
    WaitlistSlotAvailable,
)
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
    attributes["data"] = _data(event)
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


def _id(told: "Data", name: str) -> UUID | None:
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


Data = dict[str, Any]


@singledispatch
def _data(event: Event) -> Data:
    raise TypeError(f"{event.__class__.__name__} has no data on the wire")


def _of_appointment(event: AppointmentEvent) -> Data:
    return {
        "appointmentId": event.appointment_id,
        "patientId": event.patient_id,
        "practitionerId": event.practitioner_id,
        "locationId": event.location_id,
        "slotIds": event.slot_ids,
        "start": event.period.start,
        "end": event.period.end,
        "timezone": event.timezone,
        "appointmentType": event.appointment_type,
    }


@_data.register
def _(event: AppointmentCreated) -> Data:
    return {
        **_of_appointment(event),
        "status": event.status,
        "overbooked": event.overbooked,
    }


@_data.register
def _(event: AppointmentStatusChanged) -> Data:
    return {
        **_of_appointment(event),
        "oldStatus": event.old_status,
        "newStatus": event.new_status,
        "reasonCode": event.reason_code,
    }


@_data.register
def _(event: AppointmentCancelled) -> Data:
    return {
        **_of_appointment(event),
        "oldStatus": event.old_status,
        "newStatus": event.new_status,
        "reasonCode": event.reason_code,
        "initiatedBy": event.initiated_by,
    }


@_data.register
def _(event: SchedulePublished) -> Data:
    return {
        "scheduleId": event.schedule_id,
        "practitionerId": event.practitioner_id,
        "locationId": event.location_id,
        "timezone": event.timezone,
    }


@_data.register
def _(event: AppointmentUpdated) -> Data:
    old = event.old
    return {
        **_of_appointment(event),
        "status": event.status,
        "overbooked": event.overbooked,
        "changed": event.changed,
        "old": {
            "practitionerId": old.practitioner_id,
            "locationId": old.location_id,
            "slotIds": old.slot_ids,
            "start": old.period.start,
            "end": old.period.end,
            "appointmentType": old.appointment_type,
            "status": old.status,
        },
    }


@_data.register
def _(event: CheckinCompleted) -> Data:
    return _of_appointment(event)


@_data.register
def _(event: HoldExpired) -> Data:
    return {**_of_appointment(event), "expiredAt": event.expired_at}


@_data.register
def _(event: WaitlistSlotAvailable) -> Data:
    told = _of_appointment(event)
    # Whose time it was is nobody's business who waits for it.
    del told["patientId"]
    candidates = [
        {"waitlistEntryId": one.waitlist_entry_id, "patientId": one.patient_id}
        for one in event.candidates
    ]
    return {**told, "candidates": candidates}


@_data.register
def _(event: WaitlistFulfilled) -> Data:
    return {
        "waitlistEntryId": event.waitlist_entry_id,
        "patientId": event.patient_id,
        "appointmentId": event.appointment_id,
    }


def _of_slot(event: SlotEvent) -> Data:
    return {
        "slotId": event.slot_id,
        "scheduleId": event.schedule_id,
        "practitionerId": event.practitioner_id,
        "locationId": event.location_id,
        "start": event.period.start,
        "end": event.period.end,
        "timezone": event.timezone,
        "remaining": event.remaining,
    }


@_data.register
def _(event: SlotOpened) -> Data:
    return _of_slot(event)


@_data.register
def _(event: SlotBlocked) -> Data:
    return {**_of_slot(event), "exceptionId": event.exception_id}


def _of_calendar(event: CalendarChanged) -> Data:
    return {
        "scheduleId": event.schedule_id,
        "practitionerId": event.practitioner_id,
        "locationId": event.location_id,
        "changed": event.changed,
    }


@_data.register
def _(event: CalendarChanged) -> Data:
    return _of_calendar(event)


@_data.register
def _(event: PractitionerRoleChanged) -> Data:
    return {
        "practitionerRoleId": event.practitioner_role_id,
        **_of_calendar(event),
        "active": event.active,
        "deleted": event.deleted,
    }


@_data.register
def _(event: SlotsGenerationCompleted) -> Data:
    return {
        "generationRunId": event.generation_run_id,
        "scheduleId": event.schedule_id,
        "practitionerRoleId": event.practitioner_role_id,
        "roleVersion": event.role_version,
        "practitionerId": event.practitioner_id,
        "locationId": event.location_id,
        "trigger": event.trigger,
        "sourceEventId": event.source_event_id,
        "firstDay": event.first_day,
        "lastDay": event.last_day,
        "tzdataVersion": event.tzdata_version,
        "created": event.created,
        "updated": event.updated,
        "retired": event.retired,
        "retained": event.retained,
        "conflicts": event.conflicts,
        "unchanged": event.unchanged,
        "durationMs": event.duration_ms,
        "keptByReason": event.kept_by_reason,
        "kept": [
            {
                "slotId": one.slot_id,
                "reason": one.reason,
                "appointmentIds": one.appointment_ids,
            }
            for one in event.kept
        ],
    }


@_data.register
def _(event: NotificationRequested) -> Data:
    return {
        "notificationId": event.notification_id,
        "template": event.template,
        "recipientType": event.recipient_type,
        "recipientId": event.recipient_id,
        "priority": event.priority,
        "channel": event.channel,
        "references": event.references,
        "sourceEventId": event.source_event_id,
    }


def _of_reply(event: PortalReply) -> Data:
    return {
        "requestId": event.request_id,
        "requestEventId": event.request_event_id,
        "patientId": event.patient_id,
    }


@_data.register
def _(event: PortalAppointmentAccepted) -> Data:
    return {**_of_reply(event), "appointmentId": event.appointment_id}


@_data.register
def _(event: PortalAppointmentRejected) -> Data:
    return {**_of_reply(event), "code": event.code}

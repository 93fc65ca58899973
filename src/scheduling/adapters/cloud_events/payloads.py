"""The `data` of an event, by its kind. Changing a word here is a breaking change for
whoever listens.
"""

from collections.abc import Mapping
from functools import singledispatch

from scheduling.adapters.cloud_events.schemas import (
    AppointmentCancelledData,
    AppointmentData,
    AppointmentMadeData,
    AppointmentStepData,
    AppointmentUpdatedData,
    CalendarChangedData,
    EncounterRequestedData,
    HoldExpiredData,
    NotificationRequestedData,
    PortalAcceptedData,
    PortalRejectedData,
    PortalReplyData,
    PractitionerRoleChangedData,
    ReminderData,
    ReminderFailedData,
    SchedulePublishedData,
    SlotBlockedData,
    SlotData,
    SlotsGenerationCompletedData,
    SubFileCreatedData,
    WaitlistFulfilledData,
    WaitlistOfferData,
    WaitlistOfferedData,
    WaitlistSlotAvailableData,
)
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
    ReminderEvent,
    ReminderFailed,
    ReminderSent,
    SchedulePublished,
    SlotBlocked,
    SlotEvent,
    SlotOpened,
    SlotsGenerationCompleted,
    WaitlistFulfilled,
    WaitlistOffered,
    WaitlistOfferEvent,
    WaitlistSlotAvailable,
)
from scheduling.domain.handover_events import EncounterRequested, SubFileCreated


@singledispatch
def data_of(event: Event) -> Mapping[str, object]:
    raise TypeError(f"{event.__class__.__name__} has no data on the wire")


def _of_appointment(event: AppointmentEvent) -> AppointmentData:
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


@data_of.register
def _(event: AppointmentCreated) -> AppointmentMadeData:
    return {
        **_of_appointment(event),
        "status": event.status,
        "overbooked": event.overbooked,
    }


@data_of.register
def _(event: AppointmentStatusChanged) -> AppointmentStepData:
    return {
        **_of_appointment(event),
        "oldStatus": event.old_status,
        "newStatus": event.new_status,
        "reasonCode": event.reason_code,
    }


@data_of.register
def _(event: AppointmentCancelled) -> AppointmentCancelledData:
    return {
        **_of_appointment(event),
        "oldStatus": event.old_status,
        "newStatus": event.new_status,
        "reasonCode": event.reason_code,
        "initiatedBy": event.initiated_by,
    }


@data_of.register
def _(event: SchedulePublished) -> SchedulePublishedData:
    return {
        "scheduleId": event.schedule_id,
        "practitionerId": event.practitioner_id,
        "locationId": event.location_id,
        "timezone": event.timezone,
    }


@data_of.register
def _(event: AppointmentUpdated) -> AppointmentUpdatedData:
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


@data_of.register
def _(event: CheckinCompleted) -> AppointmentData:
    return _of_appointment(event)


@data_of.register
def _(event: HoldExpired) -> HoldExpiredData:
    return {**_of_appointment(event), "expiredAt": event.expired_at}


@data_of.register
def _(event: WaitlistSlotAvailable) -> WaitlistSlotAvailableData:
    # Without the patient: whose time it was is nobody's business who waits for it.
    return {
        "appointmentId": event.appointment_id,
        "practitionerId": event.practitioner_id,
        "locationId": event.location_id,
        "slotIds": event.slot_ids,
        "start": event.period.start,
        "end": event.period.end,
        "timezone": event.timezone,
        "appointmentType": event.appointment_type,
        "candidates": [
            {"waitlistEntryId": one.waitlist_entry_id, "patientId": one.patient_id}
            for one in event.candidates
        ],
    }


@data_of.register
def _(event: WaitlistFulfilled) -> WaitlistFulfilledData:
    return {
        "waitlistEntryId": event.waitlist_entry_id,
        "patientId": event.patient_id,
        "appointmentId": event.appointment_id,
    }


def _of_offer(event: WaitlistOfferEvent) -> WaitlistOfferData:
    return {
        "offerId": event.offer_id,
        "waitlistEntryId": event.waitlist_entry_id,
        "patientId": event.patient_id,
        "appointmentId": event.appointment_id,
    }


@data_of.register
def _(event: WaitlistOfferEvent) -> WaitlistOfferData:
    return _of_offer(event)


@data_of.register
def _(event: WaitlistOffered) -> WaitlistOfferedData:
    return {
        **_of_offer(event),
        "practitionerId": event.practitioner_id,
        "locationId": event.location_id,
        "slotIds": event.slot_ids,
        "start": event.period.start,
        "end": event.period.end,
        "timezone": event.timezone,
        "appointmentType": event.appointment_type,
        "expiresAt": event.expires_at,
    }


def _of_slot(event: SlotEvent) -> SlotData:
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


@data_of.register
def _(event: SlotOpened) -> SlotData:
    return _of_slot(event)


@data_of.register
def _(event: SlotBlocked) -> SlotBlockedData:
    return {**_of_slot(event), "exceptionId": event.exception_id}


def _of_calendar(event: CalendarChanged) -> CalendarChangedData:
    return {
        "scheduleId": event.schedule_id,
        "practitionerId": event.practitioner_id,
        "locationId": event.location_id,
        "changed": event.changed,
    }


@data_of.register
def _(event: CalendarChanged) -> CalendarChangedData:
    return _of_calendar(event)


@data_of.register
def _(event: PractitionerRoleChanged) -> PractitionerRoleChangedData:
    return {
        "practitionerRoleId": event.practitioner_role_id,
        **_of_calendar(event),
        "active": event.active,
        "deleted": event.deleted,
    }


@data_of.register
def _(event: SlotsGenerationCompleted) -> SlotsGenerationCompletedData:
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


@data_of.register
def _(event: NotificationRequested) -> NotificationRequestedData:
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


def _of_reply(event: PortalReply) -> PortalReplyData:
    return {
        "requestId": event.request_id,
        "requestEventId": event.request_event_id,
        "patientId": event.patient_id,
    }


@data_of.register
def _(event: PortalAppointmentAccepted) -> PortalAcceptedData:
    return {**_of_reply(event), "appointmentId": event.appointment_id}


@data_of.register
def _(event: PortalAppointmentRejected) -> PortalRejectedData:
    return {**_of_reply(event), "code": event.code}


def _of_reminder(event: ReminderEvent) -> ReminderData:
    return {
        "reminderId": event.reminder_id,
        "appointmentId": event.appointment_id,
        "patientId": event.patient_id,
        "practitionerId": event.practitioner_id,
        "locationId": event.location_id,
        "start": event.start,
        "timezone": event.timezone,
        "offsetMinutes": event.offset_minutes,
        "channel": event.channel,
    }


@data_of.register
def _(event: ReminderSent) -> ReminderData:
    return _of_reminder(event)


@data_of.register
def _(event: ReminderFailed) -> ReminderFailedData:
    return {
        **_of_reminder(event),
        "reason": event.reason,
        "attempts": event.attempts,
    }


@data_of.register
def _(event: SubFileCreated) -> SubFileCreatedData:
    return {
        "subFileId": event.sub_file_id,
        "number": event.number,
        "patientId": event.patient_id,
        "locationId": event.location_id,
        "practitionerId": event.practitioner_id,
        "appointmentId": event.appointment_id,
        "openedAt": event.opened_at,
        "mainFileMissing": event.main_file_missing,
    }


@data_of.register
def _(event: EncounterRequested) -> EncounterRequestedData:
    return {
        "encounterRequestId": event.encounter_request_id,
        "appointmentId": event.appointment_id,
        "patientId": event.patient_id,
        "practitionerId": event.practitioner_id,
        "locationId": event.location_id,
        "start": event.period.start,
        "end": event.period.end,
        "timezone": event.timezone,
        "appointmentType": event.appointment_type,
        "arrivedAt": event.arrived_at,
        "subFileId": event.sub_file_id,
        "subFileNumber": event.sub_file_number,
    }

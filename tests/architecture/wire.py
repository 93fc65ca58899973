"""One example of every event, with the type that listeners know it by."""

from datetime import date
from typing import Any
from uuid import uuid4

from scheduling.domain.events import (
    AppointmentBefore,
    AppointmentCancelled,
    AppointmentCreated,
    AppointmentStatusChanged,
    AppointmentUpdated,
    CalendarChanged,
    CheckinCompleted,
    Event,
    HoldExpired,
    KeptSlot,
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
    WaitlistCandidate,
    WaitlistFulfilled,
    WaitlistOfferAccepted,
    WaitlistOfferDeclined,
    WaitlistOffered,
    WaitlistOfferExpired,
    WaitlistSlotAvailable,
)
from scheduling.domain.handover_events import EncounterRequested, SubFileCreated
from scheduling.domain.identifiers import (
    AppointmentId,
    GenerationRunId,
    LocationId,
    PatientId,
    PractitionerId,
    PractitionerRoleId,
    ScheduleExceptionId,
    SlotId,
    SubFileId,
    WaitlistEntryId,
    WaitlistOfferId,
)
from tests.builders import EIGHT, between


def every(kind: type[Any]) -> set[type[Any]]:
    """Return a class and all that derive from it, each once.

    A dataclass with slots is made twice; the one that its module shows is meant.
    """
    found = {kind}.union(*(every(one) for one in kind.__subclasses__()))
    return {one for one in found if _shown(one)}


def _shown(kind: type) -> bool:
    module = __import__(kind.__module__, fromlist=["_"])
    return getattr(module, kind.__name__, None) is kind


OF_AN_APPOINTMENT: dict[str, Any] = {
    "occurred_at": EIGHT,
    "version": 2,
    "appointment_id": uuid4(),
    "patient_id": uuid4(),
    "practitioner_id": uuid4(),
    "location_id": uuid4(),
    "slot_ids": (uuid4(), uuid4()),
    "period": between("09:00", "10:00"),
    "timezone": "Africa/Cairo",
    "appointment_type": "consultation",
}

OF_A_SCHEDULE: dict[str, Any] = {
    "occurred_at": EIGHT,
    "version": 1,
    "schedule_id": uuid4(),
    "practitioner_id": uuid4(),
    "location_id": uuid4(),
    "timezone": "Africa/Cairo",
}

OF_A_CALENDAR: dict[str, Any] = {
    "occurred_at": EIGHT,
    "version": 4,
    "schedule_id": uuid4(),
    "practitioner_id": uuid4(),
    "location_id": uuid4(),
}

OF_A_REPLY: dict[str, Any] = {
    "occurred_at": EIGHT,
    "version": 1,
    "request_id": uuid4(),
    "request_event_id": "portal-7f3a",
    "patient_id": uuid4(),
}

OF_A_REMINDER: dict[str, Any] = {
    "occurred_at": EIGHT,
    "version": 1,
    "reminder_id": uuid4(),
    "appointment_id": uuid4(),
    "patient_id": uuid4(),
    "practitioner_id": uuid4(),
    "location_id": uuid4(),
    "start": between("09:00", "10:00").start,
    "timezone": "Africa/Cairo",
    "offset_minutes": 120,
    "channel": "sms",
}

OF_AN_OFFER: dict[str, Any] = {
    "occurred_at": EIGHT,
    "version": 2,
    "offer_id": WaitlistOfferId(uuid4()),
    "waitlist_entry_id": WaitlistEntryId(uuid4()),
    "patient_id": uuid4(),
    "appointment_id": uuid4(),
}

EVENTS: tuple[tuple[str, Event], ...] = (
    (
        "appointment.created",
        AppointmentCreated(status="booked", overbooked=False, **OF_AN_APPOINTMENT),
    ),
    (
        "appointment.proposed",
        AppointmentCreated(status="proposed", overbooked=False, **OF_AN_APPOINTMENT),
    ),
    *(
        (
            f"appointment.{status}",
            AppointmentStatusChanged(
                old_status="booked", new_status=status, **OF_AN_APPOINTMENT
            ),
        )
        for status in (
            "confirmed",
            "arrived",
            "in-progress",
            "completed",
            "no-show",
            "entered-in-error",
        )
    ),
    (
        "appointment.cancelled",
        AppointmentCancelled(
            old_status="booked",
            new_status="cancelled",
            reason_code="weather",
            initiated_by="staff",
            **OF_AN_APPOINTMENT,
        ),
    ),
    ("schedule.published", SchedulePublished(**OF_A_SCHEDULE)),
    (
        "slot.opened",
        SlotOpened(
            slot_id=SlotId(uuid4()),
            period=between("09:00", "10:00"),
            remaining=1,
            **OF_A_SCHEDULE,
        ),
    ),
    (
        "slot.blocked",
        SlotBlocked(
            slot_id=SlotId(uuid4()),
            period=between("09:00", "10:00"),
            remaining=0,
            exception_id=ScheduleExceptionId(uuid4()),
            **OF_A_SCHEDULE,
        ),
    ),
    (
        "appointment.updated",
        AppointmentUpdated(
            status="booked",
            overbooked=False,
            changed=("start", "end", "slotIds"),
            old=AppointmentBefore(
                period=between("08:00", "09:00"),
                practitioner_id=PractitionerId(uuid4()),
                location_id=LocationId(uuid4()),
                slot_ids=(SlotId(uuid4()),),
                appointment_type="consultation",
                status="booked",
            ),
            **OF_AN_APPOINTMENT,
        ),
    ),
    ("checkin.completed", CheckinCompleted(**OF_AN_APPOINTMENT)),
    ("hold.expired", HoldExpired(expired_at=EIGHT, **OF_AN_APPOINTMENT)),
    (
        "waitlist.slot-available",
        WaitlistSlotAvailable(
            candidates=(
                WaitlistCandidate(
                    waitlist_entry_id=WaitlistEntryId(uuid4()),
                    patient_id=PatientId(uuid4()),
                ),
            ),
            **OF_AN_APPOINTMENT,
        ),
    ),
    (
        "waitlist.offered",
        WaitlistOffered(
            expires_at=EIGHT,
            **{
                **{
                    name: OF_AN_APPOINTMENT[name]
                    for name in (
                        "practitioner_id",
                        "location_id",
                        "slot_ids",
                        "period",
                        "timezone",
                        "appointment_type",
                    )
                },
                **OF_AN_OFFER,
            },
        ),
    ),
    ("waitlist.offer-accepted", WaitlistOfferAccepted(**OF_AN_OFFER)),
    ("waitlist.offer-declined", WaitlistOfferDeclined(**OF_AN_OFFER)),
    ("waitlist.offer-expired", WaitlistOfferExpired(**OF_AN_OFFER)),
    (
        "waitlist.fulfilled",
        WaitlistFulfilled(
            occurred_at=EIGHT,
            version=2,
            waitlist_entry_id=WaitlistEntryId(uuid4()),
            patient_id=PatientId(uuid4()),
            appointment_id=AppointmentId(uuid4()),
        ),
    ),
    (
        "schedule.changed",
        CalendarChanged(changed=("exceptions",), **OF_A_CALENDAR),
    ),
    (
        "practitioner-role.changed",
        PractitionerRoleChanged(
            changed=("availability", "active"),
            practitioner_role_id=PractitionerRoleId(uuid4()),
            active=False,
            **OF_A_CALENDAR,
        ),
    ),
    (
        "slots.generation.completed",
        SlotsGenerationCompleted(
            generation_run_id=GenerationRunId(uuid4()),
            practitioner_role_id=PractitionerRoleId(uuid4()),
            role_version=4,
            trigger="event",
            source_event_id=str(uuid4()),
            first_day=date(2030, 1, 7),
            last_day=date(2030, 4, 7),
            tzdata_version="2026.1",
            created=960,
            updated=4,
            retired=12,
            retained=2,
            conflicts=1,
            unchanged=0,
            duration_ms=140,
            kept_by_reason={"BOOKED": 2, "STAFF_SLOT": 1},
            kept=(
                KeptSlot(
                    slot_id=SlotId(uuid4()),
                    reason="BOOKED",
                    appointment_ids=(AppointmentId(uuid4()),),
                ),
                KeptSlot(slot_id=SlotId(uuid4()), reason="STAFF_SLOT"),
            ),
            **OF_A_CALENDAR,
        ),
    ),
    (
        "notification.requested",
        NotificationRequested(
            occurred_at=EIGHT,
            version=1,
            notification_id=uuid4(),
            template="equipment.low-stock",
            recipient_type="staff",
            recipient_id=None,
            references={"locationId": str(uuid4())},
            source_event_id="inventory-0091",
        ),
    ),
    ("appointment.reminder.sent", ReminderSent(**OF_A_REMINDER)),
    (
        "appointment.reminder.failed",
        ReminderFailed(reason="SMTP_550", attempts=1, **OF_A_REMINDER),
    ),
    (
        "portal.appointment.accepted",
        PortalAppointmentAccepted(appointment_id=AppointmentId(uuid4()), **OF_A_REPLY),
    ),
    (
        "portal.appointment.rejected",
        PortalAppointmentRejected(code="SLOT_NOT_AVAILABLE", **OF_A_REPLY),
    ),
    (
        "subfile.created",
        SubFileCreated(
            occurred_at=EIGHT,
            version=1,
            sub_file_id=SubFileId(uuid4()),
            number="FILE-2030-000123-MIT-01",
            patient_id=PatientId(uuid4()),
            location_id=LocationId(uuid4()),
            practitioner_id=PractitionerId(uuid4()),
            appointment_id=AppointmentId(uuid4()),
            opened_at=EIGHT,
            main_file_missing=False,
        ),
    ),
    (
        "encounter.requested",
        EncounterRequested(
            occurred_at=EIGHT,
            version=1,
            encounter_request_id=uuid4(),
            appointment_id=AppointmentId(uuid4()),
            patient_id=PatientId(uuid4()),
            practitioner_id=PractitionerId(uuid4()),
            location_id=LocationId(uuid4()),
            period=between("09:00", "10:00"),
            timezone="Africa/Cairo",
            appointment_type="consultation",
            arrived_at=EIGHT,
            sub_file_id=SubFileId(uuid4()),
            sub_file_number="FILE-2030-000123-MIT-01",
        ),
    ),
)

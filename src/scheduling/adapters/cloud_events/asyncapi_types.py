"""Which events there are for the AsyncAPI document: their data, and when they come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from scheduling.adapters.cloud_events import schemas
from scheduling.adapters.cloud_events.messages import INBOUND
from scheduling.domain.routing import ROUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A type of event. `aggregate` is the field that names whose step it is, `always`
    what its data always says, `also` are optional fields that its example shows.
    """

    data: type
    when: str
    aggregate: str | None = None
    always: Mapping[str, str | int] = field(default_factory=dict)
    also: tuple[str, ...] = ()


def _of_appointment(data: type, when: str, **always: str) -> Kind:
    return Kind(data=data, when=when, aggregate="appointmentId", always=always)


def _step(status: str, when: str) -> Kind:
    return _of_appointment(schemas.AppointmentStepData, when, newStatus=status)


def _answer(when: str) -> Kind:
    return Kind(data=schemas.WaitlistOfferData, when=when, aggregate="waitlistEntryId")


TOLD: Mapping[str, Kind] = MappingProxyType(
    {
        "appointment.proposed": _of_appointment(
            schemas.AppointmentMadeData,
            "Asked for: it takes no time yet.",
            status="proposed",
        ),
        "appointment.created": _of_appointment(
            schemas.AppointmentMadeData, "Booked, or held where it is pending."
        ),
        "appointment.updated": _of_appointment(
            schemas.AppointmentUpdatedData,
            "Moved, edited, or come to be pending or booked.",
        ),
        "appointment.confirmed": _step("confirmed", "The patient will come."),
        "appointment.arrived": _step("arrived", "The patient is here."),
        "appointment.in-progress": _step("in-progress", "It has begun."),
        "appointment.completed": _step("completed", "It is done."),
        "appointment.no-show": _step("no-show", "The patient did not come."),
        "appointment.entered-in-error": _step(
            "entered-in-error", "It should never have been."
        ),
        "appointment.cancelled": _of_appointment(
            schemas.AppointmentCancelledData,
            "Called off, or a hold let go.",
            newStatus="cancelled",
        ),
        "checkin.completed": _of_appointment(
            schemas.AppointmentData, "The patient is here; behind appointment.arrived."
        ),
        "hold.expired": _of_appointment(
            schemas.HoldExpiredData, "A hold ran out; its seats are free."
        ),
        "slot.opened": Kind(
            data=schemas.SlotData,
            when="A slot was made by hand, or has a seat again.",
            aggregate="slotId",
        ),
        "slot.blocked": Kind(
            data=schemas.SlotBlockedData,
            when="A slot gives no more seats.",
            aggregate="slotId",
            always={"remaining": 0},
        ),
        "waitlist.slot-available": _of_appointment(
            schemas.WaitlistSlotAvailableData,
            "An appointment gave time back, and somebody waits for such a time.",
        ),
        "waitlist.offered": Kind(
            data=schemas.WaitlistOfferedData,
            when="Freed time is kept for a patient who waits, who is to be asked.",
            aggregate="waitlistEntryId",
        ),
        "waitlist.offer-accepted": _answer("The patient took it: it is booked."),
        "waitlist.offer-declined": _answer("It is not wanted; the next one is asked."),
        "waitlist.offer-expired": _answer("Nobody answered; the next one is asked."),
        "waitlist.fulfilled": Kind(
            data=schemas.WaitlistFulfilledData,
            when="A patient who waited was booked.",
            aggregate="waitlistEntryId",
        ),
        "schedule.published": Kind(
            data=schemas.SchedulePublishedData,
            when="A bookable calendar was made.",
            aggregate="scheduleId",
        ),
        "schedule.changed": Kind(
            data=schemas.CalendarChangedData,
            when="What a calendar that follows no role is made from has changed.",
            aggregate="scheduleId",
        ),
        "practitioner-role.changed": Kind(
            data=schemas.PractitionerRoleChangedData,
            when="What a calendar that follows a role is made from has changed.",
            aggregate="practitionerRoleId",
        ),
        "slots.generation.completed": Kind(
            data=schemas.SlotsGenerationCompletedData,
            when="The slots of a calendar follow its rules again.",
            aggregate="scheduleId",
        ),
        "notification.requested": Kind(
            data=schemas.NotificationRequestedData,
            when="Somebody is to be told something.",
            aggregate="notificationId",
        ),
        "appointment.reminder.sent": Kind(
            data=schemas.ReminderData,
            when="A patient's reminder was handed to whoever delivers it.",
            aggregate="reminderId",
        ),
        "appointment.reminder.failed": Kind(
            data=schemas.ReminderFailedData,
            when="A patient's reminder could not be sent, and is not tried again.",
            aggregate="reminderId",
        ),
        "subfile.created": Kind(
            data=schemas.SubFileCreatedData,
            when="A patient has a record folder at a clinic, for the first booking.",
            aggregate="subFileId",
        ),
        "encounter.requested": Kind(
            data=schemas.EncounterRequestedData,
            when="A patient is here and is to be seen.",
            aggregate="encounterRequestId",
        ),
        "portal.appointment.accepted": Kind(
            data=schemas.PortalAcceptedData,
            when="A proposed appointment was made of the portal's request.",
            aggregate="requestId",
        ),
        "portal.appointment.rejected": Kind(
            data=schemas.PortalRejectedData,
            when="What the portal asked for cannot be had.",
            aggregate="requestId",
        ),
    }
)

_WHEN: Mapping[str, str] = {
    "portal.appointment.requested": "A patient asks for a time; we reply with "
    "portal.appointment.accepted or portal.appointment.rejected.",
    "patient.created": "The registry has a new patient.",
    "patient.updated": "The registry knows something else of a patient.",
    "patient.deleted": "A patient is to be forgotten; what is booked is cancelled.",
    "practitioner-role.created": "Somebody works somewhere; slots are made.",
    "practitioner-role.updated": "Somebody works otherwise; slots follow.",
    "practitioner-role.deleted": "Somebody works there no more; free slots go.",
    "doctor.created": "Somebody new, and where they work; slots are made.",
    "encounter.finalized": "What an appointment was for is done and written up.",
}
_ALSO: Mapping[str, tuple[str, ...]] = {
    "portal.appointment.requested": ("slotId",),
    "practitioner-role.created": ("availability",),
    "practitioner-role.updated": ("availability",),
}


def heard() -> Mapping[str, Kind]:
    """Return what we listen to, by type."""
    return {
        type: Kind(data=data, when=_when(type), also=_ALSO.get(type, ()))
        for type, data in INBOUND.items()
    }


def _when(type: str) -> str:
    route = ROUTES.get(type)
    return _WHEN[type] if route is None else f"Told on to the {route.recipient}."

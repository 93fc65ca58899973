"""Reminders as `notification.requested`: whoever sends messages listens for them."""

from dataclasses import dataclass

from scheduling.application.ports.notices import Notices
from scheduling.application.ports.reminders import ReminderDispatchPort
from scheduling.domain.due_reminder import Notice, Reach
from scheduling.domain.events import NotificationRequested

TEMPLATE = "appointment.reminder"


@dataclass(frozen=True, slots=True)
class RemindersAsEvents(ReminderDispatchPort):
    """The event is a row of the transaction in which the reminder becomes SENT: both
    are there, or neither is. Its id is the reminder's.
    """

    reach: Reach = Reach(looks_up=True)  # noqa: RUF009  # frozen
    with_the_transaction: bool = True

    async def dispatch(self, notice: Notice, notices: Notices, /) -> None:
        reminder = notice.reminder
        references = {
            "appointmentId": str(reminder.appointment_id),
            "patientId": str(reminder.patient_id),
            "practitionerId": str(reminder.practitioner_id),
            "locationId": str(reminder.location_id),
            "offsetMinutes": str(reminder.offset_minutes),
            "start": reminder.start.isoformat().replace("+00:00", "Z"),
            "timezone": reminder.timezone,
        }
        if reminder.contact.language is not None:
            references["language"] = reminder.contact.language
        notices.tell(
            NotificationRequested(
                occurred_at=reminder.now,
                version=1,
                notification_id=reminder.id,
                template=TEMPLATE,
                recipient_type="patient",
                recipient_id=reminder.patient_id,
                channel=notice.channel,
                references=references,
            )
        )

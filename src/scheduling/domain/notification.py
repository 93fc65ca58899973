"""What practitioners find in the app: that something happened to a visit of theirs.

Kept as a code with ids and times; the words are made when somebody looks, in the
language that is asked for. To add a language is to add its `TITLES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from scheduling.domain.identifiers import (
    AppointmentId,
    NotificationId,
    PatientId,
    PractitionerId,
)


class Template(StrEnum):
    """What is told of a visit, to practitioners and to patients."""

    BOOKED = "appointment.booked"
    RESCHEDULED = "appointment.rescheduled"
    HANDED_OVER = "appointment.handed-over"
    """To whom it was, when another practitioner has it now."""

    CANCELLED = "appointment.cancelled"


class Language(StrEnum):
    ENGLISH = "en"
    BURMESE = "my"


TITLES: Mapping[Language, Mapping[Template, str]] = MappingProxyType(
    {
        Language.ENGLISH: {
            Template.BOOKED: "New appointment",
            Template.RESCHEDULED: "Appointment moved",
            Template.HANDED_OVER: "Appointment given to another practitioner",
            Template.CANCELLED: "Appointment cancelled",
        },
        Language.BURMESE: {
            Template.BOOKED: "ရက်ချိန်းအသစ်",
            Template.RESCHEDULED: "ရက်ချိန်း ပြောင်းလဲထားပါသည်",
            Template.HANDED_OVER: "ရက်ချိန်းကို အခြားဆရာဝန်ထံ လွှဲပြောင်းထားပါသည်",
            Template.CANCELLED: "ရက်ချိန်း ပယ်ဖျက်ထားပါသည်",
        },
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """`start` and `timezone` are the visit's as it was then. Unread: `read_at` None."""

    id: NotificationId
    practitioner_id: PractitionerId
    template: Template
    patient_id: PatientId
    appointment_id: AppointmentId
    start: datetime
    timezone: str
    service_type: str
    source_event_id: str
    created_at: datetime
    read_at: datetime | None = None

    @property
    def link(self) -> str:
        """Return where the staff calendar shows it; what follows `#` reaches no log."""
        return f"/calendar/#/day?appointment={self.appointment_id}"

    def title(self, language: Language) -> str:
        return TITLES[language][self.template]

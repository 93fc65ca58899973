"""Whom we tell of what happened elsewhere: one line for each type of event.

The line is all there is to say. What its data has to be, what becomes of it and how it
is documented follow from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from scheduling.domain.events import NotificationRequested
from scheduling.domain.identifiers import new_id
from scheduling.domain.schedule import PractitionerRole


class Recipient(StrEnum):
    STAFF = "staff"
    PRACTITIONER = "practitioner"
    PATIENT = "patient"

    @property
    def named_by(self) -> str:
        """The reference that says who it is; of staff, where they are."""
        return _NAMED_BY[self]


_NAMED_BY = MappingProxyType(
    {
        Recipient.STAFF: "locationId",
        Recipient.PRACTITIONER: "practitionerId",
        Recipient.PATIENT: "patientId",
    }
)


@dataclass(frozen=True, slots=True)
class Route:
    """`ids` have to be named beside the recipient's, `may` can be; both are UUIDs.
    `numbers` are whole, from 0, and can be named.
    """

    template: str
    recipient: Recipient
    ids: tuple[str, ...]
    may: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    priority: str = "normal"

    @property
    def needs(self) -> tuple[str, ...]:
        return (*self.ids, self.recipient.named_by)

    def to_notification(
        self, references: Mapping[str, str], *, source_event_id: str, now: datetime
    ) -> NotificationRequested:
        staff = self.recipient is Recipient.STAFF
        return NotificationRequested(
            occurred_at=now,
            version=1,
            notification_id=new_id(now),
            template=self.template,
            recipient_type=self.recipient,
            recipient_id=None if staff else UUID(references[self.recipient.named_by]),
            priority=self.priority,
            references=references,
            source_event_id=source_event_id,
        )


_WELCOME = Route("practitioner.welcome", Recipient.PRACTITIONER, ids=())


def welcome(
    role: PractitionerRole, *, source_event_id: str, now: datetime
) -> NotificationRequested:
    """Have somebody new welcomed where they work."""
    references = {
        "practitionerId": str(role.practitioner_id),
        "practitionerRoleId": str(role.id),
        "locationId": str(role.location_id),
    }
    return _WELCOME.to_notification(
        references, source_event_id=source_event_id, now=now
    )


ROUTES: Mapping[str, Route] = MappingProxyType(
    {
        "equipment.low-stock": Route(
            "equipment.low-stock",
            Recipient.STAFF,
            ids=("equipmentId",),
            numbers=("quantity", "minimum"),
            priority="high",
        ),
        "feedback.submitted": Route(
            "feedback.submitted",
            Recipient.PRACTITIONER,
            ids=("feedbackId",),
            may=("appointmentId", "locationId", "patientId"),
        ),
        "report.updated": Route(
            "report.updated",
            Recipient.PATIENT,
            ids=("reportId",),
            may=("practitionerId",),
        ),
    }
)

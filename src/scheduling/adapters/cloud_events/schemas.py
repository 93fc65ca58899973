"""The `data` of each event that we tell, as a type: mypy holds what writes it to these,
and the AsyncAPI document is made from them.

Fields have the names that they have on the wire. What is here already is not changed:
who listens relies on it. A field more is no breaking change; anything else raises the
version in `dataschema`. `examples` are what the document shows.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from scheduling.domain.appointment import CancelReason, Initiator, SystemReason
from scheduling.domain.directory import Channel
from scheduling.domain.status import Status


def one_of(kind: Iterable[StrEnum], example: StrEnum) -> WithJsonSchema:
    """Say in the document which words there are; the type stays a string."""
    words = [str(one) for one in kind]
    return WithJsonSchema({"type": "string", "enum": words, "examples": [str(example)]})


StatusCode: TypeAlias = Annotated[str, one_of(Status, Status.BOOKED)]
Zone: TypeAlias = Annotated[
    str,
    Field(description="The clinic's IANA time zone", examples=["Europe/Berlin"]),
]
Code: TypeAlias = Annotated[str, Field(examples=["consultation"])]
Changed: TypeAlias = Annotated[
    tuple[str, ...],
    Field(description="Fields, named as REST does", examples=[["start", "end"]]),
]
Start: TypeAlias = Annotated[datetime, Field(examples=["2030-01-07T08:00:00Z"])]
End: TypeAlias = Annotated[
    datetime,
    Field(
        description="Not part of the time any more", examples=["2030-01-07T08:30:00Z"]
    ),
]
CalendarField: TypeAlias = Annotated[
    tuple[str, ...],
    Field(
        description="Fields, named as REST does; those of the location and the "
        "settings behind a dot",
        examples=[["availability", "active"]],
    ),
]


class AppointmentData(TypedDict):
    """An appointment as it is after the step."""

    appointmentId: UUID
    patientId: UUID
    practitionerId: UUID
    locationId: UUID
    slotIds: tuple[UUID, ...]
    start: Start
    end: End
    timezone: Zone
    appointmentType: Code


class AppointmentMadeData(AppointmentData):
    """A new appointment."""

    status: StatusCode
    overbooked: bool


class AppointmentBeforeData(TypedDict):
    """What an updated appointment was, also where it stayed so."""

    practitionerId: UUID
    locationId: UUID
    slotIds: tuple[UUID, ...]
    start: Start
    end: End
    appointmentType: Code
    status: StatusCode


class AppointmentUpdatedData(AppointmentData):
    """Moved, edited, or come to be pending or booked."""

    status: StatusCode
    overbooked: bool
    changed: Changed
    old: AppointmentBeforeData


class AppointmentStepData(AppointmentData):
    """Another status."""

    oldStatus: StatusCode
    newStatus: StatusCode
    reasonCode: Annotated[
        str | None, Field(description="A code of the caller's", examples=["sick"])
    ]


class AppointmentCancelledData(AppointmentData):
    """Called off: why, and who asked."""

    oldStatus: StatusCode
    newStatus: StatusCode
    reasonCode: Annotated[
        str | None,
        one_of([*CancelReason, SystemReason.PATIENT_DELETED], CancelReason.PATIENT),
    ]
    initiatedBy: Annotated[str, one_of(Initiator, Initiator.STAFF)]


class HoldExpiredData(AppointmentData):
    """Seats that were kept until an instant are free."""

    expiredAt: datetime


class WaitlistCandidateData(TypedDict):
    """Who waits for such a time."""

    waitlistEntryId: UUID
    patientId: UUID


class WaitlistSlotAvailableData(TypedDict):
    """Time that an appointment gave back, and who waits for such a time, best first."""

    appointmentId: UUID
    practitionerId: UUID
    locationId: UUID
    slotIds: tuple[UUID, ...]
    start: Start
    end: End
    timezone: Zone
    appointmentType: Code
    candidates: list[WaitlistCandidateData]


class WaitlistFulfilledData(TypedDict):
    """A patient who waited is booked."""

    waitlistEntryId: UUID
    patientId: UUID
    appointmentId: UUID


class WaitlistOfferData(TypedDict):
    """What was offered to a patient who waits; `appointmentId` is the hold."""

    offerId: UUID
    waitlistEntryId: UUID
    patientId: UUID
    appointmentId: UUID


class WaitlistOfferedData(WaitlistOfferData):
    """Freed time is kept for a patient who waits, until an instant."""

    practitionerId: UUID
    locationId: UUID
    slotIds: tuple[UUID, ...]
    start: Start
    end: End
    timezone: Zone
    appointmentType: Code
    expiresAt: datetime


class SchedulePublishedData(TypedDict):
    """A bookable calendar that is new."""

    scheduleId: UUID
    practitionerId: UUID
    locationId: UUID
    timezone: Zone


class SlotData(TypedDict):
    """A slot, and how many seats it has left."""

    slotId: UUID
    scheduleId: UUID
    practitionerId: UUID
    locationId: UUID
    start: Start
    end: End
    timezone: Zone
    remaining: Annotated[int, Field(ge=0)]


class SlotBlockedData(SlotData):
    """A slot that gives no more seats."""

    exceptionId: Annotated[
        UUID | None, Field(description="Null where no exception closed it")
    ]


class CalendarChangedData(TypedDict):
    """What a bookable calendar is made from has changed."""

    scheduleId: UUID
    practitionerId: UUID
    locationId: UUID
    changed: CalendarField


class PractitionerRoleChangedData(TypedDict):
    """The same of a calendar that follows a role."""

    practitionerRoleId: UUID
    scheduleId: UUID
    practitionerId: UUID
    locationId: UUID
    changed: CalendarField
    active: bool
    deleted: bool


class KeptSlotData(TypedDict):
    """A slot that a run would not touch, why, and who is in it."""

    slotId: UUID
    reason: Annotated[str, Field(examples=["BOOKED"])]
    appointmentIds: tuple[UUID, ...]


Count: TypeAlias = Annotated[int, Field(ge=0)]


class SlotsGenerationCompletedData(TypedDict):
    """The slots of a calendar follow its rules again. Days are local to the calendar,
    both inclusive.
    """

    generationRunId: UUID
    scheduleId: UUID
    practitionerRoleId: Annotated[
        UUID | None, Field(description="Null where the calendar follows no role")
    ]
    roleVersion: int | None
    practitionerId: UUID
    locationId: UUID
    trigger: Annotated[str, Field(examples=["event"])]
    sourceEventId: str
    firstDay: Annotated[date, Field(examples=["2030-01-07"])]
    lastDay: Annotated[date, Field(examples=["2030-04-07"])]
    tzdataVersion: Annotated[str, Field(examples=["2026.1"])]
    created: Count
    updated: Count
    retired: Count
    retained: Count
    conflicts: Count
    unchanged: Count
    durationMs: Count
    keptByReason: Annotated[
        Mapping[str, int],
        Field(
            description="Conflicts and retained ones by reason",
            examples=[{"BOOKED": 1}],
        ),
    ]
    kept: Annotated[
        list[KeptSlotData], Field(description="Some of those; the first 100")
    ]


class NotificationRequestedData(TypedDict):
    """Somebody is to be told something. Names and addresses are for the sender to look
    up.
    """

    notificationId: UUID
    template: Annotated[str, Field(examples=["report.updated"])]
    recipientType: Annotated[str, Field(examples=["patient"])]
    recipientId: Annotated[
        UUID | None,
        Field(description="Null where all of a kind are meant, as `references` tell"),
    ]
    priority: Annotated[str, Field(examples=["normal"])]
    channel: Annotated[
        str | None,
        Field(description="Null where the sender chooses", examples=["sms"]),
    ]
    references: Annotated[
        Mapping[str, str],
        Field(
            description="What it is about: ids and codes",
            examples=[{"reportId": "9f0c2d8e-1b7a-4c35-8e6d-0a1b2c3d4e5f"}],
        ),
    ]
    sourceEventId: Annotated[
        str | None, Field(description="The event that it follows from")
    ]


class ReminderData(TypedDict):
    """A notice to a patient before an appointment."""

    reminderId: UUID
    appointmentId: UUID
    patientId: UUID
    practitionerId: UUID
    locationId: UUID
    start: Start
    timezone: Zone
    offsetMinutes: Annotated[
        int, Field(ge=1, description="Before the start", examples=[1440])
    ]
    channel: Annotated[str, one_of(Channel, Channel.SMS)]


class ReminderFailedData(ReminderData):
    """It will not be tried again."""

    reason: Annotated[str, Field(description="A code", examples=["OUTCOME_UNKNOWN"])]
    attempts: Count


class PortalReplyData(TypedDict):
    """What became of a portal's request."""

    requestId: UUID
    requestEventId: Annotated[
        str, Field(description="The `id` of the event that asked")
    ]
    patientId: UUID


class PortalAcceptedData(PortalReplyData):
    """A proposed appointment was made of it."""

    appointmentId: UUID


class PortalRejectedData(PortalReplyData):
    """It cannot be had."""

    code: Annotated[
        str,
        Field(
            description="Of the error catalogue",
            examples=["SLOT_NOT_AVAILABLE"],
        ),
    ]


SubFileNumber: TypeAlias = Annotated[str, Field(examples=["FILE-2030-000123-MIT-01"])]


class SubFileCreatedData(TypedDict):
    """A patient's record folder at a clinic."""

    subFileId: UUID
    number: SubFileNumber
    patientId: UUID
    locationId: UUID
    practitionerId: UUID
    appointmentId: UUID
    openedAt: datetime
    mainFileMissing: Annotated[
        bool, Field(description="The patient has no main file: its number was drawn")
    ]


class EncounterRequestedData(TypedDict):
    """What an encounter begins with."""

    encounterRequestId: UUID
    appointmentId: UUID
    patientId: UUID
    practitionerId: UUID
    locationId: UUID
    start: Start
    end: End
    timezone: Zone
    appointmentType: Code
    arrivedAt: datetime
    subFileId: Annotated[
        UUID | None, Field(description="Null where the patient was forgotten")
    ]
    subFileNumber: SubFileNumber | None

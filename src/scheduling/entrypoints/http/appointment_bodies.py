"""What is asked for an appointment that is there: to move, edit, cancel or step on."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from scheduling.application.commands.edit_appointment import Edits
from scheduling.application.ports.identity import Caller, Forbidden, Scope
from scheduling.domain.appointment import CancelReason, Initiator
from scheduling.domain.booking_request import BySlot
from scheduling.domain.identifiers import LocationId, PractitionerId, SlotId
from scheduling.domain.moving import NewTime, Otherwise
from scheduling.domain.series import HowMuch
from scheduling.domain.status import Status
from scheduling.entrypoints.http.appointment_shapes import ResourceBody, resources_from
from scheduling.entrypoints.http.booking_time import DAY_IN_MINUTES
from scheduling.entrypoints.http.shapes import (
    UNSAID,
    Code,
    FreeText,
    Instant,
    Line,
    Shape,
    Version,
    Whole,
)

_Minutes = Annotated[Whole, Field(ge=1, le=DAY_IN_MINUTES)]


class CancelBody(Shape):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"reasonCode": "patient", "initiatedBy": "patient", "version": 1}
            ]
        }
    )

    reason_code: CancelReason
    initiated_by: Initiator
    comment: FreeText | None = None
    series: HowMuch = HowMuch.ONE
    version: Version | None = None


def _practitioner(id: UUID | None) -> PractitionerId | None:
    return None if id is None else PractitionerId(id)


class RescheduleBody(Shape):
    """By `slotId`, or by `start`; what is not said otherwise stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"slotId": "019a9d3e-0000-7000-8000-000000000501", "version": 1},
                {"start": "2030-01-07T10:00:00-03:00", "version": 1},
            ]
        }
    )

    slot_id: UUID | None = None
    start: Instant | None = None
    practitioner_id: UUID | None = None
    location_id: UUID | None = None
    duration_minutes: _Minutes | None = None
    reason: FreeText | None = None
    version: Version | None = None

    @model_validator(mode="after")
    def _one_way_to_say_when(self) -> Self:
        otherwise = (self.practitioner_id, self.location_id, self.duration_minutes)
        if (self.slot_id is None) is (self.start is None) or (
            self.slot_id is not None and otherwise != (None, None, None)
        ):
            raise ValueError(
                "give slotId alone, or start, with practitionerId, locationId and "
                "durationMinutes where they change"
            )
        return self

    def when(self) -> NewTime:
        if self.slot_id is not None:
            return BySlot(SlotId(self.slot_id))
        return Otherwise(
            start=self.start,
            minutes=self.duration_minutes,
            practitioner_id=_practitioner(self.practitioner_id),
            location_id=None
            if self.location_id is None
            else LocationId(self.location_id),
        )


class EditBody(Shape):
    """What is left out stays as it is; null clears a reason or notes."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"appointmentType": "follow-up", "durationMinutes": 60, "version": 1}
            ]
        }
    )

    appointment_type: Annotated[Line | SkipJsonSchema[None], UNSAID] = None
    reason: FreeText | None = None
    notes: FreeText | None = None
    duration_minutes: Annotated[_Minutes | SkipJsonSchema[None], UNSAID] = None
    practitioner_id: Annotated[UUID | SkipJsonSchema[None], UNSAID] = None
    resources: Annotated[tuple[ResourceBody, ...], Field(max_length=10)] = ()
    version: Version | None = None

    @field_validator(
        "appointment_type", "duration_minutes", "practitioner_id", mode="before"
    )
    @classmethod
    def _is_something(cls, value: object) -> object:
        if value is None:
            raise ValueError("must not be null: what is left out stays as it is")
        return value

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set - {"version"}:
            raise ValueError("say what is to change")
        return self

    def to_edits(self, caller: Caller) -> Edits:
        given = self.model_fields_set
        if caller.patient_id is not None and given - {"reason", "version"}:
            # A patient may say why they come; the rest is the clinic's to say.
            raise Forbidden(Scope.MANAGE)
        fields: dict[str, Any] = {
            name: getattr(self, name) for name in ("reason", "notes") if name in given
        }
        if self.appointment_type is not None:
            fields["appointment_type"] = self.appointment_type
        if "resources" in given:
            fields["resources"] = resources_from(self.resources)
        place = Otherwise(
            minutes=self.duration_minutes,
            practitioner_id=_practitioner(self.practitioner_id),
        )
        return Edits(fields=fields, place=None if place == Otherwise() else place)


class StatusBody(Shape):
    """The next step. To cancel, `reasonCode` is one of those that `/cancel` takes."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "confirmed", "version": 1}]}
    )

    status: Status
    reason_code: Code | None = None
    comment: FreeText | None = None
    version: Version | None = None


class CheckInBody(Shape):
    model_config = ConfigDict(json_schema_extra={"examples": [{"version": 1}]})

    comment: FreeText | None = None
    version: Version | None = None

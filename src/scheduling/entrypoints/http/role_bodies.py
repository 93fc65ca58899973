"""Practitioner roles as they are put and patched."""

from collections.abc import Mapping
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from scheduling.domain.identifiers import (
    LocationId,
    PractitionerId,
    PractitionerRoleId,
)
from scheduling.domain.period import Period
from scheduling.domain.schedule import NotAvailable, PractitionerRole
from scheduling.entrypoints.http.shapes import (
    UNSAID,
    Day,
    Flag,
    Instant,
    Line,
    Shape,
    Version,
    Words,
    Zone,
    ends_after,
)
from scheduling.entrypoints.http.windows import Windows


class NotAvailableBody(Shape):
    start: Instant
    end: Instant
    description: Line | None = None

    _ends = field_validator("end")(ends_after)

    def to_not_available(self) -> NotAvailable:
        return NotAvailable(
            period=Period(self.start, self.end), description=self.description
        )


Absences = Annotated[tuple[NotAvailableBody, ...], Field(max_length=500)]


class DaysBody(Shape):
    """Local days, both inclusive; without one it is open on that side."""

    start: Day | None = None
    end: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise ValueError("end must not be before start")
        return self


class PractitionerRoleBody(Shape):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "practitionerId": "019a9d3e-0000-7000-8000-000000000101",
                    "locationId": "019a9d3e-0000-7000-8000-000000000201",
                    "specialties": ["cardiology"],
                    "serviceTypes": ["consultation"],
                    "period": {"start": "2030-01-01"},
                    "availability": [
                        {
                            "daysOfWeek": ["mon", "wed"],
                            "startTime": "09:00",
                            "endTime": "17:00",
                            "slotMinutes": 30,
                        }
                    ],
                    "notAvailable": [
                        {
                            "start": "2030-07-01T00:00:00-03:00",
                            "end": "2030-07-15T00:00:00-03:00",
                        }
                    ],
                }
            ]
        }
    )

    practitioner_id: UUID
    location_id: UUID
    active: Flag = True
    specialties: Words = ()
    service_types: Words = ()
    timezone: Zone | None = None
    period: DaysBody | None = None
    availability: Windows = ()
    not_available: Absences = ()

    def to_role(self, id: UUID) -> PractitionerRole:
        return PractitionerRole(
            id=PractitionerRoleId(id),
            practitioner_id=PractitionerId(self.practitioner_id),
            location_id=LocationId(self.location_id),
            active=self.active,
            specialties=self.specialties,
            service_types=self.service_types,
            timezone=self.timezone,
            period_start=self.period.start if self.period else None,
            period_end=self.period.end if self.period else None,
            availability=tuple(window.to_rule() for window in self.availability),
            not_available=tuple(a.to_not_available() for a in self.not_available),
        )


class PractitionerRolePatch(Shape):
    """A merge patch (RFC 7396) of what is put: what is left out stays as it is, null
    makes it what it is where a PUT leaves it out, and lists are replaced whole.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"active": False, "version": 1},
                {"period": {"end": "2030-06-30"}, "timezone": None, "version": 1},
            ]
        }
    )

    practitioner_id: Annotated[UUID | SkipJsonSchema[None], UNSAID] = None
    location_id: Annotated[UUID | SkipJsonSchema[None], UNSAID] = None
    active: Flag | None = None
    specialties: Words | None = None
    service_types: Words | None = None
    timezone: Zone | None = None
    period: DaysBody | None = None
    availability: Windows | None = None
    not_available: Absences | None = None
    version: Version | None = None

    @field_validator("practitioner_id", "location_id", mode="before")
    @classmethod
    def _is_something(cls, value: object) -> object:
        if value is None:
            raise ValueError("must not be null: a role is somebody's, somewhere")
        return value

    def to_fields(self) -> Mapping[str, Any]:
        """Return what the role is to have, by the names that it has there."""
        whole: dict[str, Any] = {
            "practitioner_id": self.practitioner_id,
            "location_id": self.location_id,
            "active": self.active is not False,
            "specialties": self.specialties or (),
            "service_types": self.service_types or (),
            "timezone": self.timezone,
            "availability": tuple(one.to_rule() for one in self.availability or ()),
            "not_available": tuple(
                one.to_not_available() for one in self.not_available or ()
            ),
        }
        said = {name: whole[name] for name in whole if name in self.model_fields_set}
        return said | self._period()

    def _period(self) -> dict[str, Any]:
        if "period" not in self.model_fields_set:
            return {}
        if self.period is None:
            return {"period_start": None, "period_end": None}
        given = self.period.model_fields_set
        return {f"period_{name}": getattr(self.period, name) for name in given}

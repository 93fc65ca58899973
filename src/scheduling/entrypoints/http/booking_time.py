"""The two ways in which a body says what time is to be booked."""

from datetime import timedelta
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from scheduling.domain.booking_request import BySlot, ByStart
from scheduling.domain.identifiers import LocationId, PractitionerId, SlotId
from scheduling.domain.period import Period
from scheduling.entrypoints.http.shapes import Instant, Shape, Whole

DAY_IN_MINUTES = 24 * 60


class BookingTime(Shape):
    """By `slotId`, or by practitioner, location, start and duration."""

    slot_id: UUID | None = None
    practitioner_id: UUID | None = None
    location_id: UUID | None = None
    start: Instant | None = None
    duration_minutes: Annotated[Whole, Field(ge=1, le=DAY_IN_MINUTES)] | None = None

    @model_validator(mode="after")
    def _one_way_to_say_when(self) -> Self:
        by_start = (
            self.practitioner_id,
            self.location_id,
            self.start,
            self.duration_minutes,
        )
        given = sum(value is not None for value in by_start)
        if given != (0 if self.slot_id else len(by_start)):
            raise ValueError(
                "give slotId alone, or practitionerId, locationId, start and "
                "durationMinutes together"
            )
        return self

    def when(self) -> BySlot | ByStart:
        if (
            self.practitioner_id is None
            or self.location_id is None
            or self.start is None
            or self.duration_minutes is None
        ):
            return BySlot(SlotId(self.slot_id or UUID(int=0)))
        return ByStart(
            PractitionerId(self.practitioner_id),
            LocationId(self.location_id),
            Period.of(self.start, timedelta(minutes=self.duration_minutes)),
        )

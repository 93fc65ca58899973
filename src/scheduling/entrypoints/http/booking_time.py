"""The two ways in which a body says what time is to be booked."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from scheduling.domain.booking_request import BySlot, ByStart, when_said
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
        self.when()
        return self

    def when(self) -> BySlot | ByStart:
        return when_said(
            self.slot_id,
            self.practitioner_id,
            self.location_id,
            self.start,
            self.duration_minutes,
        )

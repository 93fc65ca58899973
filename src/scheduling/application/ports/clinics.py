"""The clinics of an organisation, all of them, and their mornings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from scheduling.application.ports.messages import Aggregate, Message
from scheduling.domain.directory import Location
from scheduling.domain.identifiers import LocationId


class Clinics(Protocol):
    async def active(self) -> Sequence[Location]:
        """Return the locations that are active, by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBegan(Message):
    """Our own clock's news, of no stream: a working day has begun at a location."""

    location_id: LocationId
    day: date

    @property
    def aggregate(self) -> Aggregate | None:
        return None

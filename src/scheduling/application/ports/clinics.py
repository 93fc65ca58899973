"""The clinics of an organisation, all of them."""

from collections.abc import Sequence
from typing import Protocol

from scheduling.domain.directory import Location


class Clinics(Protocol):
    async def active(self) -> Sequence[Location]:
        """Return the locations that are active, by id."""

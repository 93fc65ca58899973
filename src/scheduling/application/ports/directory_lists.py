"""What is asked of many practitioners, locations or patients."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from scheduling.domain.directory import Location, Patient, Practitioner
from scheduling.domain.identifiers import LocationId

NamePosition = tuple[str, UUID]
"""Where a page by name ended: the last one's name and id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationFilter:
    """All of them, or only those that are, or are not, `active`."""

    active: bool | None = None
    after: NamePosition | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PractitionerFilter:
    """With `location_id`: who works there, by an active role, whatever its period, or
    by a calendar that staff made.
    """

    location_id: LocationId | None = None
    active: bool | None = None
    after: NamePosition | None = None
    limit: int = 200


class DirectoryLists(Protocol):
    async def locations(self, wanted: LocationFilter) -> Sequence[Location]:
        """Return up to `limit` of them by name, as its characters are numbered, and id;
        in one reading.
        """

    async def practitioners(self, wanted: PractitionerFilter) -> Sequence[Practitioner]:
        """Return up to `limit` of them by name, as its characters are numbered, and id;
        in one reading.
        """

    async def patients(self, words: Sequence[str], limit: int) -> Sequence[Patient]:
        """Return up to `limit` patients, active or not, who have, for each of the
        beginnings, a word that begins so (see `patient_search`); none where nothing is
        asked for. In one reading.

        By their first word that begins as the rarest of them, and id: who is called
        just what was asked for is before who is called something longer. Rare is what
        few words begin with, as far as that is counted; else what is asked for first.
        """

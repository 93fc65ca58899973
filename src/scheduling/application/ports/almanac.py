"""What is known of days and zones outside: holidays, and the zones' own history."""

from collections.abc import Collection
from datetime import date
from typing import Protocol


class Almanac(Protocol):
    @property
    def tzdata_version(self) -> str:
        """Which release of the time zones days are counted by, as `2026b`."""

    def public_holidays(
        self, country: str, subdivision: str | None, first: date, last: date
    ) -> Collection[date]:
        """Return those from `first` to `last`, both inclusive; none of a country or a
        subdivision that nobody knows. Codes are those of ISO 3166, as a location has
        them.
        """

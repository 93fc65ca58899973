"""An almanac that knows what a test tells it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from scheduling.application.ports.almanac import Almanac


@dataclass(frozen=True)
class MemoryAlmanac(Almanac):
    """`holidays` are those of every country."""

    holidays: tuple[date, ...] = ()
    version: str = "2029z"

    @property
    def tzdata_version(self) -> str:
        return self.version

    def public_holidays(
        self, _country: str, _subdivision: str | None, first: date, last: date
    ) -> Collection[date]:
        return [day for day in self.holidays if first <= day <= last]

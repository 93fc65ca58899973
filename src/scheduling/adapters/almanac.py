"""Public holidays as the library `holidays` knows them, and the zones in use."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from zoneinfo import TZPATH

from scheduling.application.ports.almanac import Almanac


@dataclass(frozen=True)
class HolidaysAlmanac(Almanac):
    """`zones_at`: where `zoneinfo` looks before it takes the package `tzdata`."""

    zones_at: tuple[str, ...] = TZPATH

    @cached_property
    def tzdata_version(self) -> str:
        for folder in map(Path, self.zones_at):
            if (folder / "Etc" / "UTC").is_file():
                return _release_in(folder)
        return _release_in(files("tzdata") / "zoneinfo")

    def public_holidays(
        self, country: str, subdivision: str | None, first: date, last: date
    ) -> Collection[date]:
        return {
            day
            for year in range(first.year, last.year + 1)
            for day in _holidays_of(country.upper(), subdivision, year)
            if first <= day <= last
        }


def _release_in(folder: Traversable) -> str:
    """A compiled database says its release in one of two files, or not at all."""
    for name in ("tzdata.zi", "+VERSION"):
        file = folder / name
        if file.is_file():
            first, *_ = file.read_text(encoding="utf-8").splitlines() or [""]
            return first.removeprefix("# version").strip() or "unknown"
    return "unknown"


@lru_cache(maxsize=512)
def _holidays_of(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    # 20 MiB that only a process whose locations observe holidays has to have.
    from holidays import country_holidays  # noqa: PLC0415

    try:
        return frozenset(country_holidays(country, subdiv=subdivision, years=year))
    except NotImplementedError:
        return frozenset()

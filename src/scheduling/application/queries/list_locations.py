from collections.abc import Sequence
from dataclasses import dataclass, replace

from scheduling.application.ports.directory_lists import LocationFilter
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.directory import Location


@dataclass(frozen=True, slots=True)
class Locations:
    """`more`: there are further ones behind the last."""

    items: Sequence[Location]
    more: bool


@dataclass(frozen=True, slots=True)
class ListLocations:
    """Show the organisation's clinics, by name. Nobody's data are in it."""

    begin: BeginWork

    async def __call__(self, caller: Caller, wanted: LocationFilter) -> Locations:
        asked = replace(wanted, limit=wanted.limit + 1)
        async with self.begin(caller) as work:
            found = await work.directory_lists.locations(asked)
        page = found[: wanted.limit]
        return Locations(page, more=len(found) > len(page))

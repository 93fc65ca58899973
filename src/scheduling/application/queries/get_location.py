from dataclasses import dataclass

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.directory import Location
from scheduling.domain.errors import LocationNotFound
from scheduling.domain.identifiers import LocationId


@dataclass(frozen=True, slots=True)
class GetLocation:
    begin: BeginWork

    async def __call__(self, caller: Caller, id: LocationId) -> Location:
        async with self.begin(caller) as work:
            found = await work.locations.find(id)
        if found is None:
            raise LocationNotFound(id)
        return found

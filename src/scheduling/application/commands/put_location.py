from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.tell_calendars import tell_of_location
from scheduling.domain.directory import Location, put
from scheduling.domain.version import ExpectedVersion


@dataclass(frozen=True, slots=True)
class PutLocation:
    """Keep what the registry says of a location; the same again changes nothing."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        wanted: Location,
        *,
        expected: ExpectedVersion | None = None,
    ) -> Location:
        async with self.begin(caller) as work:
            stored = await work.locations.find(wanted.id)
            now = self.now()
            kept = put(stored, wanted, expected=expected, now=now)
            work.locations.save(kept)
            await tell_of_location(work, stored, kept, now=now)
        return kept

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from scheduling.application.ports.availability import (
    Candidate,
    First,
    ReadSettings,
    SlotFilter,
)
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.offers import admitted, demand_own_patient
from scheduling.domain.period import Period

_END_OF_TIME = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FindNextAvailable:
    """Show the earliest times that booking would accept, from an instant (or from now)
    on, with any of the practitioners at any of the locations.
    """

    begin: BeginWork
    settings: ReadSettings
    now: Clock

    async def __call__(
        self, caller: Caller, wanted: SlotFilter, start: datetime | None, limit: int
    ) -> Sequence[Candidate]:
        demand_own_patient(caller, wanted.patient_id)
        settings, now = await self.settings(caller), self.now()
        async with self.begin(caller) as work:
            found = await work.availability.offered(
                wanted,
                Period(start or now, _END_OF_TIME),
                First(limit),
                settings=settings,
                now=now,
            )
        return admitted(found, settings, now)

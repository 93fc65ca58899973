from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.tell_calendars import tell_of_settings
from scheduling.domain.settings import Settings
from scheduling.domain.version import ExpectedVersion, check_version


@dataclass(frozen=True, slots=True)
class PutSettings:
    """Decide how the organisation books; what is booked stays as it is."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        wanted: Settings,
        *,
        expected: ExpectedVersion | None = None,
    ) -> Settings:
        async with self.begin(caller) as work:
            stored = await work.settings.get()
            check_version(expected, stored.version)
            now = self.now()
            settings = stored.replaced_by(wanted, now=now)
            work.settings.save(settings)
            await tell_of_settings(work, stored, settings, now=now)
        return settings

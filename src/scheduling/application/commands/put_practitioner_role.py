from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import LocationNotFound, PractitionerNotFound
from scheduling.domain.schedule import PractitionerRole, calendar_of
from scheduling.domain.version import ExpectedVersion


@dataclass(frozen=True, slots=True)
class PutPractitionerRole:
    """Assign a practitioner to a location; the role's calendar is made with it."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        wanted: PractitionerRole,
        *,
        expected: ExpectedVersion | None = None,
    ) -> PractitionerRole:
        async with self.begin(caller) as work:
            if await work.practitioners.find(wanted.practitioner_id) is None:
                raise PractitionerNotFound(wanted.practitioner_id)
            location = await work.locations.find(wanted.location_id)
            if location is None:
                raise LocationNotFound(wanted.location_id)
            now = self.now()
            stored = await work.practitioner_roles.find(wanted.id)
            role = wanted.put(stored, expected=expected, now=now)
            work.practitioner_roles.save(role)
            calendar = await work.schedules.of_role(role.id)
            work.schedules.save(
                calendar_of(role, calendar, timezone=location.timezone, now=now)
            )
        return role

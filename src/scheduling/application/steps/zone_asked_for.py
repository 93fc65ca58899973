"""In which zone an answer counts its days."""

from scheduling.application.ports.appointment_lists import Whose
from scheduling.application.ports.unit_of_work import UnitOfWork


async def zone_asked_for(work: UnitOfWork, named: str | None, whose: Whose) -> str:
    """Return the zone that was named; else the location's, where one alone is asked
    for; else the organisation's.
    """
    if named is not None:
        return named
    if whose.location is not None:
        location = await work.locations.find(whose.location)
        if location is not None:
            return location.timezone
    return (await work.settings.get()).timezone

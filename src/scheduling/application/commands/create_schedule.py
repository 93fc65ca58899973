from dataclasses import dataclass

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import LocationNotFound, PractitionerNotFound
from scheduling.domain.identifiers import LocationId, PractitionerId, ScheduleId
from scheduling.domain.schedule import Schedule, WeeklyRule
from scheduling.domain.settings import CalendarLimits


@dataclass(frozen=True, slots=True)
class CreateSchedule:
    """Open a bookable calendar for a practitioner at a location."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        *,
        practitioner_id: PractitionerId,
        location_id: LocationId,
        timezone: str | None,
        availability: tuple[WeeklyRule, ...],
        horizon_days: int | None,
        minimum_notice_minutes: int | None = None,
        limits: CalendarLimits | None = None,
        id: ScheduleId | None = None,
    ) -> Schedule:
        async with self.begin(caller) as work:
            await work.calendar_news.let_nobody_change_location_or_settings()
            if await work.practitioners.find(practitioner_id) is None:
                raise PractitionerNotFound(practitioner_id)
            location = await work.locations.find(location_id)
            if location is None:
                raise LocationNotFound(location_id)
            schedule = Schedule.published(
                practitioner_id=practitioner_id,
                location_id=location_id,
                timezone=timezone or location.timezone,
                availability=availability,
                horizon_days=horizon_days,
                minimum_notice_minutes=minimum_notice_minutes,
                limits=limits,
                id=id,
                now=self.now(),
            )
            work.schedules.save(schedule)
        return schedule

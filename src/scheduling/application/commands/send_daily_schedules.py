from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import date, datetime

from scheduling.application.ports.appointment_lists import (
    AppointmentFilter,
    Page,
    Whose,
)
from scheduling.application.ports.clinics import DayBegan
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Outcome, ReceivedEvent
from scheduling.application.ports.unavailable import Unavailable
from scheduling.application.ports.unit_of_work import BeginWork, UnitOfWork
from scheduling.domain.appointment import Appointment
from scheduling.domain.day_sheet import TAKING_TIME, day_sheets, day_to_tell
from scheduling.domain.directory import Location
from scheduling.domain.period import day_in

CLOCK = "/scheduling/cron"
"""Where the news comes from that a day has begun."""

_A_PAGE = 500


@dataclass(frozen=True, slots=True)
class SendDailySchedules:
    """Have practitioners told in the morning whom they see, at each location by its own
    clock.

    That a location's day was told is remembered like news that was followed, in the
    transaction that tells it: it is told once, whoever asks how often.
    """

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller) -> AsyncGenerator[int, None]:
        """Yield how many practitioners were told, for one location after the other.
        Raise an ExceptionGroup at the end where some locations failed.
        """
        async with self.begin(caller) as work:
            locations = await work.clinics.active()
        failures: list[Exception] = []
        for location in locations:
            try:
                yield await self._tell_in_the_morning(caller, location)
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001  # told when all had their turn
                failures.append(error)
        if failures:
            raise ExceptionGroup("some locations were not told", failures)

    async def _tell_in_the_morning(self, caller: Caller, location: Location) -> int:
        now = self.now()
        day = day_to_tell(location.timezone, now)
        return 0 if day is None else await self._tell(caller, location, day, now)

    async def _tell(
        self, caller: Caller, location: Location, day: date, now: datetime
    ) -> int:
        morning = ReceivedEvent(
            tenant_id=caller.tenant_id,
            source=CLOCK,
            id=f"daily-schedule:{day}:{location.id}",
            type="cron.daily-schedule",
            stored_at=now,
            version=None,
            traceparent=None,
            message=DayBegan(location_id=location.id, day=day),
        )
        async with self.begin(caller) as work:
            if await work.inbox.recall(morning) is not None:
                return 0
            visits = await self._visits(work, location, day)
            sheets = day_sheets(
                location, day, visits, source_event_id=morning.id, now=now
            )
            for sheet in sheets:
                work.notices.tell(sheet)
            work.inbox.remember(morning, Outcome.APPLIED, now)
        return len(sheets)

    async def _visits(
        self, work: UnitOfWork, location: Location, day: date
    ) -> list[Appointment]:
        wanted = AppointmentFilter(
            now=self.now(),
            period=day_in(location.timezone, day),
            whose=Whose(location_ids=(location.id,)),
            statuses=TAKING_TIME,
        )
        found: list[Appointment] = []
        page = await work.appointment_lists.page(wanted, Page(limit=_A_PAGE))
        while page.more:
            found += page.items
            after = (found[-1].period.start, found[-1].id)
            page = await work.appointment_lists.page(
                wanted, Page(after=after, limit=_A_PAGE)
            )
        return [*found, *page.items]

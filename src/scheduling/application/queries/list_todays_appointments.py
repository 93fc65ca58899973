from collections.abc import Mapping
from dataclasses import dataclass, replace

from scheduling.application.ports.appointment_lists import (
    AppointmentFilter,
    AppointmentPage,
    Page,
    Whose,
)
from scheduling.application.ports.audit import AuditClient, asked_for
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.zone_asked_for import zone_asked_for
from scheduling.domain.local_days import LocalDays
from scheduling.domain.period import day_in, local_day
from scheduling.domain.status import Status


@dataclass(frozen=True, slots=True)
class TodaysAppointments:
    """`by_status` counts the whole day, whatever statuses the page is of."""

    day: LocalDays
    by_status: Mapping[Status, int]
    page: AppointmentPage


@dataclass(frozen=True, slots=True)
class ListTodaysAppointments:
    """What begins on the local day that it is now, or began before and is not over.

    A patient's own token sees that patient's appointments only.
    """

    begin: BeginWork
    now: Clock
    audit: AuditClient

    async def __call__(
        self,
        caller: Caller,
        whose: Whose,
        page: Page,
        *,
        statuses: frozenset[Status],
        timezone: str | None,
    ) -> TodaysAppointments:
        now = self.now()
        async with self.begin(caller) as work:
            zone = await zone_asked_for(work, timezone, whose)
            day = LocalDays(zone, day_in(zone, local_day(now, zone)))
            all_day = AppointmentFilter(
                now=now,
                period=day.period,
                running=True,
                whose=whose,
                patient_id=caller.patient_id,
            )
            summary = await work.appointment_lists.summary(all_day, day)
            wanted = replace(all_day, statuses=statuses)
            found = await work.appointment_lists.page(wanted, page)
        about = asked_for(
            caller,
            patient=caller.patient_id,
            practitioner=whose.practitioner,
            location=whose.location,
        )
        await self.audit.record(caller, "appointments.today.read", about)
        return TodaysAppointments(day, summary.by_status, found)

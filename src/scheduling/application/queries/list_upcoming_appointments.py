from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduling.application.ports.appointment_lists import (
    AppointmentFilter,
    AppointmentPage,
    Page,
    Summary,
    Whose,
)
from scheduling.application.ports.audit import AuditClient, asked_for
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.zone_asked_for import zone_asked_for
from scheduling.domain.errors import InvalidPeriod, PatientNotFound
from scheduling.domain.identifiers import PatientId
from scheduling.domain.local_days import LocalDays, Span
from scheduling.domain.period import Period, local_day
from scheduling.domain.status import Status

FURTHEST = 92
"""Days."""

AHEAD = frozenset(one for one in Status if one.takes_time) | {Status.PROPOSED}
"""What is still to come, or is asked for."""


@dataclass(frozen=True, slots=True)
class UpcomingAppointments:
    asked: LocalDays
    summary: Summary | None
    page: AppointmentPage


@dataclass(frozen=True, slots=True)
class ListUpcomingAppointments:
    """What begins from now on, and is still to be.

    A patient's own token sees that patient's appointments only.
    """

    begin: BeginWork
    now: Clock
    audit: AuditClient

    async def __call__(
        self,
        caller: Caller,
        asked: Span | int,
        whose: Whose,
        page: Page,
        *,
        patient_id: PatientId | None,
        timezone: str | None,
        summarised: bool,
    ) -> UpcomingAppointments:
        """Look into the span, or that many local days ahead, of which today is one."""
        if patient_id is not None and not caller.sees(patient_id):
            raise PatientNotFound(patient_id)
        now, patient_id = self.now(), patient_id or caller.patient_id
        async with self.begin(caller) as work:
            days = _ahead(asked, await zone_asked_for(work, timezone, whose), now)
            wanted = AppointmentFilter(
                now=now,
                period=days.period,
                whose=whose,
                patient_id=patient_id,
                statuses=AHEAD,
            )
            found = await work.appointment_lists.page(wanted, page)
            summary = (
                await work.appointment_lists.summary(wanted, days)
                if summarised
                else None
            )
        about = asked_for(
            caller,
            patient=patient_id,
            practitioner=whose.practitioner,
            location=whose.location,
        )
        await self.audit.record(caller, "appointments.upcoming.read", about)
        return UpcomingAppointments(days, summary, found)


def _ahead(asked: Span | int, timezone: str, now: datetime) -> LocalDays:
    """Return what of that is not over yet."""
    today = local_day(now, timezone)
    span = (
        asked if isinstance(asked, Span) else Span(today, today + timedelta(days=asked))
    )
    span.demand_days(FURTHEST)
    period = span.in_zone(timezone).period
    if period.end <= now:
        raise InvalidPeriod("must be ahead", "to")
    return LocalDays(timezone, Period(max(period.start, now), period.end))

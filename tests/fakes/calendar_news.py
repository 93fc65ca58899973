"""Calendars in memory, as far as they tell that something changed which they follow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduling.application.ports.calendar_news import CalendarNewsRepository
from scheduling.application.ports.schedule_exceptions import Affected
from scheduling.domain.calendar_news import Calendar, RoleStanding
from scheduling.domain.events import CalendarChanged
from scheduling.domain.identifiers import LocationId
from scheduling.domain.schedule import PractitionerRole, Schedule
from tests.fakes.transaction import Transaction

CALENDARS = "calendars"
"""Whoever makes them, and whoever changes what all of them follow, takes turns."""


@dataclass
class MemoryCalendarNews(CalendarNewsRepository):
    transaction: Transaction

    async def let_nobody_change_location_or_settings(self) -> None:
        await self.transaction.lock(CALENDARS)

    async def of(self, schedule: Schedule) -> Calendar:
        return self._calendar(schedule, self._role_of(schedule))

    async def at_location(self, id: LocationId) -> Sequence[Calendar]:
        await self.transaction.lock(CALENDARS)
        return [one for one in self._standing() if one.location_id == id]

    async def with_the_organisations_horizon(self) -> Sequence[Calendar]:
        await self.transaction.lock(CALENDARS)
        schedules = self.transaction.tables.schedules
        return [
            one
            for one in self._standing()
            if schedules[one.schedule_id].horizon_days is None
        ]

    async def visits_ahead(
        self, schedule: Schedule, now: datetime
    ) -> Sequence[Affected]:
        found = [
            Affected(
                one.id,
                one.period,
                one.status,
                one.patient_id,
                self.transaction.tables.patients[one.patient_id].name,
            )
            for one in self.transaction.tables.appointments.values()
            if one.schedule_id == schedule.id
            and one.status.takes_time
            and one.period.start > now
            and (one.hold_expires_at is None or one.hold_expires_at > now)
        ]
        return sorted(found, key=lambda one: (one.period.start, one.id))

    def announce(self, news: Iterable[CalendarChanged]) -> None:
        self.transaction.announce(news)

    def _standing(self) -> list[Calendar]:
        found = []
        for schedule in self.transaction.tables.schedules.values():
            role = self._role_of(schedule)
            if role is None or not role.is_deleted:
                found.append(self._calendar(schedule, role))
        return sorted(found, key=lambda one: one.schedule_id)

    def _role_of(self, schedule: Schedule) -> PractitionerRole | None:
        id = schedule.practitioner_role_id
        roles = self.transaction.tables.practitioner_roles
        return None if id is None else roles[id]

    @staticmethod
    def _calendar(schedule: Schedule, role: PractitionerRole | None) -> Calendar:
        return Calendar(
            schedule_id=schedule.id,
            practitioner_id=schedule.practitioner_id,
            location_id=schedule.location_id,
            version=schedule.version,
            role=None
            if role is None
            else RoleStanding(
                id=role.id,
                version=role.version,
                active=role.active,
                has_own_zone=role.timezone is not None,
            ),
        )

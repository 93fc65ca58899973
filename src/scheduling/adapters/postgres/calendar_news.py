"""Calendars, as far as they tell that something changed which they follow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    Uuid,
    and_,
    bindparam,
    literal_column,
    or_,
    select,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.affected import affected_from, whose
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.directory_rows import Row
from scheduling.adapters.postgres.statements import Statement, compiled
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.adapters.postgres.turns import locking_calendars, making_calendars
from scheduling.application.ports.calendar_news import CalendarNewsRepository
from scheduling.application.ports.schedule_exceptions import Affected
from scheduling.domain.calendar_news import Calendar, RoleStanding
from scheduling.domain.events import CalendarChanged
from scheduling.domain.identifiers import (
    LocationId,
    PractitionerId,
    PractitionerRoleId,
    ScheduleId,
)
from scheduling.domain.schedule import Schedule
from scheduling.domain.status import Status


def _calendars(*which: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    schedules, roles = t.schedules, t.practitioner_roles
    follows = and_(
        roles.c.tenant_id == TENANT, roles.c.id == schedules.c.practitioner_role_id
    )
    return (
        select(
            schedules.c.id,
            schedules.c.practitioner_id,
            schedules.c.location_id,
            schedules.c.version,
            roles.c.id.label("role_id"),
            roles.c.version.label("role_version"),
            roles.c.active.label("role_active"),
            roles.c.timezone.is_not(None).label("role_has_own_zone"),
        )
        .select_from(schedules.outerjoin(roles, follows))
        .where(schedules.c.tenant_id == TENANT, *which)
    )


def _not_deleted() -> ColumnElement[bool]:
    return t.practitioner_roles.c.deleted_at.is_(None)


@cache
def _reading_one() -> Statement:
    return compiled(_calendars(t.schedules.c.id == bindparam("id", type_=Uuid())))


@cache
def _reading_at_location() -> Statement:
    there = t.schedules.c.location_id == bindparam("location_id", type_=Uuid())
    return compiled(_calendars(there, _not_deleted()).order_by(t.schedules.c.id))


@cache
def _reading_without_horizon() -> Statement:
    unset = t.schedules.c.horizon_days.is_(None)
    return compiled(_calendars(unset, _not_deleted()).order_by(t.schedules.c.id))


@cache
def _reading_visits_ahead() -> Statement:
    appointments = t.appointments
    now = bindparam("now", type_=DateTime(timezone=True))
    return compiled(
        select(
            appointments.c.id,
            appointments.c.starts_at,
            appointments.c.ends_at,
            appointments.c.status,
            *whose(),
        )
        .where(
            appointments.c.tenant_id == TENANT,
            appointments.c.practitioner_id
            == bindparam("practitioner_id", type_=Uuid()),
            appointments.c.schedule_id == bindparam("schedule_id", type_=Uuid()),
            appointments.c.starts_at > now,
            appointments.c.status.in_(
                [literal_column(f"'{one}'") for one in Status if one.takes_time]
            ),
            or_(
                appointments.c.hold_expires_at.is_(None),
                appointments.c.hold_expires_at > now,
            ),
        )
        .order_by(appointments.c.starts_at, appointments.c.id)
    )


@dataclass(frozen=True, slots=True)
class PostgresCalendarNews(CalendarNewsRepository):
    transaction: Transaction

    async def let_nobody_change_location_or_settings(self) -> None:
        await self.transaction.row(making_calendars())

    async def of(self, schedule: Schedule) -> Calendar:
        if schedule.practitioner_role_id is None:
            return Calendar.made_by_staff(schedule)
        return _calendar_from(
            await self.transaction.row(_reading_one(), id=schedule.id)
        )

    async def at_location(self, id: LocationId) -> Sequence[Calendar]:
        await self.transaction.row(locking_calendars())
        rows = await self.transaction.rows(_reading_at_location(), location_id=id)
        return [_calendar_from(row) for row in rows]

    async def with_the_organisations_horizon(self) -> Sequence[Calendar]:
        await self.transaction.row(locking_calendars())
        rows = await self.transaction.rows(_reading_without_horizon())
        return [_calendar_from(row) for row in rows]

    async def visits_ahead(
        self, schedule: Schedule, now: datetime
    ) -> Sequence[Affected]:
        rows = await self.transaction.rows(
            _reading_visits_ahead(),
            practitioner_id=schedule.practitioner_id,
            schedule_id=schedule.id,
            now=now,
        )
        return [affected_from(row) for row in rows]

    def announce(self, news: Iterable[CalendarChanged]) -> None:
        self.transaction.announce(news)


def _calendar_from(row: Row) -> Calendar:
    return Calendar(
        schedule_id=ScheduleId(row["id"]),
        practitioner_id=PractitionerId(row["practitioner_id"]),
        location_id=LocationId(row["location_id"]),
        version=row["version"],
        role=None
        if row["role_id"] is None
        else RoleStanding(
            id=PractitionerRoleId(row["role_id"]),
            version=row["role_version"],
            active=row["role_active"],
            has_own_zone=row["role_has_own_zone"],
        ),
    )

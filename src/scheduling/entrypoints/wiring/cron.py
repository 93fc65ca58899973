"""Storage, as jobs need it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import asyncpg

from scheduling.adapters.postgres.archive import PostgresArchive
from scheduling.adapters.postgres.bell import OutboxBell
from scheduling.adapters.postgres.reminders import tenants_with_due_reminders
from scheduling.adapters.postgres.sessions import open_pool
from scheduling.adapters.postgres.tenants import PostgresTenants
from scheduling.adapters.postgres.unit_of_work import begin_work
from scheduling.application.ports.almanac import Almanac
from scheduling.application.ports.archive import Archive
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.reminders import ReminderDispatchPort
from scheduling.application.ports.tenants import Tenants
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.identifiers import TenantId
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.wiring.almanac import open_almanac
from scheduling.entrypoints.wiring.reminders import open_reminder_dispatch
from scheduling.entrypoints.wiring.storage import (
    INBOX_ROLE,
    Misconfigured,
    system_clock,
)

CRON_ROLE = "scheduling_cron"
SWEEPING = 2
"""Connections under the role that sweeps all tenants; the others work for one."""


@dataclass(frozen=True, slots=True)
class CronStorage:
    """`begin` is of one tenant at a time, under the role of the inbox: what jobs do to
    visits and calendars is what follows from news, done by the clock. `sweeping` are
    connections of the role that may look over all tenants, at what it sweeps.
    """

    begin: BeginWork
    sweeping: asyncpg.Pool
    tenants: Tenants
    archive: Archive
    almanac: Almanac
    reminders: ReminderDispatchPort
    now: Clock

    async def with_due_reminders(self) -> Sequence[TenantId]:
        return await tenants_with_due_reminders(self.sweeping)


def cron_role(settings: Settings) -> str:
    return settings.database_role or CRON_ROLE


@asynccontextmanager
async def open_cron_storage(settings: Settings) -> AsyncIterator[CronStorage]:
    """Connect to the database in two roles, and ring for the relay."""
    if settings.database_url is None:
        raise Misconfigured("Set SCHEDULING_DATABASE_URL.")
    url = settings.database_url.get_secret_value()
    role = settings.database_role or INBOX_ROLE
    sweeping = await open_pool(url, role=cron_role(settings), size=SWEEPING)
    try:
        working = await open_pool(url, role=role, size=settings.database_pool_size)
        try:
            async with (
                OutboxBell(url, role=role) as bell,
                open_reminder_dispatch(settings) as reminders,
            ):
                yield CronStorage(
                    begin=partial(begin_work, working, bell.ring, system_clock),
                    sweeping=sweeping,
                    tenants=PostgresTenants(sweeping),
                    archive=PostgresArchive(sweeping),
                    almanac=open_almanac(),
                    reminders=reminders,
                    now=system_clock,
                )
        finally:
            await working.close()
    finally:
        await sweeping.close()

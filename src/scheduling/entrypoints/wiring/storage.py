"""Storage, as use cases need it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from scheduling.adapters.postgres.audit import GroupCommittedAudit
from scheduling.adapters.postgres.bell import OutboxBell
from scheduling.adapters.postgres.readiness import schema_of
from scheduling.adapters.postgres.rehearsal import rehearse
from scheduling.adapters.postgres.sessions import open_pool
from scheduling.adapters.postgres.settings_cache import SettingsCache
from scheduling.adapters.postgres.unit_of_work import begin_work
from scheduling.application.ports.audit import AuditClient
from scheduling.application.ports.availability import ReadSettings
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.queries.get_settings import GetSettings
from scheduling.domain.identifiers import TenantId
from scheduling.entrypoints.settings import Settings

API_ROLE = "scheduling_api"
INBOX_ROLE = "scheduling_inbox"


class Misconfigured(Exception):
    """The settings do not make a process; the message says which to set."""


@dataclass(frozen=True, slots=True)
class Storage:
    """An open pool, seen as what use cases need of it."""

    begin: BeginWork
    settings: ReadSettings
    now: Clock
    audit: AuditClient
    schema: Callable[[], Awaitable[str | None]]


def system_clock() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_storage(settings: Settings) -> AsyncIterator[Storage]:
    """Connect to the database as the API does, and ring for the relay."""
    if settings.database_url is None:
        raise Misconfigured("Set SCHEDULING_DATABASE_URL.")
    url = settings.database_url.get_secret_value()
    role = settings.database_role or API_ROLE
    pool = await open_pool(url, role=role, size=settings.database_pool_size)
    try:
        read = GetSettings(partial(begin_work, pool, _nobody_listens, system_clock))
        async with (
            OutboxBell(url, role=role) as bell,
            GroupCommittedAudit(pool, system_clock) as audit,
            SettingsCache(read, url, role=role) as kept,
        ):
            yield Storage(
                begin=partial(
                    begin_work, pool, bell.ring, system_clock, forget=kept.forget
                ),
                settings=kept,
                now=system_clock,
                audit=audit,
                schema=partial(schema_of, pool),
            )
    finally:
        await pool.close()


@dataclass(frozen=True, slots=True)
class WorkerStorage:
    """What a process needs that follows news; `schema` also tells that it answers."""

    begin: BeginWork
    now: Clock
    schema: Callable[[], Awaitable[str | None]]


@asynccontextmanager
async def open_worker_storage(settings: Settings) -> AsyncIterator[WorkerStorage]:
    """Connect to the database as the inbox does, and ring for the relay."""
    if settings.database_url is None:
        raise Misconfigured("Set SCHEDULING_DATABASE_URL.")
    url = settings.database_url.get_secret_value()
    role = settings.database_role or INBOX_ROLE
    pool = await open_pool(url, role=role, size=settings.database_pool_size)
    try:
        async with OutboxBell(url, role=role) as bell:
            yield WorkerStorage(
                begin=partial(begin_work, pool, bell.ring, system_clock),
                now=system_clock,
                schema=partial(schema_of, pool),
            )
    finally:
        await pool.close()


@asynccontextmanager
async def open_quiet_storage(
    database_url: str, now: Clock, *, size: int
) -> AsyncIterator[BeginWork]:
    """Connect without a bell: the relay finds what was written when it polls."""
    pool = await open_pool(database_url, role=API_ROLE, size=size)
    try:
        yield partial(begin_work, pool, _nobody_listens, now)
    finally:
        await pool.close()


def _nobody_listens() -> None:
    """Stand in for a bell."""


@asynccontextmanager
async def open_rehearsal(
    settings: Settings, tenant_id: TenantId
) -> AsyncIterator[BeginWork]:
    """Connect as the API does, for one tenant; nothing that is done stays."""
    if settings.database_url is None:
        raise Misconfigured("Set SCHEDULING_DATABASE_URL.")
    role = settings.database_role or API_ROLE
    pool = await open_pool(settings.database_url.get_secret_value(), role=role, size=1)
    try:
        async with rehearse(pool, system_clock, tenant_id) as begin:
            yield begin
    finally:
        await pool.close()

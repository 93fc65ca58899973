"""The one place that knows both the ports and what fills them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from scheduling.adapters.postgres.bell import OutboxBell
from scheduling.adapters.postgres.migrating import newest_revision
from scheduling.adapters.postgres.readiness import schema_of
from scheduling.adapters.postgres.rehearsal import rehearse
from scheduling.adapters.postgres.unit_of_work import begin_work, open_pool
from scheduling.adapters.tokens.keys import KeyRing
from scheduling.adapters.tokens.keys_at_url import keys_at_url
from scheduling.adapters.tokens.keys_in_file import KeysInFile
from scheduling.adapters.tokens.verifier import TokenVerifier
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.identifiers import TenantId
from scheduling.entrypoints.http.app import Wired
from scheduling.entrypoints.http.commanding import CommandDoor
from scheduling.entrypoints.http.operations import Readiness
from scheduling.entrypoints.http.use_cases import Commands, Queries
from scheduling.entrypoints.settings import DEV_ISSUER_PREFIX, Settings
from scheduling.entrypoints.telemetry import Metrics

API_ROLE = "scheduling_api"


class Misconfigured(Exception):
    """The settings do not make a process; the message says which to set."""


@dataclass(frozen=True, slots=True)
class Storage:
    """An open pool, seen as what use cases need of it."""

    begin: BeginWork
    now: Clock
    schema: Readiness


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
        async with OutboxBell(url, role=role) as bell:
            yield Storage(
                begin=partial(begin_work, pool, bell.ring, system_clock),
                now=system_clock,
                schema=partial(schema_of, pool),
            )
    finally:
        await pool.close()


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


@asynccontextmanager
async def open_api(settings: Settings, metrics: Metrics) -> AsyncIterator[Wired]:
    """All that the API process stands on."""
    async with open_storage(settings) as storage, _token_keys(settings) as keys:
        newest = newest_revision()

        async def readiness() -> str | None:
            standing = await storage.schema()
            if standing == newest:
                return None
            return f"The schema stands at {standing}, not at {newest}."

        yield {
            "authenticate": TokenVerifier(
                keys, issuer=_issuer(settings), audience=settings.audience
            ),
            "commands": CommandDoor(
                Commands.over(storage.begin, storage.now), storage.begin, storage.now
            ),
            "queries": Queries.over(storage.begin, storage.now),
            "readiness": readiness,
            "metrics": metrics,
        }


def _issuer(settings: Settings) -> str:
    if settings.issuer is None:
        raise Misconfigured("Set SCHEDULING_ISSUER to the `iss` of your tokens.")
    if settings.issuer.startswith(DEV_ISSUER_PREFIX) and not settings.development:
        raise Misconfigured("A development issuer is never trusted in production.")
    return settings.issuer


@asynccontextmanager
async def _token_keys(settings: Settings) -> AsyncIterator[KeyRing]:
    if settings.jwks_url is not None:
        async with keys_at_url(settings.jwks_url) as keys:
            yield keys
    elif settings.jwks_file is not None:
        yield KeysInFile(settings.jwks_file)
    else:
        raise Misconfigured("Set SCHEDULING_JWKS_URL or SCHEDULING_JWKS_FILE.")

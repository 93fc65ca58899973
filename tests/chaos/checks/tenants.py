"""What of one tenant can be had by SQL that forgets to ask for one tenant only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

ROLES = ("scheduling_api", "scheduling_inbox")
"""Those that work for one tenant at a time."""
OF_NOBODY = UUID(int=0)

TENANT_TABLES = """
SELECT c.relname FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
ORDER BY 1
"""

# What follows from requests, refused ones too, or from other processes' work.
MOVES_BY_ITSELF = {
    "audit",
    "cron_runs",
    "dead_letters",
    "inbox",
    "inbox_positions",
    "outbox",
}


async def tables_of(connection: asyncpg.Connection) -> list[str]:
    return [row[0] for row in await connection.fetch(TENANT_TABLES)]


async def digest(superuser_url: str, tenant: UUID) -> dict[str, str]:
    """Return what each table has of a tenant, in a few characters."""
    connection = await asyncpg.connect(superuser_url)
    try:
        return {
            table: await connection.fetchval(
                f"SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"  # noqa: S608  # the catalogue's words
                f" FROM {table} t WHERE tenant_id = $1",
                tenant,
            )
            for table in await tables_of(connection)
            if table not in MOVES_BY_ITSELF
        }
    finally:
        await connection.close()


async def empty_tables(superuser_url: str, tenant: UUID) -> list[str]:
    """Return the tables that have nothing of the tenant: of them nothing is shown."""
    connection = await asyncpg.connect(superuser_url)
    try:
        return [
            table
            for table in await tables_of(connection)
            if not await connection.fetchval(
                f"SELECT count(*) FROM {table} WHERE tenant_id = $1",  # noqa: S608
                tenant,
            )
        ]
    finally:
        await connection.close()


async def seen_without_asking(
    database_url: str, tenant: UUID, other: UUID
) -> tuple[int, list[str]]:
    """Return how many statements were tried, and what of `tenant` they reached: by
    sessions that name no tenant, or nobody's, or the `other`.
    """
    tried, found = 0, []
    for role in ROLES:
        for session in (None, OF_NOBODY, other):
            async with _session(database_url, role, session) as connection:
                for table in await tables_of(connection):
                    for verb, statement in _statements(table, whole=session != other):
                        tried += 1
                        reached = await _reached(connection, statement, tenant)
                        if reached:
                            found.append(
                                f"{role} as {session} reached {reached} rows of"
                                f" {table} by {verb}"
                            )
    return tried, found


def _statements(table: str, *, whole: bool) -> list[tuple[str, str]]:
    """What a query looks like that forgot its filter. Who sees rows of its own has
    them filtered out here, and not by the database.
    """
    which = "true OR $1::uuid IS NULL" if whole else "tenant_id = $1"
    update = f"UPDATE {table} SET tenant_id = tenant_id WHERE {which} RETURNING 1"  # noqa: S608
    delete = f"DELETE FROM {table} WHERE {which} RETURNING 1"  # noqa: S608
    return [
        ("SELECT", f"SELECT count(*) FROM {table} WHERE {which}"),  # noqa: S608
        ("UPDATE", f"WITH u AS ({update}) SELECT count(*) FROM u"),  # noqa: S608
        ("DELETE", f"WITH d AS ({delete}) SELECT count(*) FROM d"),  # noqa: S608
    ]


async def _reached(connection: asyncpg.Connection, statement: str, tenant: UUID) -> int:
    transaction = connection.transaction()
    await transaction.start()
    try:
        count: int = await connection.fetchval(statement, tenant)
    except (
        asyncpg.InsufficientPrivilegeError,
        asyncpg.IntegrityConstraintViolationError,
        asyncpg.RaiseError,
    ) as refused:
        # A key that forbids it has seen a row: that is reached, too.
        return int(isinstance(refused, asyncpg.IntegrityConstraintViolationError))
    finally:
        await transaction.rollback()
    return count


@asynccontextmanager
async def _session(
    database_url: str, role: str, tenant: UUID | None
) -> AsyncIterator[asyncpg.Connection]:
    given = {} if tenant is None else {"app.tenant_id": str(tenant)}
    connection = await asyncpg.connect(
        database_url, server_settings={"role": role, **given}
    )
    try:
        yield connection
    finally:
        await connection.close()

"""Where the schema stands, asked under the role of the process that asks."""

import asyncio

import asyncpg

from scheduling.adapters.postgres.violations import in_our_words

PATIENCE = 2.0
"""Seconds, for a connection and the answer: who asks for readiness does not wait."""


async def schema_of(pool: asyncpg.Pool) -> str | None:
    """Return the revision, or None where nothing was ever migrated.

    Raise DatabaseUnavailable where the database does not answer.
    """
    with in_our_words():
        try:
            async with asyncio.timeout(PATIENCE):
                standing: str | None = await pool.fetchval(
                    "SELECT version_num FROM alembic_version"
                )
        except asyncpg.UndefinedTableError:
            return None
    return standing

"""Where the schema stands, asked under the role of the process that asks."""

import asyncpg

from scheduling.adapters.postgres.violations import in_our_words


async def schema_of(pool: asyncpg.Pool) -> str | None:
    """Return the revision, or None where nothing was ever migrated.

    Raise DatabaseUnavailable where the database does not answer.
    """
    with in_our_words():
        try:
            standing: str | None = await pool.fetchval(
                "SELECT version_num FROM alembic_version", timeout=2
            )
        except asyncpg.UndefinedTableError:
            return None
    return standing

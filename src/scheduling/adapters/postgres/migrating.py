"""Run the migrations that ship with the package, and say where a database stands."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from scheduling.adapters.postgres.revisions import migrations_folder

ONE_AT_A_TIME = 5128770021
"""The advisory lock of whoever migrates a database."""


def asyncpg_url(database_url: str) -> str:
    """SQLAlchemy wants the driver named; everybody else writes `postgresql://`."""
    scheme, separator, rest = database_url.partition("://")
    if not separator or scheme.split("+")[0] not in {"postgres", "postgresql"}:
        raise ValueError("a database URL begins with postgresql://")
    return f"postgresql+asyncpg://{rest}"


async def migrate(database_url: str, revision: str = "head") -> str | None:
    """Bring the database to `revision` (up or down); return where it stands then."""
    engine = create_async_engine(asyncpg_url(database_url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_move_alone, revision)
    finally:
        await engine.dispose()


def _move_alone(connection: Connection, revision: str) -> str | None:
    with _nobody_else_migrates(connection):
        return _move(connection, revision)


@contextmanager
def _nobody_else_migrates(connection: Connection) -> Iterator[None]:
    """Wait for others: Alembic asks where a database stands before it locks anything.

    The lock is the session's. It outlives each migration's transaction, and ends with
    the connection should the process die.
    """
    connection.execute(select(func.pg_advisory_lock(ONE_AT_A_TIME)))
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(select(func.pg_advisory_unlock(ONE_AT_A_TIME)))
        connection.commit()


def _move(connection: Connection, revision: str) -> str | None:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["connection"] = connection
    standing = _standing(connection)
    order = [s.revision for s in ScriptDirectory.from_config(config).walk_revisions()]
    goes_down = revision == "base" or (
        standing is not None
        and revision in order
        and order.index(revision) > order.index(standing)
    )
    (command.downgrade if goes_down else command.upgrade)(config, revision)
    return _standing(connection)


def _standing(connection: Connection) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    return revision

"""Run the migrations that ship with the package, and say where a database stands."""

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool


def migrations_folder() -> Path:
    """The wheel carries the migrations inside the package, a checkout at its root."""
    package = Path(str(files("scheduling")))
    shipped = package / "_migrations"
    return shipped if shipped.is_dir() else package.parents[1] / "migrations"


def newest_revision() -> str:
    revision = ScriptDirectory(str(migrations_folder())).get_current_head()
    if revision is None:
        raise RuntimeError(f"no migrations in {migrations_folder()}")
    return revision


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
            return await connection.run_sync(_move, revision)
    finally:
        await engine.dispose()


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

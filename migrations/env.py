"""Runs the migrations on the connection that `scheduling migrate` opened.

Each migration is one transaction. A lock that is not to be had within `lock_timeout`
fails the migration instead of queueing every booking behind it.
"""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from scheduling.adapters.postgres.tables import metadata

LOCK_TIMEOUT = "3s"
STATEMENT_TIMEOUT = "15min"


def run(connection: Connection) -> None:
    # Session settings, with RESET after: they must outlive each migration's COMMIT.
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


async def run_on_url(url: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(run_on_url(os.environ["SCHEDULING_DATABASE_URL"]))

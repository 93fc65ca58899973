"""Do it all, see it all, leave nothing: units of work inside one that is undone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

import asyncpg

from scheduling.adapters.postgres.sessions import PooledSessions, Sessions
from scheduling.adapters.postgres.statements import Connection
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.adapters.postgres.unit_of_work import PostgresUnitOfWork
from scheduling.adapters.postgres.violations import in_our_words
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork, UnitOfWork
from scheduling.domain.identifiers import TenantId


@asynccontextmanager
async def rehearse(
    pool: asyncpg.Pool, now: Clock, tenant_id: TenantId
) -> AsyncIterator[BeginWork]:
    """Units of work of one tenant that see each other's effects, one at a time.

    Nothing of it is there for anybody else, nor for anybody afterwards. What they
    would change stays locked until then.
    """
    sessions = PooledSessions(pool)
    with in_our_words():
        connection = await sessions.take(tenant_id)
        try:
            await connection.execute("BEGIN")
            yield partial(_begin_part, connection, now)
        finally:
            if not connection.is_closed():
                await connection.execute("ROLLBACK")
            await sessions.give_back(connection)


class _TheOne(Sessions):
    """The rehearsal's connection, for all who ask, until the rehearsal is over."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def take(self, tenant_id: UUID) -> Connection:  # noqa: ARG002  # it is set
        return self._connection

    async def give_back(self, connection: Connection) -> None:
        pass


@asynccontextmanager
async def _begin_part(
    connection: Connection, now: Clock, caller: Caller
) -> AsyncIterator[UnitOfWork]:
    with in_our_words():
        await connection.execute("SAVEPOINT part")
        transaction = Transaction(_TheOne(connection), caller, held=connection)
        try:
            yield PostgresUnitOfWork(transaction, now)
            await transaction.write(connection)
        except BaseException:
            if not connection.is_closed():
                await connection.execute("ROLLBACK TO SAVEPOINT part")
                await connection.execute("RELEASE SAVEPOINT part")
            raise
        await connection.execute("RELEASE SAVEPOINT part")

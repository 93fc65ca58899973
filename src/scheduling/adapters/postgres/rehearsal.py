"""Do it all, see it all, leave nothing: units of work inside one that is undone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg

from scheduling.adapters.postgres.statements import Connection
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.adapters.postgres.unit_of_work import (
    LONGEST_WAIT,
    PostgresUnitOfWork,
    beginning,
)
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
    with in_our_words():
        async with pool.acquire(timeout=LONGEST_WAIT) as connection:
            await connection.execute(beginning(tenant_id))
            try:
                yield partial(_begin_part, connection, now)
            finally:
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")


@asynccontextmanager
async def _begin_part(
    connection: Connection, now: Clock, caller: Caller
) -> AsyncIterator[UnitOfWork]:
    with in_our_words():
        await connection.execute("SAVEPOINT part")
        transaction = Transaction(connection, caller)
        try:
            yield PostgresUnitOfWork(transaction, now)
            if transaction.batch:
                await transaction.batch.send(connection, caller.tenant_id)
        except BaseException:
            if not connection.is_closed():
                await connection.execute("ROLLBACK TO SAVEPOINT part")
                await connection.execute("RELEASE SAVEPOINT part")
            raise
        await connection.execute("RELEASE SAVEPOINT part")

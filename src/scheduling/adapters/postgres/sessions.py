"""Connections for one statement or one transaction, each of one tenant at a time."""

from typing import Protocol, cast
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from scheduling.adapters.postgres.statements import Connection
from scheduling.adapters.postgres.violations import in_our_words

CONNECT_WITHIN = 5.0
ANSWER_WITHIN = 20.0
"""Seconds; longer than `statement_timeout`, which a silent server does not keep."""

LONGEST_WAIT = 5.0
"""Seconds that a command waits for a connection before it is told to come back."""

SESSION = {
    # What was planned while a table was empty stays planned until the next ANALYZE:
    # keyed statements must never have learned to scan, nor be planned a second time.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "jit": "off",
    "timezone": "UTC",
    # A hung process must not hold its locks, nor a wrong statement the pool.
    "idle_in_transaction_session_timeout": "10s",
    "statement_timeout": "15s",
    "lock_timeout": "10s",
}


class TenantConnection(asyncpg.Connection):
    """A connection that serves one tenant at a time, and knows which.

    `app.tenant_id` is set for the session and not for the transaction, since most work
    opens none. `serve` is the only door to a connection of the pool. Should the setting
    ever be another tenant's all the same (a pooler that hands out sessions by the
    transaction must not stand in between), nothing is found: each statement names the
    tenant too, and no row has both.

    It also has its plans made anew after ten uses, a hundred, and then each thousand.
    With generic plans a statement that was planned while its tables were empty keeps
    that plan until the next ANALYZE, and a young database grows by orders of magnitude
    before autovacuum first looks at it; the planner asks the files for their size.
    """

    __slots__ = ("_tenant", "_uses")

    async def serve(self, tenant_id: UUID) -> None:
        """See to it that all that follows is of this tenant."""
        uses = self._uses = getattr(self, "_uses", 0) + 1
        if uses in {10, 100} or uses % 1000 == 0:
            await self.execute("DISCARD PLANS")
        if getattr(self, "_tenant", None) != tenant_id:
            self._tenant = None
            await self.execute(
                f"SELECT set_config('app.tenant_id', '{tenant_id}', false)"
            )
            self._tenant = tenant_id


async def open_pool(
    database_url: str, *, role: str, size: int, answer_within: float = ANSWER_WITHIN
) -> asyncpg.Pool:
    """Connect under a role. Raise DatabaseUnavailable where nobody answers."""
    with in_our_words():
        return await asyncpg.create_pool(
            database_url,
            min_size=min(4, size),
            max_size=size,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=64 * 1024,
            statement_cache_size=512,
            timeout=CONNECT_WITHIN,
            command_timeout=answer_within,
            server_settings={"role": role, **SESSION},
            reset=_nothing_to_reset,
            connection_class=TenantConnection,
        )


async def _nothing_to_reset(_connection: asyncpg.Connection) -> None:
    """Spare the round trip of RESET ALL: the tenant is all that we set, and `serve`
    sees to that; asyncpg itself rolls back a transaction that was left open.
    """


class Sessions(Protocol):
    """Where work gets its connection, and where it leaves it."""

    async def take(self, tenant_id: UUID) -> Connection:
        """Return one on which all that follows is of this tenant."""

    async def give_back(self, connection: Connection) -> None:
        """Let others have it. A transaction left open on it is undone."""


class PooledSessions(Sessions):
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def take(self, tenant_id: UUID) -> Connection:
        # No clock is set where nobody waits.
        patience = None if self._pool.get_idle_size() else LONGEST_WAIT
        connection = await self._pool.acquire(timeout=patience)
        try:
            # A proxy that has the methods of ours.
            await cast("TenantConnection", connection).serve(tenant_id)
        except BaseException:
            await self._pool.release(connection)
            raise
        return connection

    async def give_back(self, connection: Connection) -> None:
        await self._pool.release(cast("PoolConnectionProxy", connection))

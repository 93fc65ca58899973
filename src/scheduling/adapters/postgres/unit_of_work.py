"""One transaction of one tenant, under row level security.

A unit of work costs four round trips at its best: BEGIN with the tenant, one reading,
one writing, COMMIT. BEGIN and the tenant's `set_config` are sent as one simple query,
so that row level security costs nothing.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import cast
from uuid import UUID

import asyncpg

from scheduling.adapters.postgres import directory
from scheduling.adapters.postgres.answers import PostgresAnswers
from scheduling.adapters.postgres.appointments import PostgresAppointments
from scheduling.adapters.postgres.batch import OUTBOX
from scheduling.adapters.postgres.directory import PostgresDirectory, PostgresSettings
from scheduling.adapters.postgres.schedules import PostgresSchedules
from scheduling.adapters.postgres.slots import PostgresSlots
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.adapters.postgres.violations import in_our_words
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.repositories import (
    AnswerRepository,
    AppointmentRepository,
    LocationRepository,
    PatientRepository,
    PractitionerRepository,
    PractitionerRoleRepository,
    ScheduleRepository,
    SettingsRepository,
    SlotRepository,
)
from scheduling.application.ports.unit_of_work import UnitOfWork


class PostgresUnitOfWork(UnitOfWork):
    """Repositories are made when they are asked for: most commands use one or two."""

    def __init__(self, transaction: Transaction, now: Clock) -> None:
        self._transaction = transaction
        self._now = now

    @cached_property
    def practitioners(self) -> PractitionerRepository:
        return PostgresDirectory(self._transaction, directory.PRACTITIONER)

    @cached_property
    def locations(self) -> LocationRepository:
        return PostgresDirectory(self._transaction, directory.LOCATION)

    @cached_property
    def patients(self) -> PatientRepository:
        return PostgresDirectory(self._transaction, directory.PATIENT)

    @cached_property
    def practitioner_roles(self) -> PractitionerRoleRepository:
        return PostgresDirectory(self._transaction, directory.ROLE)

    @cached_property
    def settings(self) -> SettingsRepository:
        return PostgresSettings(self._transaction)

    @cached_property
    def schedules(self) -> ScheduleRepository:
        return PostgresSchedules(self._transaction)

    @cached_property
    def slots(self) -> SlotRepository:
        return PostgresSlots(self._transaction)

    @cached_property
    def appointments(self) -> AppointmentRepository:
        return PostgresAppointments(self._transaction)

    @cached_property
    def answers(self) -> AnswerRepository:
        return PostgresAnswers(self._transaction, self._now)


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
    """A connection that knows how often it was used.

    With generic plans a statement that was planned while its tables were empty keeps
    that plan until the next ANALYZE, and a young database grows by orders of magnitude
    before autovacuum first looks at it. So the plans are made anew after ten uses, a
    hundred, and then after each thousand: the planner asks the files for their present
    size. It goes with BEGIN and costs no round trip.
    """

    __slots__ = ("_uses",)

    def beginning(self, tenant_id: UUID) -> str:
        """Return the simple query that opens a transaction."""
        self._uses = getattr(self, "_uses", 0) + 1
        if self._uses in {10, 100} or self._uses % 1000 == 0:
            return f"DISCARD PLANS; {beginning(tenant_id)}"
        return beginning(tenant_id)


async def open_pool(database_url: str, *, role: str, size: int) -> asyncpg.Pool:
    """Connect under a role. Raise DatabaseUnavailable where nobody answers."""
    with in_our_words():
        return await asyncpg.create_pool(
            database_url,
            min_size=min(4, size),
            max_size=size,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=64 * 1024,
            statement_cache_size=512,
            server_settings={"role": role, **SESSION},
            reset=_nothing_to_reset,
            connection_class=TenantConnection,
        )


async def _nothing_to_reset(_connection: asyncpg.Connection) -> None:
    """Spare the round trip of RESET ALL: all that we set ends with its transaction,
    and asyncpg itself rolls back one that was left open.
    """


@asynccontextmanager
async def begin_work(
    pool: asyncpg.Pool, ring: Callable[[], None], now: Clock, caller: Caller
) -> AsyncIterator[UnitOfWork]:
    """Open the caller's transaction; `ring` is called after events were committed."""
    with in_our_words():
        async with pool.acquire(timeout=_patience(pool)) as connection:
            ours = cast("TenantConnection", connection)  # a proxy with its methods
            await connection.execute(ours.beginning(caller.tenant_id))
            transaction = Transaction(connection, caller)
            try:
                yield PostgresUnitOfWork(transaction, now)
                if transaction.batch:
                    await transaction.batch.send(connection, caller.tenant_id)
                await connection.execute("COMMIT")
            except BaseException:
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")
                raise
    if OUTBOX.name in transaction.batch.rows:
        ring()


def _patience(pool: asyncpg.Pool) -> float | None:
    """Set no clock where nobody waits."""
    return None if pool.get_idle_size() else LONGEST_WAIT


def beginning(tenant_id: UUID) -> str:
    """A simple query takes no parameters; a UUID needs no quoting."""
    return f"BEGIN; SELECT set_config('app.tenant_id', '{tenant_id}', true)"

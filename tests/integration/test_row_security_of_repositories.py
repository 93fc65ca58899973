"""The second lock: what a tenant sees when a query forgets whose rows it wants."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from scheduling.adapters.postgres.sessions import PooledSessions
from scheduling.adapters.postgres.tables import metadata
from scheduling.application.commands.answer_once import AnswerOnce
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.ports.repositories import IdempotencyKey, StoredAnswer
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.settings import Settings
from tests.builders import EIGHT, Clinic, a_role, a_room, between, open_clinic
from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.waiting import an_entry

TABLES = sorted(table.name for table in metadata.sorted_tables)
# What belongs to other processes: not even its own tenant's rows are the API's.
OF_OTHERS = ["cron_runs", "dead_letters", "inbox", "inbox_positions"]
READABLE = [name for name in TABLES if name not in OF_OTHERS]
# What the commands below do not write.
NOT_WRITTEN = {
    "generation_runs",
    "notifications",
    "schedule_exceptions",
    "sub_file_counters",
    "sub_files",
    "waitlist_offers",
}


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[PostgresStorage]:
    async with postgres_storage(database_url, size=1) as storage:
        yield storage


@pytest.fixture
async def clinic(storage: PostgresStorage) -> Clinic:
    """One tenant with a row in every table that commands write."""
    clinic = await open_clinic(
        storage.begin,
        between("09:00", "09:30", day=3),
        settings=Settings(),
        preferences=ContactPreferences(sms=True),
    )
    role = a_role(
        clinic.practitioner.id,
        clinic.location.id,
        version=1,
        created_at=EIGHT,
        updated_at=EIGHT,
    )
    async with storage.begin(clinic.caller) as work:
        work.practitioner_roles.save(role)
        work.waitlist.save(an_entry(clinic.patients[0].id))

    async def answered(begin: BeginWork) -> StoredAnswer:
        book = BookAppointment(begin, lambda: EIGHT)
        await book(clinic.caller, clinic.request(resources=(a_room(),)))
        return StoredAnswer(201, {}, b"{}")

    key = IdempotencyKey("key-1", "print-1")
    await AnswerOnce(storage.begin)(clinic.caller, key, answered)
    return clinic


async def rows(storage: PostgresStorage, table: str, tenant_id: UUID | None) -> int:
    """Count without a filter, as a query would that forgot it."""
    async with storage.pool.acquire() as connection, connection.transaction():
        if tenant_id is not None:
            await _as_tenant(connection, tenant_id)
        count: int = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608  # our own names
        return count


async def _as_tenant(connection: Any, tenant_id: UUID) -> None:  # noqa: ANN401
    await connection.execute(
        "SELECT set_config('app.tenant_id', $1, true)", str(tenant_id)
    )


async def test_a_tenant_sees_its_own_rows_and_nobody_elses(
    storage: PostgresStorage, clinic: Clinic
) -> None:
    own = clinic.caller.tenant_id
    for table in READABLE:
        if table not in NOT_WRITTEN:
            assert await rows(storage, table, own) > 0, table
        assert await rows(storage, table, uuid4()) == 0, table


async def test_whoever_names_no_tenant_sees_nothing(
    database_url: str, clinic: Clinic
) -> None:
    connection = await asyncpg.connect(
        database_url, server_settings={"role": "scheduling_api"}
    )
    try:
        for table in READABLE:
            count = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608  # our own names
            assert count == 0, (table, clinic.caller.tenant_id)
    finally:
        await connection.close()


async def test_a_connection_is_the_next_tenant_s_before_it_is_handed_over(
    storage: PostgresStorage, clinic: Clinic
) -> None:
    """It has just worked for a tenant; nothing of that is left for the next one."""
    sessions = PooledSessions(storage.pool)
    async with storage.begin(clinic.caller) as work:
        assert await work.patients.find(clinic.patients[0].id)
    for own in (uuid4(), clinic.caller.tenant_id, uuid4()):
        connection = await sessions.take(own)
        try:
            tenants = await connection.fetch("SELECT DISTINCT tenant_id FROM patients")
            expected = {own} & {clinic.caller.tenant_id}
            assert {row["tenant_id"] for row in tenants} == expected
        finally:
            await sessions.give_back(connection)


async def test_a_session_of_another_tenant_finds_nothing_for_this_one(
    storage: PostgresStorage, clinic: Clinic
) -> None:
    """Were the setting ever wrong, each statement names its tenant too."""
    connections = [await storage.pool.acquire() for _ in range(storage.pool.get_size())]
    for connection in connections:
        await connection.execute(
            f"SELECT set_config('app.tenant_id', '{uuid4()}', false)"
        )
        await storage.pool.release(connection)
    async with storage.begin(clinic.caller) as work:
        assert await work.patients.find(clinic.patients[0].id) is None


@pytest.mark.parametrize("table", OF_OTHERS)
async def test_the_api_has_no_business_in_what_others_keep(
    table: str, storage: PostgresStorage
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rows(storage, table, uuid4())


async def test_a_change_without_a_filter_touches_nobody_else(
    storage: PostgresStorage, clinic: Clinic
) -> None:
    async with storage.pool.acquire() as connection, connection.transaction():
        await _as_tenant(connection, uuid4())
        for statement in (
            "UPDATE patients SET active = false",
            "UPDATE appointments SET status = 'cancelled'",
            "UPDATE slots SET booked = 0",
            "DELETE FROM claims",
        ):
            done = await connection.execute(statement)
            assert done.endswith(" 0"), statement
    assert await rows(storage, "claims", clinic.caller.tenant_id) == 3


async def test_nothing_is_written_in_anothers_name(
    storage: PostgresStorage, clinic: Clinic
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with storage.pool.acquire() as connection, connection.transaction():
            await _as_tenant(connection, uuid4())
            await connection.execute(
                "INSERT INTO tenants (tenant_id, created_at) VALUES ($1, now())",
                uuid4(),
            )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with storage.pool.acquire() as connection, connection.transaction():
            await _as_tenant(connection, clinic.caller.tenant_id)
            await connection.execute("UPDATE patients SET tenant_id = $1", uuid4())


async def test_what_is_written_once_is_not_changed_by_the_api(
    storage: PostgresStorage, clinic: Clinic
) -> None:
    """Events and audit records are history; only their keepers mark or delete them."""
    for statement in (
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "UPDATE outbox SET published_at = now()",
        "DELETE FROM outbox",
        "DELETE FROM appointments",
        "TRUNCATE claims",
        "ALTER TABLE claims DISABLE ROW LEVEL SECURITY",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with storage.pool.acquire() as connection, connection.transaction():
                await _as_tenant(connection, clinic.caller.tenant_id)
                await connection.execute(statement)

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from scheduling.adapters.postgres.migrating import asyncpg_url, migrate
from scheduling.adapters.postgres.revisions import (
    migrations_folder,
    newest_revision,
    standing_revision,
)
from scheduling.adapters.postgres.tables import metadata
from tests.integration.catalogue import QUESTIONS, catalogue

REVISIONS = [
    script.revision
    for script in reversed(
        list(ScriptDirectory(str(migrations_folder())).walk_revisions())
    )
]
ROLES = ("api", "relay", "inbox", "cron")


@contextlib.asynccontextmanager
async def connected(
    url: str, *, role: str | None = None, tenant: UUID | None = None
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    settings = {}
    if role is not None:
        settings["role"] = f"scheduling_{role}"
    if tenant is not None:
        settings["app.tenant_id"] = str(tenant)
    connection = await asyncpg.connect(url, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


async def migrate_in_a_process(url: str) -> str:
    """Alembic works on globals: one process migrates one database at a time."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scheduling", "migrate"),
        env={**os.environ, "SCHEDULING_DATABASE_URL": url},
        stdout=subprocess.PIPE,
    )
    said, _ = await process.communicate()
    return said.decode()


async def test_every_revision_goes_up_down_and_up_to_the_same(
    empty_database_url: str,
) -> None:
    before = await catalogue(empty_database_url)
    for revision in REVISIONS:
        assert await migrate(empty_database_url, revision) == revision
        up = await catalogue(empty_database_url)
        below = REVISIONS.index(revision) - 1
        down_to = REVISIONS[below] if below >= 0 else "base"
        await migrate(empty_database_url, down_to)
        assert await catalogue(empty_database_url) == before
        await migrate(empty_database_url, revision)
        assert await catalogue(empty_database_url) == up
        before = up


async def test_going_all_the_way_down_leaves_nothing(empty_database_url: str) -> None:
    before = await catalogue(empty_database_url)
    assert await migrate(empty_database_url) == newest_revision()
    assert await migrate(empty_database_url, "base") is None
    assert await catalogue(empty_database_url) == before


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    before = await catalogue(database_url)
    assert await migrate(database_url) == newest_revision()
    assert await catalogue(database_url) == before


async def test_several_databases_of_one_server_migrate_at_once(
    empty_database_url: str, other_empty_database_url: str
) -> None:
    urls = (empty_database_url, other_empty_database_url)
    said = await asyncio.gather(*(migrate_in_a_process(url) for url in urls))
    assert said == [f"at revision {newest_revision()}\n"] * 2


async def test_two_processes_may_migrate_one_database_at_once(
    empty_database_url: str,
) -> None:
    said = await asyncio.gather(
        *(migrate_in_a_process(empty_database_url) for _ in range(2))
    )
    assert said == [f"at revision {newest_revision()}\n"] * 2


async def test_the_migrations_make_what_the_tables_say(
    database_url: str, empty_database_url: str
) -> None:
    async with connected(empty_database_url) as connection:
        await connection.execute("CREATE EXTENSION btree_gist")
    engine = create_async_engine(asyncpg_url(empty_database_url), poolclass=NullPool)
    async with engine.begin() as made:
        await made.run_sync(metadata.create_all)
    await engine.dispose()
    migrated = await catalogue(database_url, QUESTIONS)
    declared = await catalogue(empty_database_url, QUESTIONS)
    for kind in QUESTIONS:
        assert migrated[kind] == declared[kind], kind
    assert declared["columns"]


async def test_a_lock_that_is_held_fails_a_migration_instead_of_blocking_bookings(
    empty_database_url: str,
) -> None:
    await migrate(empty_database_url, "0002")
    async with (
        connected(empty_database_url, role="owner") as busy,
        busy.transaction(),
    ):
        await busy.execute("SELECT count(*) FROM appointments")
        with pytest.raises(DBAPIError, match="lock timeout"):
            await asyncio.wait_for(migrate(empty_database_url), 10)
    async with connected(empty_database_url) as connection:
        standing = await connection.fetchval("SELECT version_num FROM alembic_version")
    assert standing == "0002"
    assert await migrate(empty_database_url) == newest_revision()


async def test_a_migration_leaves_its_time_limits_on_no_other_session(
    database_url: str,
) -> None:
    async with connected(database_url) as connection:
        assert await connection.fetchval("SHOW lock_timeout") == "0"
        assert await connection.fetchval("SHOW statement_timeout") == "0"


async def test_every_table_of_a_tenant_has_row_security_forced(
    database_url: str,
) -> None:
    async with connected(database_url) as connection:
        rows = await connection.fetch("""
            SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced,
                   EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
                           AND a.attname = 'tenant_id' AND a.attnotnull) AS tenant
            FROM pg_class c
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        """)
    assert {row["relname"] for row in rows if not row["tenant"]} == {"alembic_version"}
    assert [row["relname"] for row in rows if row["tenant"] and not row["forced"]] == []


async def test_every_key_begins_with_the_tenant(database_url: str) -> None:
    async with connected(database_url) as connection:
        others = await connection.fetch("""
            SELECT k.conname FROM pg_constraint k
            JOIN pg_class c ON c.oid = k.conrelid
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
            WHERE c.relnamespace = 'public'::regnamespace
              AND c.relname <> 'alembic_version'
              AND k.contype IN ('p', 'u', 'f', 'x') AND a.attname <> 'tenant_id'
        """)
    assert [row["conname"] for row in others] == []


async def test_every_unique_index_is_a_constraint_with_a_name(
    database_url: str,
) -> None:
    """A violation is told by its constraint's name; a bare unique index has none."""
    async with connected(database_url) as connection:
        bare = await connection.fetch("""
            SELECT i.indexrelid::regclass::text FROM pg_index i
            JOIN pg_class c ON c.oid = i.indrelid
            WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique
              AND NOT EXISTS (SELECT FROM pg_constraint
                              WHERE conindid = i.indexrelid)
        """)
    assert bare == []


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("api", "UPDATE audit SET actor = 'nobody'"),
        ("api", "DELETE FROM audit"),
        ("api", "DELETE FROM appointments"),
        ("api", "UPDATE outbox SET published_at = now()"),
        ("api", "UPDATE claims SET overbooked = true"),
        ("api", "SELECT * FROM inbox"),
        ("api", "CREATE TABLE mine (one int)"),
        ("api", "ALTER TABLE appointments DISABLE ROW LEVEL SECURITY"),
        ("api", "TRUNCATE outbox"),
        ("relay", "SELECT * FROM patients"),
        ("relay", "SELECT * FROM appointments"),
        ("relay", "UPDATE outbox SET body = ''"),
        ("relay", "DELETE FROM outbox"),
        ("inbox", "UPDATE audit SET actor = 'nobody'"),
        ("inbox", "UPDATE outbox SET published_at = now()"),
        ("cron", "UPDATE patients SET phone = NULL"),
        ("cron", "INSERT INTO appointments SELECT * FROM appointments"),
        ("cron", "UPDATE audit SET actor = 'nobody'"),
    ],
)
async def test_a_process_may_not_do_what_it_does_not_need(
    database_url: str, role: str, statement: str
) -> None:
    async with connected(database_url, role=role, tenant=uuid4()) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


@pytest.mark.parametrize("role", ROLES)
async def test_no_process_can_pass_by_row_security(
    database_url: str, role: str
) -> None:
    async with connected(database_url) as connection:
        row = await connection.fetchrow(
            "SELECT rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, "
            "pg_has_role(rolname, 'scheduling_owner', 'MEMBER') AS owner "
            "FROM pg_roles WHERE rolname = $1",
            f"scheduling_{role}",
        )
    assert row is not None
    assert not any(row.values())


async def test_raw_sql_without_a_tenant_sees_and_writes_no_row(
    database_url: str,
) -> None:
    tenant = uuid4()
    async with connected(database_url, role="api", tenant=tenant) as connection:
        await _fill(connection, tenant)
        assert await _seen(connection) == 1
    async with connected(database_url, role="api") as connection:
        assert await _seen(connection) == 0
        assert await connection.execute("UPDATE patients SET name = 'x'") == "UPDATE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level"):
            await _fill(connection, uuid4())


async def test_raw_sql_of_one_tenant_sees_and_writes_no_row_of_another(
    database_url: str,
) -> None:
    tenant, other = uuid4(), uuid4()
    async with connected(database_url, role="api", tenant=tenant) as connection:
        await _fill(connection, tenant)
    async with connected(database_url, role="api", tenant=other) as connection:
        assert await _seen(connection) == 0
        assert await connection.execute("UPDATE patients SET name = 'x'") == "UPDATE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level"):
            await _fill(connection, tenant)


@pytest.mark.parametrize("role", ["api", "inbox"])
async def test_a_process_of_one_tenant_reads_no_table_without_one(
    database_url: str, role: str
) -> None:
    tenant = uuid4()
    async with connected(database_url, role="api", tenant=tenant) as connection:
        await _fill(connection, tenant)
    async with connected(database_url, role=role) as connection:
        for table in metadata.tables:
            if await connection.fetchval(
                "SELECT has_table_privilege($1, 'SELECT')", table
            ):
                assert await connection.fetch(f"TABLE {table}") == []


async def test_a_forgotten_setting_is_no_error_and_no_row(database_url: str) -> None:
    """After SET LOCAL a session keeps the setting as an empty text, not as a UUID."""
    async with connected(database_url, role="api") as connection:
        async with connection.transaction():
            await connection.execute(
                "SELECT set_config('app.tenant_id', $1, true)", str(uuid4())
            )
        assert await _seen(connection) == 0


async def test_the_relay_sees_the_outbox_of_all_tenants(database_url: str) -> None:
    for tenant in (uuid4(), uuid4()):
        async with connected(database_url, role="api", tenant=tenant) as connection:
            await connection.execute(
                "INSERT INTO outbox (tenant_id, event_id, partition, aggregate_id, "
                "aggregate_version, subject, body, created_at) "
                "VALUES ($1, $2, 0, $2, 1, 'subject', '', now())",
                tenant,
                uuid4(),
            )
    async with connected(database_url, role="relay") as connection:
        assert await connection.fetchval("SELECT count(*) FROM outbox") == 2
        marked = await connection.execute("UPDATE outbox SET published_at = now()")
        assert marked == "UPDATE 2"


def test_the_newest_revision_is_the_one_that_alembic_names() -> None:
    heads = ScriptDirectory(str(migrations_folder())).get_heads()
    assert heads == [newest_revision()]


async def test_where_a_database_stands_is_told_before_and_after(
    database_url: str, empty_database_url: str
) -> None:
    assert await standing_revision(empty_database_url) is None
    assert await standing_revision(database_url) == newest_revision()


async def _fill(connection: "asyncpg.Connection[asyncpg.Record]", tenant: UUID) -> None:
    await connection.execute(
        "INSERT INTO tenants (tenant_id, created_at) VALUES ($1, now())", tenant
    )
    await connection.execute(
        "INSERT INTO patients (tenant_id, id, name, active, prefers_whatsapp, "
        "prefers_sms, prefers_email, version, created_at, updated_at) "
        "VALUES ($1, $2, 'somebody', true, true, true, true, 1, now(), now())",
        tenant,
        uuid4(),
    )


async def _seen(connection: "asyncpg.Connection[asyncpg.Record]") -> object:
    return await connection.fetchval("SELECT count(*) FROM patients")

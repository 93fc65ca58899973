"""Patients who were there before their words are found by them after the migration."""

import asyncio

import asyncpg
import pytest

from scheduling.adapters.postgres.migrating import migrate
from scheduling.application.ports.identity import Caller
from scheduling.domain.patient_search import words_of
from tests.builders import a_caller, a_patient
from tests.contracts.storages import postgres_storage
from tests.contracts.test_searching_patients import found

MARIA = a_patient(
    name="Maria Silva",
    file_number="2026-000123",
    phone="+55 27 99999-1234",
    email="maria.silva@example.org",
)
BEFORE = "0010"
OTHERS = 1100
"""More than are read at a time."""

PUT = """
    INSERT INTO patients (tenant_id, id, name, active, file_number, phone, email,
        prefers_whatsapp, prefers_sms, prefers_email, version, created_at, updated_at,
        deleted_at)
    SELECT $1::uuid, $2::uuid, $3, true, $4, $5, $6, true, true, true, 4, now(), now(),
        NULL::timestamptz
    UNION ALL
    SELECT $1, gen_random_uuid(), 'Ana', true, NULL, NULL, NULL, true, true, true, 1,
        now(), now(), CASE WHEN n = 0 THEN now() END
    FROM generate_series(0, $7::int) AS n
"""


@pytest.fixture
async def callers(empty_database_url: str) -> tuple[Caller, Caller]:
    """Of two tenants; each has Maria, others, and one who is deleted."""
    await migrate(empty_database_url, BEFORE)
    callers = a_caller(), a_caller()
    for caller in callers:
        tenant, one = caller.tenant_id, MARIA
        told = one.id, one.name, one.file_number, one.phone, one.email, OTHERS
        connection = await asyncpg.connect(
            empty_database_url,
            server_settings={"role": "scheduling_api", "app.tenant_id": str(tenant)},
        )
        try:
            await connection.execute("INSERT INTO tenants VALUES ($1, now())", tenant)
            await connection.execute(PUT, tenant, *told)
        finally:
            await connection.close()
    return callers


async def test_all_of_all_tenants_have_their_words(
    empty_database_url: str, callers: tuple[Caller, Caller]
) -> None:
    await migrate(empty_database_url)
    async with postgres_storage(empty_database_url, size=1) as storage:
        for caller in callers:
            kept = await storage.rows(caller, "SELECT * FROM patient_words")
            assert len({row["patient_id"] for row in kept}) == 1 + OTHERS
            of_maria = [row for row in kept if row["patient_id"] == MARIA.id]
            assert {row["word"] for row in of_maria} == words_of(MARIA)
            assert {row["version"] for row in of_maria} == {4}
            (maria,) = await found(storage, caller, "maria")
            assert maria.id == MARIA.id


async def test_words_go_and_come_again_with_the_migration(
    empty_database_url: str, callers: tuple[Caller, Caller]
) -> None:
    for revision in ("head", BEFORE, "head"):
        await migrate(empty_database_url, revision)
    async with postgres_storage(empty_database_url, size=1) as storage:
        for caller in callers:
            assert len(await found(storage, caller, "maria")) == 1


async def test_while_they_are_written_nobody_waits_for_the_list_of_organisations(
    empty_database_url: str, callers: tuple[Caller, Caller]
) -> None:
    tenant = str(callers[0].tenant_id)
    in_the_way = await asyncpg.connect(
        empty_database_url,
        server_settings={"role": "scheduling_api", "app.tenant_id": tenant},
    )
    beside = await asyncpg.connect(
        empty_database_url,
        server_settings={"role": "scheduling_cron", "lock_timeout": "500ms"},
    )
    try:
        async with in_the_way.transaction():
            await in_the_way.execute("SELECT FROM patients FOR UPDATE")
            migrating = asyncio.create_task(migrate(empty_database_url))
            await _somebody_waits(in_the_way, beside)
            known = await beside.fetchval("SELECT count(*) FROM tenants")
        await migrating
    finally:
        await beside.close()
        await in_the_way.close()
    assert known == len(callers)


async def _somebody_waits(
    in_the_way: "asyncpg.Connection[asyncpg.Record]",
    beside: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    waits = (
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
        " AND $1 = ANY(pg_blocking_pids(pid)))"
    )
    pid = in_the_way.get_server_pid()
    async with asyncio.timeout(30):
        while not await beside.fetchval(waits, pid):  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.01)

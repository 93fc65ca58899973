"""What PostgreSQL does to a transaction, told in the words of the ports."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import asyncpg
import pytest

from scheduling.adapters.postgres.sessions import open_pool
from scheduling.adapters.postgres.unit_of_work import begin_work
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.ports.repositories import IdempotencyKey
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.application.ports.unit_of_work import TransactionAborted
from scheduling.domain.appointment import Appointment
from scheduling.domain.status import Status
from tests.builders import EIGHT, Clinic, open_clinic, slots_from
from tests.contracts.storages import PostgresStorage, postgres_storage


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[PostgresStorage]:
    async with postgres_storage(database_url, size=2) as storage:
        yield storage


@pytest.fixture
async def clinic(storage: PostgresStorage) -> Clinic:
    return await open_clinic(storage.begin, *slots_from("09:00", count=3))


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    """A session that may do to the database what operators do."""
    connection = await asyncpg.connect(
        database_url, server_settings={"role": "scheduling_owner"}
    )
    yield connection
    await connection.close()


async def book(storage: PostgresStorage, clinic: Clinic, slot: int) -> Appointment:
    command = BookAppointment(storage.begin, lambda: EIGHT)
    return await command(clinic.caller, clinic.request(slot % 2, slot))


async def test_statements_survive_a_change_of_the_schema(
    storage: PostgresStorage,
    clinic: Clinic,
    owner: Any,  # noqa: ANN401
) -> None:
    """An expanding migration runs while the old program still does."""
    await book(storage, clinic, 0)
    await owner.execute("ALTER TABLE slots ADD COLUMN colour text")
    await owner.execute("ALTER TABLE appointments ADD COLUMN colour text")
    await owner.execute("CREATE INDEX ON appointments (tenant_id, created_at)")
    booked = await book(storage, clinic, 1)
    async with storage.begin(clinic.caller) as work:
        found, slots = await work.appointments.with_slots(booked.id)
    assert (found.status, len(slots)) == (Status.BOOKED, 1)


async def test_two_who_wait_for_each_other_are_told_to_come_again(
    storage: PostgresStorage, clinic: Clinic
) -> None:
    booked = [await book(storage, clinic, slot) for slot in (0, 1)]
    both = asyncio.Barrier(2)

    async def lock(*appointments: Appointment) -> None:
        async with storage.begin(clinic.caller) as work:
            await work.appointments.with_slots(appointments[0].id)
            await both.wait()
            await work.appointments.with_slots(appointments[1].id)

    outcomes = await asyncio.gather(
        lock(*booked), lock(*reversed(booked)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [
        TransactionAborted
    ]
    await book(storage, clinic, 2)


async def test_a_statement_that_takes_too_long_leaves_a_usable_connection(
    storage: PostgresStorage, clinic: Clinic
) -> None:
    booked = await book(storage, clinic, 0)
    async with storage.begin(clinic.caller) as holding:
        await holding.appointments.with_slots(booked.id)
        async with storage.pool.acquire() as other:
            await other.execute("SET lock_timeout = '50ms'")
        with pytest.raises(DatabaseUnavailable):
            async with storage.begin(clinic.caller) as work:
                await work.appointments.with_slots(booked.id)
    await book(storage, clinic, 1)


async def test_a_session_that_is_ended_undoes_its_work_and_the_next_one_works(
    storage: PostgresStorage, clinic: Clinic, database_url: str
) -> None:
    operator = await asyncpg.connect(database_url)
    try:
        with pytest.raises(DatabaseUnavailable):
            async with storage.begin(clinic.caller) as work:
                key = IdempotencyKey("lost", "print")
                assert await work.answers.recall(key) is None
                await operator.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid() AND state = 'idle in transaction'"
                )
                await work.slots.get(clinic.slots[0].id)
    finally:
        await operator.close()
    assert (await book(storage, clinic, 0)).status is Status.BOOKED


async def test_hundreds_of_transactions_on_one_connection_stay_right(
    database_url: str,
) -> None:
    """Plans are thrown away now and then; nobody notices."""
    async with postgres_storage(database_url, size=1) as storage:
        clinic = await open_clinic(
            storage.begin, *slots_from("00:00", minutes=5, count=250), patients=2
        )
        for slot in range(110, 250):
            await book(storage, clinic, slot)
        assert len(await storage.claims(clinic.caller)) == 2 * 140


async def test_a_server_that_falls_silent_is_not_waited_for(database_url: str) -> None:
    pool = await open_pool(
        database_url, role="scheduling_api", size=1, answer_within=0.3
    )
    begin = partial(begin_work, pool, lambda: None, lambda: EIGHT)
    clinic = await open_clinic(begin)
    async with pool.acquire() as connection:
        backend = connection.get_server_pid()
    os.kill(backend, signal.SIGSTOP)
    try:
        async with asyncio.timeout(20):
            with pytest.raises(DatabaseUnavailable):
                async with begin(clinic.caller) as work:
                    await work.slots.get(clinic.slots[0].id)
    finally:
        os.kill(backend, signal.SIGCONT)
    async with begin(clinic.caller) as work:
        assert (await work.slots.get(clinic.slots[0].id)).version == 1
    await pool.close()


@pytest.mark.parametrize("code", ["53100", "58030"], ids=["disk full", "disk broken"])
async def test_whose_disk_fails_is_told_to_come_again_and_later_can(
    storage: PostgresStorage,
    clinic: Clinic,
    owner: Any,  # noqa: ANN401
    code: str,
) -> None:
    await owner.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE SQLSTATE '{code}'; END $$"
    )
    await owner.execute(
        "CREATE TRIGGER failing BEFORE INSERT ON claims "
        "FOR EACH ROW EXECUTE FUNCTION fail()"
    )
    with pytest.raises(DatabaseUnavailable):
        await book(storage, clinic, 0)
    await owner.execute("DROP TRIGGER failing ON claims")
    assert (await book(storage, clinic, 0)).status is Status.BOOKED

"""The audit of reads and refusals on PostgreSQL: what it costs, and what it bears."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack

import pytest

from scheduling.adapters.postgres.audit import GroupCommittedAudit, recording
from scheduling.application.ports.audit import AuditClient, Entity, Outcome, asked_for
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.application.queries.get_appointment_by_id import GetAppointmentById
from scheduling.application.queries.get_appointment_history import (
    GetAppointmentHistory,
)
from scheduling.application.queries.get_patient import GetPatient
from tests.builders import EIGHT, a_caller, an_id, open_clinic
from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.contracts.visits import book
from tests.fakes.transaction import AuditRow
from tests.integration.ear import READ, WRITE, Ear


@pytest.fixture
async def ear(database_url: str) -> AsyncIterator[Ear]:
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(
            postgres_storage(database_url, size=1)
        )
        ear = Ear(storage)
        async with storage.pool.acquire() as connection:
            connection.add_query_logger(ear.hear)
        yield ear


@pytest.fixture
def caller() -> Caller:
    return a_caller()


def reading(audit: AuditClient, caller: Caller) -> Awaitable[None]:
    return audit.record(caller, "patient.read", Entity("patient", an_id()))


async def test_a_sensitive_read_is_one_reading_and_the_audits_writing(
    ear: Ear,
) -> None:
    clinic = await open_clinic(ear.storage.begin)
    booked = await book(ear.storage, clinic, clinic.request())
    begin, recorder = ear.storage.begin, ear.storage.recorder
    get_history = GetAppointmentHistory(begin, recorder)
    get_appointment = GetAppointmentById(begin, recorder)
    get_patient = GetPatient(begin, recorder)

    async def all_three() -> None:
        await get_appointment(clinic.caller, booked.id)
        await get_patient(clinic.caller, clinic.patients[0].id)
        await get_history(clinic.caller, booked.id, limit=200)

    await all_three()  # asyncpg asks about types when it first meets them
    for _ in range(3):  # longer and longer histories
        assert await ear.during(all_three()) == [READ, WRITE] * 3


async def test_all_who_wait_go_out_in_one_statement_for_each_tenant(ear: Ear) -> None:
    callers = [a_caller(), a_caller()]

    async def by_many(times: int) -> None:
        audit = GroupCommittedAudit(ear.storage.pool, lambda: EIGHT)
        await asyncio.gather(
            *(reading(audit, caller) for caller in callers for _ in range(times))
        )

    await by_many(1)
    heard = await ear.during(by_many(50))
    assert heard.count(WRITE) == len(callers)
    for caller in callers:
        assert len(await ear.storage.audit(caller)) == 51


async def test_who_comes_while_a_statement_is_under_way_goes_with_the_next(
    ear: Ear, caller: Caller
) -> None:
    audit = GroupCommittedAudit(ear.storage.pool, lambda: EIGHT)
    await reading(audit, caller)

    async def one_and_then_many() -> None:
        async with ear.storage.pool.acquire():  # the only connection there is
            first = asyncio.ensure_future(reading(audit, caller))
            await asyncio.sleep(0)  # its statement waits for the connection
            await asyncio.sleep(0)
            others = [asyncio.ensure_future(reading(audit, caller)) for _ in range(20)]
            await asyncio.sleep(0)
        await asyncio.gather(first, *others)

    assert (await ear.during(one_and_then_many())).count(WRITE) == 2
    assert len(await ear.storage.audit(caller)) == 22


async def test_only_the_audits_own_commit_does_not_wait_for_the_disk(
    ear: Ear, caller: Caller
) -> None:
    statement = recording()
    values = statement.arguments(tenant_id=caller.tenant_id, records="[]")
    asked = "SHOW synchronous_commit"
    async with ear.storage.pool.acquire() as connection:
        await connection.execute("SET synchronous_commit = on")  # tests are hasty
        async with connection.transaction():
            assert await connection.fetchval(asked) == "on"
            await connection.fetch(statement.sql, *values)
            assert await connection.fetchval(asked) == "off"
        assert await connection.fetchval(asked) == "on"


async def test_who_comes_on_top_of_too_many_is_told_to_come_again(
    ear: Ear, caller: Caller
) -> None:
    async with GroupCommittedAudit(
        ear.storage.pool, lambda: EIGHT, most_waiting=3
    ) as audit:
        asked = [asyncio.ensure_future(reading(audit, caller)) for _ in range(5)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert [type(outcome) for outcome in refused] == [DatabaseUnavailable] * 2
    assert len(await ear.storage.audit(caller)) == 3


async def test_giving_up_the_wait_does_not_take_the_record_back(
    ear: Ear, caller: Caller
) -> None:
    async with GroupCommittedAudit(ear.storage.pool, lambda: EIGHT) as audit:
        async with ear.storage.pool.acquire():
            impatient = asyncio.ensure_future(reading(audit, caller))
            patient = asyncio.ensure_future(reading(audit, caller))
            await asyncio.sleep(0)
            impatient.cancel()
            await asyncio.sleep(0)
        await patient
    assert impatient.cancelled()
    assert len(await ear.storage.audit(caller)) == 2


async def test_what_was_given_is_written_before_the_door_is_shut(
    ear: Ear, caller: Caller
) -> None:
    async with GroupCommittedAudit(ear.storage.pool, lambda: EIGHT) as audit:
        waiting = asyncio.ensure_future(reading(audit, caller))
        await asyncio.sleep(0)
        assert not waiting.done()
    assert waiting.done()
    assert len(await ear.storage.audit(caller)) == 1


async def test_a_read_that_cannot_be_recorded_is_not_answered(
    database_url: str,
) -> None:
    async with (
        postgres_storage(database_url, size=2) as storage,
        postgres_storage(database_url, size=1) as elsewhere,
    ):
        clinic = await open_clinic(storage.begin)
        get = GetPatient(storage.begin, elsewhere.recorder)
        await get(clinic.caller, clinic.patients[0].id)
        await elsewhere.pool.close()
        with pytest.raises(DatabaseUnavailable):
            await get(clinic.caller, clinic.patients[0].id)
        assert len(await told(storage, clinic.caller, "patient.read")) == 1


async def told(storage: PostgresStorage, caller: Caller, action: str) -> list[AuditRow]:
    return [row for row in await storage.audit(caller) if row.action == action]


async def test_a_tenant_reads_its_own_audit_only(
    ear: Ear, caller: Caller, database_url: str
) -> None:
    """Row level security stands behind the condition of the query."""
    await reading(ear.storage.recorder, caller)
    async with postgres_storage(database_url, size=1) as others:
        stranger = a_caller()
        await others.recorder.record(
            stranger, "calendar.read", asked_for(stranger), outcome=Outcome.DENIED
        )
        (row,) = await others.audit(stranger)
        assert row.actor == stranger.subject
        assert row.entity_id == stranger.tenant_id

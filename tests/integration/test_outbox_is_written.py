"""How events lie in the outbox, and who is told that there are some."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from scheduling.adapters.postgres.tables import OUTBOX_PARTITIONS
from scheduling.adapters.postgres.unit_of_work import begin_work
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.errors import NotBookable
from tests.builders import EIGHT, open_clinic, slots_from
from tests.contracts.storages import PostgresStorage, postgres_storage


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[PostgresStorage]:
    async with postgres_storage(database_url, size=1) as storage:
        yield storage


async def test_an_aggregates_events_lie_in_one_partition_of_all(
    storage: PostgresStorage,
) -> None:
    clinic = await open_clinic(storage.begin, *slots_from("09:00", count=100))
    async with storage.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "SELECT set_config('app.tenant_id', $1, true)",
            str(clinic.caller.tenant_id),
        )
        rows: list[Any] = await connection.fetch("SELECT * FROM outbox ORDER BY id")
    assert len(rows) == 101
    for row in rows:
        assert row["partition"] == row["aggregate_id"].int % OUTBOX_PARTITIONS
        assert row["published_at"] is row["blocked_at"] is None
        assert row["created_at"] == EIGHT
    assert len({row["partition"] for row in rows}) > 30
    versions = [row["aggregate_version"] for row in rows]
    assert set(versions) == {1}


async def test_the_bell_is_rung_once_for_what_was_committed_and_for_nothing_else(
    storage: PostgresStorage,
) -> None:
    rung: list[None] = []
    begin: BeginWork = partial(
        begin_work, storage.pool, lambda: rung.append(None), lambda: EIGHT
    )
    clinic = await open_clinic(storage.begin)
    book = BookAppointment(begin, lambda: EIGHT)
    await book(clinic.caller, clinic.request(0))
    assert len(rung) == 1
    with pytest.raises(NotBookable):
        await book(clinic.caller, clinic.request(1))
    async with begin(clinic.caller) as work:
        await work.slots.get(clinic.slots[0].id)
        # Nobody listens for a patient that was put: there is no event of it.
        work.patients.save(replace(clinic.patients[0], name="Other", version=2))
    assert len(rung) == 1

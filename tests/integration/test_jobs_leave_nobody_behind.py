"""One thing to which a job cannot be done keeps no other of its organisation from it,
and is heard of.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from scheduling.domain.booking_request import Hold
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.status import Status
from scheduling.domain.waitlist_offer import WAITLIST
from scheduling.entrypoints.cron.running import SomeFailed
from scheduling.entrypoints.cron.works import works_over
from scheduling.entrypoints.wiring.cron import open_cron_storage
from tests.builders import Clinic, open_clinic, slots_from
from tests.contracts.put_there import a_visit, put_there
from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.contracts.visits import book
from tests.cronning import settings_of
from tests.waiting import an_entry, save

HOUR = timedelta(hours=1)
A_DEFECT, A_DEADLOCK = "P0001", "40P01"
"""One of them again and again: as if it did not go away."""


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[PostgresStorage]:
    async with postgres_storage(database_url, size=2) as storage:
        yield storage


@asynccontextmanager
async def that_cannot_change(
    url: str, table: str, id: UUID, errcode: str
) -> AsyncIterator[None]:
    """The database refuses each change of that row, meanwhile."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{errcode}'; END$$;
            CREATE TRIGGER refused BEFORE UPDATE ON {table} FOR EACH ROW
            WHEN (OLD.id = '{id}') EXECUTE FUNCTION refuse()
        """)
        yield
        await connection.execute("DROP FUNCTION refuse() CASCADE")
    finally:
        await connection.close()


def now() -> datetime:
    return datetime.now(UTC)


Do = Callable[[str], Awaitable[tuple[int, str | None]]]


@pytest.fixture
async def do(database_url: str) -> AsyncIterator[Do]:
    """Return how many things a job did, and how it failed."""
    settings = settings_of(database_url)
    async with open_cron_storage(settings) as stand:

        async def do_it(job: str) -> tuple[int, str | None]:
            done = 0
            try:
                async for piece in works_over(stand, settings)[job]():
                    done += piece
            except SomeFailed as failed:
                return done, str(failed)
            return done, None

        yield do_it


async def statuses(storage: PostgresStorage, clinic: Clinic) -> dict[UUID, Status]:
    return {one.id: one.status for one in await storage.appointments(clinic.caller)}


async def test_of_missed_visits_all_others_are_marked(
    database_url: str, storage: PostgresStorage, do: Do
) -> None:
    clinic = await open_clinic(storage.begin, patients=5)
    period = Period.of(now() - 2 * HOUR, HOUR / 2)
    visits = await put_there(
        storage, clinic, *(a_visit(clinic, period, n) for n in range(5))
    )
    bad = visits[2].id
    async with that_cannot_change(database_url, "appointments", bad, A_DEFECT):
        for expected in (4, 0):
            done = await do("no-show-sweep")
            assert done == (expected, "1 of 1: SomeFailed")
            became = await statuses(storage, clinic)
            assert became.pop(bad) is Status.BOOKED
            assert set(became.values()) == {Status.NO_SHOW}
    assert await do("no-show-sweep") == (1, None)


async def test_of_holds_that_ran_out_all_others_are_told_of(
    database_url: str, storage: PostgresStorage, do: Do
) -> None:
    slots = slots_from("09:00", count=3)
    clinic = await open_clinic(storage.begin, *slots, patients=3)
    hold = Hold(until=now() - HOUR, by="reception")
    held = [
        await book(storage, clinic, clinic.request(n, n, hold=hold)) for n in range(3)
    ]
    bad = held[0].id
    async with that_cannot_change(database_url, "appointments", bad, A_DEADLOCK):
        for expected in (2, 0):
            done = await do("expired-holds")
            assert done == (expected, "1 of 1: SomeFailed")
            became = await statuses(storage, clinic)
            assert became.pop(bad) is Status.PENDING
            assert set(became.values()) == {Status.CANCELLED}
    assert await do("expired-holds") == (1, None)


async def test_of_offers_that_nobody_answered_all_others_end(
    database_url: str, storage: PostgresStorage, do: Do
) -> None:
    offering = Settings(waitlist_offers=True, horizon_days=10_000)
    slots = slots_from("09:00", count=2)
    clinic = await open_clinic(storage.begin, *slots, patients=2, settings=offering)
    hold = Hold(until=now() - HOUR, by=WAITLIST)
    holds: list[AppointmentId] = []
    for n in range(2):
        held = await book(storage, clinic, clinic.request(n, n, hold=hold))
        entry = an_entry(held.patient_id, now=now())
        await save(storage, clinic, entry)
        async with storage.begin(clinic.caller) as work:
            await work.waitlist.get(entry.id)
            work.waitlist.save(
                entry.offered(
                    held, source_event_id=f"news {n}", candidates=(), now=now()
                )
            )
        holds.append(held.id)
    bad, good = holds
    async with that_cannot_change(database_url, "appointments", bad, A_DEADLOCK):
        for expected in (1, 0):
            done = await do("waitlist-offers")
            assert done == (expected, "1 of 1: SomeFailed")
            became = await statuses(storage, clinic)
            assert became == {bad: Status.PENDING, good: Status.CANCELLED}
    assert await do("waitlist-offers") == (1, None)

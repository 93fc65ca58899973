"""A cancel and a send of one reminder: one comes before the other, whichever."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from scheduling.adapters.postgres.reminders import tenants_with_due_reminders
from scheduling.adapters.postgres.sessions import open_pool
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.ports.notices import Notices
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.directory import Channel, ContactPreferences
from scheduling.domain.due_reminder import Notice
from scheduling.domain.version import ExpectedVersion
from scheduling.entrypoints.attempts import settled
from tests.builders import Clinic, a_patient, open_clinic
from tests.contracts.reminding import Outgoing, Sweeping, a_reminded_visit
from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.integration.ear import COMMIT, Ear

SOON = timedelta(hours=2) - timedelta(minutes=1)


class Slow(Outgoing):
    """Sends when the gate is opened, and says when it is at it."""

    def __init__(self) -> None:
        super().__init__()
        self.at_it, self.gate = asyncio.Event(), asyncio.Event()

    async def dispatch(self, notice: Notice, notices: Notices, /) -> None:
        self.at_it.set()
        await self.gate.wait()
        await super().dispatch(notice, notices)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[PostgresStorage]:
    async with postgres_storage(database_url) as storage:
        yield storage


@pytest.fixture
async def clinic(desk: PostgresStorage) -> Clinic:
    patient = a_patient(preferences=ContactPreferences(sms=True), phone="+49 30 1")
    return await open_clinic(desk.begin, patients=(patient,))


@pytest.fixture
async def sweeping(database_url: str, clinic: Clinic) -> AsyncIterator[Sweeping]:
    """Under the role that the crons work under."""
    async with postgres_storage(database_url, role="scheduling_inbox") as storage:
        yield Sweeping(storage, clinic)


async def cancel(desk: PostgresStorage, clinic: Clinic, booked: Appointment) -> None:
    command = CancelAppointment(desk.begin, lambda: datetime.now(UTC))
    await settled(
        lambda: command(
            clinic.caller,
            booked.id,
            expected=ExpectedVersion(1),
            reason_code=CancelReason.PATIENT,
            initiated_by=Initiator.PATIENT,
            comment=None,
        )
    )


async def until_somebody_waits(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(30):
            while not await connection.fetchval(  # noqa: ASYNC110  # no event tells it
                "SELECT count(*) FROM pg_locks WHERE NOT granted"
            ):
                await asyncio.sleep(0.01)
    finally:
        await connection.close()


async def test_who_cancels_while_it_is_sent_waits_and_it_is_sent_once(
    desk: PostgresStorage, clinic: Clinic, sweeping: Sweeping, database_url: str
) -> None:
    booked = await a_reminded_visit(desk, clinic, starts_in=SOON)
    slow = Slow()
    sweep = asyncio.create_task(sweeping(slow))
    await slow.at_it.wait()
    cancelling = asyncio.create_task(cancel(desk, clinic, booked))
    await until_somebody_waits(database_url)
    assert not cancelling.done()
    slow.gate.set()
    assert await sweep == {"sent": 1}
    await cancelling
    assert (await sweeping.only()).status == "SENT"
    assert len(slow.sent) == 1


async def test_what_was_cancelled_after_it_was_begun_and_before_it_was_sent_is_not(
    desk: PostgresStorage, clinic: Clinic, sweeping: Sweeping
) -> None:
    booked = await a_reminded_visit(desk, clinic, starts_in=SOON)
    storage = sweeping.storage
    async with storage.begin(clinic.caller) as work:
        (due,) = await work.reminders.claim(1)
        notice = Notice(due, Channel.SMS)
        work.reminders.settle(notice.being_sent(lease=timedelta(minutes=2)))
    await cancel(desk, clinic, booked)
    async with storage.begin(clinic.caller) as work:
        assert await work.reminders.hold(due.id) is None
    assert (await sweeping.only()).status == "CANCELLED"


async def test_a_send_that_has_begun_is_finished_by_who_is_told_to_stop(
    desk: PostgresStorage, clinic: Clinic, sweeping: Sweeping
) -> None:
    await a_reminded_visit(desk, clinic, starts_in=SOON)
    slow = Slow()
    sweep = asyncio.create_task(sweeping(slow))
    await slow.at_it.wait()
    sweep.cancel()
    asyncio.get_running_loop().call_later(0.05, slow.gate.set)
    with pytest.raises(asyncio.CancelledError):
        await sweep
    one = await sweeping.only()
    assert (one.status, one.attempts) == ("SENT", 1)


async def test_organisations_with_something_due_are_found_over_all(
    desk: PostgresStorage, clinic: Clinic, database_url: str
) -> None:
    other = await open_clinic(desk.begin, patients=1)
    pool = await open_pool(database_url, role="scheduling_cron", size=1)
    try:
        assert await tenants_with_due_reminders(pool) == []
        await a_reminded_visit(desk, clinic, starts_in=SOON)
        await a_reminded_visit(desk, other, starts_in=SOON + timedelta(minutes=5))
        assert await tenants_with_due_reminders(pool) == [clinic.caller.tenant_id]
    finally:
        await pool.close()


async def test_a_sweep_of_ten_costs_as_many_statements_as_one_of_one(
    desk: PostgresStorage, clinic: Clinic, database_url: str
) -> None:
    heard = []
    async with postgres_storage(
        database_url, role="scheduling_inbox", size=1
    ) as storage:
        ear, sweep = Ear(storage), Sweeping(storage, clinic)
        await sweep(lanes=1)  # asyncpg asks about types when it first meets them
        async with storage.pool.acquire() as connection:
            connection.add_query_logger(ear.hear)
        for visits in (1, 10):
            for _ in range(visits):
                await a_reminded_visit(desk, clinic, starts_in=SOON)
            heard.append(await ear.during(sweep(lanes=1)))
    assert heard[0] == heard[1]
    assert heard[0].count(COMMIT) == 2  # the batch, and a look that found no more

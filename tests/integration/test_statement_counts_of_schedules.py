"""Exceptions, blocks and lists take the same statements for any number of slots."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from scheduling.application.commands.block_slot import BlockSlot
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.unblock_slot import UnblockSlot
from scheduling.application.ports.schedule_lists import (
    ScheduleFilter,
    ScheduleSlotFilter,
)
from scheduling.application.queries.list_schedule_exceptions import (
    ListScheduleExceptions,
)
from scheduling.application.queries.list_schedule_slots import ListScheduleSlots
from scheduling.application.queries.list_schedules import ListSchedules
from scheduling.domain.schedule_exception import ExceptionKind
from scheduling.domain.version import ExpectedVersion
from tests.builders import Clinic, open_clinic, slots_from
from tests.contracts.closing import AFTERNOON, WHOLE_DAY, add, now, remove
from tests.contracts.storages import postgres_storage
from tests.integration.ear import BEGIN, COMMIT, READ, WRITE, Ear

COUNTS = pytest.mark.parametrize("count", [2, 90])


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


async def a_clinic(ear: Ear, count: int) -> Clinic:
    """With a booking, and asyncpg has met all types before."""
    clinic = await open_clinic(
        ear.storage.begin, *slots_from("09:00", minutes=5, count=count)
    )
    begin = ear.storage.begin
    await BookAppointment(begin, now)(clinic.caller, clinic.request())
    exception, _ = await add(ear.storage, clinic)
    await remove(ear.storage, clinic, exception.id)
    await ListScheduleExceptions(begin)(
        clinic.caller, clinic.schedule.id, after=None, limit=1
    )
    return clinic


@COUNTS
@pytest.mark.parametrize("kind", ExceptionKind)
async def test_an_exception_comes_and_goes(
    ear: Ear, count: int, kind: ExceptionKind
) -> None:
    """Schedule, exceptions, slots and who is booked are read; then all is written."""
    clinic = await a_clinic(ear, count)
    windows = () if kind is ExceptionKind.CLOSED else (AFTERNOON,)
    heard = await ear.during(add(ear.storage, clinic, kind, windows=windows))
    asked = [READ] if kind is ExceptionKind.EXTRA else [READ, READ]
    assert heard == [BEGIN, READ, READ, *asked, WRITE, COMMIT]
    async with ear.storage.begin(clinic.caller) as work:
        (exception,) = await work.schedule_exceptions.touching(
            clinic.schedule.id, WHOLE_DAY
        )
    heard = await ear.during(remove(ear.storage, clinic, exception.id))
    assert heard == [BEGIN, *[READ] * 4, WRITE, COMMIT]


async def test_a_slot_is_blocked_and_unblocked(ear: Ear) -> None:
    clinic = await a_clinic(ear, 3)
    slot = clinic.slots[1].id
    begin = ear.storage.begin
    heard = await ear.during(
        BlockSlot(begin, now)(
            clinic.caller, slot, expected=ExpectedVersion(3), reason=None
        )
    )
    assert heard == [READ, WRITE]
    heard = await ear.during(
        UnblockSlot(begin, now)(clinic.caller, slot, expected=ExpectedVersion(4))
    )
    assert heard == [READ, BEGIN, READ, READ, WRITE, COMMIT]


@COUNTS
async def test_lists_are_one_statement(ear: Ear, count: int) -> None:
    clinic = await a_clinic(ear, count)
    await add(ear.storage, clinic)
    begin, caller = ear.storage.begin, clinic.caller
    wanted = ScheduleSlotFilter(schedule_id=clinic.schedule.id, period=WHOLE_DAY)
    listing = ListScheduleSlots(begin, now)
    after = replace(wanted, after=(WHOLE_DAY.start, clinic.slots[0].id))
    for asked in (wanted, after):
        await listing(caller, asked)
        assert await ear.during(listing(caller, asked)) == [READ]
    assert await ear.during(
        ListSchedules(begin)(caller, ScheduleFilter(actor_id=clinic.location.id))
    ) == [READ]
    assert await ear.during(
        ListScheduleExceptions(begin)(caller, clinic.schedule.id, after=None, limit=50)
    ) == [READ]

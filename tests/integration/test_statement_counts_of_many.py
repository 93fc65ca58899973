"""Many appointments at once cost as many statements as few of them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from scheduling.application.commands.hold_slot import HoldSlot
from scheduling.application.queries.get_appointment_series import GetAppointmentSeries
from scheduling.domain.appointment import Appointment
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import SlotNotAvailable
from scheduling.domain.series import HowMuch
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.status import Status
from tests.builders import EIGHT, a_room, at, open_clinic
from tests.contracts.storages import postgres_storage
from tests.integration.ear import BEGIN, COMMIT, READ, WRITE, Ear
from tests.weekly import Weekly, a_weekly_clinic, change, weeks

FEW_AND_MANY = pytest.mark.parametrize("many", [2, 52])


@pytest.fixture
async def ear(database_url: str) -> AsyncIterator[Ear]:
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(
            postgres_storage(database_url, size=1)
        )
        await everything_once(await a_weekly_clinic(storage, 3))
        ear = Ear(storage)
        async with storage.pool.acquire() as connection:
            connection.add_query_logger(ear.hear)
        yield ear


async def everything_once(weekly: Weekly) -> None:
    """Let asyncpg ask about the types once: it does so when it first meets them."""
    booked = await weekly.series(3)
    await weekly.change(change(booked[0], Status.CONFIRMED))
    await weekly.cancel(booked[1], HowMuch.ALL)


def sms() -> dict[str, Any]:
    return {"preferences": ContactPreferences(sms=True)}


@FEW_AND_MANY
async def test_a_series_reads_the_first_and_then_all_the_others_and_writes_once(
    ear: Ear, many: int
) -> None:
    weekly = await a_weekly_clinic(ear.storage, many, **sms())
    heard = await ear.during(weekly.series(many, resources=(a_room(),)))
    assert heard == [READ, READ, WRITE]


@FEW_AND_MANY
async def test_limits_cost_a_series_a_lock_a_second_look_and_a_count_each(
    ear: Ear, many: int
) -> None:
    limited = Settings(horizon_days=400, limits=Limits(per_practitioner_week=1))
    weekly = await a_weekly_clinic(ear.storage, many, settings=limited)
    heard = await ear.during(weekly.series(many))
    first = [READ, READ, READ]  # the lock, the facts, what is counted
    # The lock is held: of all the others only the facts and what is counted.
    assert heard == [READ, BEGIN, *first, READ, READ, WRITE, COMMIT]


@FEW_AND_MANY
async def test_holds_that_have_run_out_cost_a_reading_and_a_writing(
    ear: Ear, many: int
) -> None:
    weekly = await a_weekly_clinic(ear.storage, many, patients=many)
    clinic = weekly.clinic
    hold = HoldSlot(ear.storage.begin, lambda: EIGHT)
    for number in range(1, many):
        await hold(clinic.caller, clinic.request(number, number))
    heard = await ear.during(weekly.series(many, now=at("08:20")))
    assert heard == [READ, READ, BEGIN, READ, WRITE, WRITE, COMMIT]


async def test_a_series_that_is_refused_writes_nothing(ear: Ear) -> None:
    weekly = await a_weekly_clinic(ear.storage, 5)
    await weekly.one(3)

    async def refused() -> None:
        with pytest.raises(SlotNotAvailable):
            await weekly.series(5)

    assert await ear.during(refused()) == [READ, READ]


@FEW_AND_MANY
@pytest.mark.parametrize("much", [HowMuch.FOLLOWING, HowMuch.ALL])
async def test_a_series_is_called_off_in_three_readings_and_one_writing(
    ear: Ear, many: int, much: HowMuch
) -> None:
    weekly = await a_weekly_clinic(ear.storage, many, **sms())
    booked = await weekly.series(many)
    heard = await ear.during(weekly.cancel(booked[0], much))
    # Which series it is of; all of it, locked; who waits.
    assert heard == [READ, BEGIN, READ, READ, WRITE, COMMIT]


@FEW_AND_MANY
async def test_a_series_is_read_at_once(ear: Ear, many: int) -> None:
    weekly = await a_weekly_clinic(ear.storage, many)
    [first, *_] = await weekly.series(many)
    assert first.series_id is not None
    get = GetAppointmentSeries(ear.storage.begin, ear.storage.recorder)
    heard = await ear.during(get(weekly.clinic.caller, first.series_id))
    assert heard == [READ, WRITE], "the writing is the audit's"


@pytest.mark.parametrize("many", [2, 100])
async def test_a_bulk_change_is_two_readings_and_one_writing(
    ear: Ear, many: int
) -> None:
    clinic = await open_clinic(
        ear.storage.begin, *weeks(2), capacity=many, patients=many
    )
    weekly = Weekly(ear.storage, clinic)
    booked = [await weekly.one(0, patient=number) for number in range(many)]
    steps = [Status.CONFIRMED, Status.NO_SHOW, Status.ARRIVED, Status.CANCELLED]

    def changes(asked: list[Appointment]) -> list[Any]:
        return [
            change(one, steps[-1 - n % 4], reason_code="weather")
            for n, one in enumerate(asked)
        ]

    heard = await ear.during(weekly.change(*changes(booked), now=at("08:30")))
    assert heard == [BEGIN, READ, READ, WRITE, COMMIT]
    # All of it has another version now.
    refused = await ear.during(weekly.change(*changes(booked), now=at("08:30")))
    assert refused == [BEGIN, READ, COMMIT]

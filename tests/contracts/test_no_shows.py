"""Who was expected and did not come is said to be a no-show, once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import orjson
import pytest

from scheduling.application.commands.mark_no_shows import MarkNoShows
from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import DomainError
from scheduling.domain.settings import Settings
from scheduling.domain.slot import SlotStatus
from scheduling.domain.status import Status
from scheduling.entrypoints.attempts import settled
from tests.builders import at
from tests.contracts.reception import Open, Reception
from tests.contracts.storages import Storage, postgres_storage
from tests.fakes.storage import MemoryStorage

GRACE = Settings(no_show_grace_minutes=20)


@pytest.fixture(params=["memory", "postgres"])
async def everywhere(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """As crons work: under the role of the inbox."""
    if request.param == "memory":
        yield MemoryStorage()
        return
    url = request.getfixturevalue("shared_database_url")
    async with postgres_storage(url, size=4, role="scheduling_inbox") as storage:
        yield storage


async def sweep(reception: Reception) -> int:
    mark = MarkNoShows(reception.storage.begin, reception.clock)
    return await settled(lambda: mark(reception.clinic.caller))


async def statuses(reception: Reception, *visits: Appointment) -> list[Status]:
    return [(await reception.stored(one)).status for one in visits]


async def no_shows_told(reception: Reception) -> Counter[str]:
    told = [
        orjson.loads(one.body)
        for one in await reception.storage.outbox(reception.clinic.caller)
    ]
    return Counter(
        event["subject"] for event in told if event["type"] == "appointment.no-show"
    )


async def test_those_whose_grace_is_over_are_marked_and_nobody_else(
    reception: Open,
) -> None:
    clinic = await reception(settings=GRACE)
    first, second, third = [
        await clinic.book(clinic.clinic.request(n, n)) for n in range(3)
    ]
    clinic.now = at("09:00")
    await clinic.step(second, Status.ARRIVED)
    clinic.now = at("09:20")
    assert await sweep(clinic) == 1
    assert await statuses(clinic, first, second, third) == [
        Status.NO_SHOW,
        Status.ARRIVED,
        Status.BOOKED,
    ]
    clinic.now = at("10:20")
    assert await sweep(clinic) == 1
    assert await sweep(clinic) == 0
    assert await no_shows_told(clinic) == {str(first.id): 1, str(third.id): 1}


async def test_the_seat_and_the_time_are_given_back(reception: Open) -> None:
    clinic = await reception(settings=GRACE)
    visit = await clinic.book(clinic.clinic.request())
    clinic.now = at("09:20")
    await sweep(clinic)
    assert (await clinic.seats())[0] == (0, SlotStatus.FREE)
    assert await clinic.taken_by(visit) == set()


async def test_where_nothing_was_set_the_grace_is_half_an_hour(
    reception: Open,
) -> None:
    clinic = await reception()
    await clinic.book(clinic.clinic.request())
    clinic.now = at("09:30") - timedelta.resolution
    assert await sweep(clinic) == 0
    clinic.now = at("09:30")
    assert await sweep(clinic) == 1


async def test_two_who_sweep_at_once_mark_each_once(reception: Open) -> None:
    clinic = await reception(settings=GRACE)
    visits = [await clinic.book(clinic.clinic.request(n, n)) for n in range(4)]
    clinic.now = at("12:00")
    done = await asyncio.gather(*(sweep(clinic) for _ in range(3)))
    assert sum(done) == len(visits)
    assert await no_shows_told(clinic) == {str(one.id): 1 for one in visits}


async def test_who_checks_in_at_that_moment_is_here_or_missed_and_never_both(
    reception: Open,
) -> None:
    clinic = await reception(settings=GRACE)
    visits = [await clinic.book(clinic.clinic.request(n, n)) for n in range(4)]
    clinic.now = at("12:00")

    async def arrive(one: Appointment) -> bool:
        try:
            await clinic.step(one, Status.ARRIVED)
        except DomainError:
            return False
        return True

    _, *came = await asyncio.gather(sweep(clinic), *map(arrive, visits))
    told = await no_shows_told(clinic)
    for visit, is_here, status in zip(
        visits, came, await statuses(clinic, *visits), strict=True
    ):
        assert status is (Status.ARRIVED if is_here else Status.NO_SHOW)
        assert told[str(visit.id)] == (0 if is_here else 1)

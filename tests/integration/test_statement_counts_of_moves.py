"""What moves, edits, steps and holds send to PostgreSQL: each is written at once.

BEGIN, because something is locked; one reading that locks; what is asked besides; one
writing; COMMIT. A second writing is there only where holds that have run out go first.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from scheduling.application.commands.edit_appointment import Edits
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import BySlot
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.moving import Otherwise
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.status import Status
from tests.builders import EIGHT, a_room, at, between, open_clinic, slots_from
from tests.contracts.reception import Reception
from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.integration.ear import BEGIN, COMMIT, READ, WRITE, Ear

WHOLE = {
    "settings": Settings(hold_minutes=10, reminder_offsets_minutes=(30,)),
    "preferences": ContactPreferences(sms=True),
}
LIMITED = Settings(
    hold_minutes=10, limits=Limits(per_practitioner_day=50, per_practitioner_week=90)
)
RUN_OUT = EIGHT + timedelta(minutes=10)


async def at_reception(storage: PostgresStorage, **told: Any) -> Reception:  # noqa: ANN401
    count, patients = told.pop("slots", 8), told.pop("patients", 8)
    clinic = await open_clinic(
        storage.begin, *slots_from("09:00", count=count), patients=patients, **told
    )
    return Reception(storage, clinic)


async def rehearse(storage: PostgresStorage) -> None:
    """Let asyncpg ask about the types once: it does so when it first meets them."""
    here = await at_reception(storage, **WHOLE)
    one = await here.book(here.clinic.by_start(between("09:00", "10:00")))
    one = await here.move(one, Otherwise(start=at("09:30")))
    await here.step(one, Status.NO_SHOW)
    await here.release(await here.hold(1, 5))


@pytest.fixture
async def ear(database_url: str) -> AsyncIterator[Ear]:
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(
            postgres_storage(database_url, size=1)
        )
        await rehearse(storage)
        ear = Ear(storage)
        async with storage.pool.acquire() as connection:
            connection.add_query_logger(ear.hear)
        yield ear


# What each has to send.
STEP = [BEGIN, READ, WRITE, COMMIT]
STEP_THAT_FREES = [BEGIN, READ, READ, WRITE, COMMIT]
TAKES_TIME = [BEGIN, READ, READ, WRITE, COMMIT]
MOVE = [BEGIN, READ, READ, READ, WRITE, COMMIT]
NOTHING_TO_DO = [BEGIN, READ, READ, COMMIT]
NOTHING_NEW = [BEGIN, READ, COMMIT]
LETS_LAPSE = [READ, BEGIN, READ, WRITE, WRITE, COMMIT]


async def test_a_move_reads_the_visit_the_new_time_and_who_waits_for_the_old(
    ear: Ear,
) -> None:
    here = await at_reception(ear.storage, **WHOLE)
    one = await here.book(here.clinic.request())
    for when in (BySlot(here.clinic.slots[2].id), Otherwise(start=at("11:00"))):
        assert await ear.during(here.move(one, when)) == MOVE
        one = await here.stored(one)
    longer = Otherwise(start=at("11:00"), minutes=90)
    assert await ear.during(here.move(one, longer)) == TAKES_TIME, "frees nothing"
    one = await here.stored(one)
    within = Otherwise(start=at("11:30"), minutes=90)
    assert await ear.during(here.move(one, within)) == MOVE
    one = await here.stored(one)
    assert await ear.during(here.move(one, within)) == NOTHING_TO_DO


async def test_limits_cost_a_move_one_more_reading(ear: Ear) -> None:
    """Who moves has the practitioner's lock already."""
    here = await at_reception(ear.storage, settings=LIMITED)
    one = await here.book(here.clinic.request())
    heard = await ear.during(here.move(one, BySlot(here.clinic.slots[2].id)))
    assert heard == [BEGIN, READ, READ, READ, READ, WRITE, COMMIT]


async def test_an_edit_of_words_is_a_step_and_one_of_time_a_move(ear: Ear) -> None:
    here = await at_reception(ear.storage, **WHOLE)
    one = await here.book(here.clinic.request())
    words = Edits(fields={"notes": "left-handed", "appointment_type": "visit"})
    assert await ear.during(here.edit(one, words)) == STEP
    one = await here.stored(one)
    assert await ear.during(here.edit(one, words)) == NOTHING_NEW
    for edits, expected in (
        (Edits(fields={}, place=Otherwise(minutes=90)), TAKES_TIME),
        (Edits(fields={"resources": (a_room(), a_room())}), TAKES_TIME),
        (Edits(fields={}, place=Otherwise(minutes=30)), MOVE),
        (Edits(fields={}, place=Otherwise(minutes=30)), NOTHING_NEW),
    ):
        assert await ear.during(here.edit(one, edits)) == expected
        one = await here.stored(one)


WAYS: dict[Status, tuple[Status, ...]] = {
    Status.CONFIRMED: (),
    Status.ARRIVED: (Status.CONFIRMED,),
    Status.IN_PROGRESS: (Status.ARRIVED,),
    Status.COMPLETED: (Status.ARRIVED, Status.IN_PROGRESS),
}


@pytest.mark.parametrize("wanted", WAYS)
async def test_a_step_of_a_visit_is_one_reading_and_one_writing(
    ear: Ear, wanted: Status
) -> None:
    here = await at_reception(ear.storage, **WHOLE)
    one = await here.book(here.clinic.by_start(between("09:00", "11:00")))
    for status in WAYS[wanted]:
        one = await here.step(one, status)
    assert await ear.during(here.step(one, wanted)) == STEP


async def test_a_step_that_frees_looks_for_who_waits(ear: Ear) -> None:
    here = await at_reception(ear.storage, **WHOLE)
    for wanted in (Status.NO_SHOW, Status.ENTERED_IN_ERROR):
        one = await here.book(here.clinic.request())
        assert await ear.during(here.step(one, wanted)) == STEP_THAT_FREES
    one = await here.book(here.clinic.request())
    here.now = at("12:00")
    heard = await ear.during(here.step(one, Status.NO_SHOW))
    assert heard == STEP, "nobody waits for what is past"


async def test_who_comes_after_all_is_a_step_and_what_is_free(ear: Ear) -> None:
    here = await at_reception(ear.storage, **WHOLE)
    one = await here.step(await here.book(here.clinic.request()), Status.NO_SHOW)
    assert await ear.during(here.step(one, Status.ARRIVED)) == TAKES_TIME


async def test_a_hold_is_counted_in_the_reading_of_what_is_free(ear: Ear) -> None:
    here = await at_reception(ear.storage, **WHOLE)
    assert await ear.during(here.hold(0, 0)) == TAKES_TIME
    limited = await at_reception(ear.storage, settings=LIMITED)
    await limited.hold(0, 0)
    heard = await ear.during(limited.hold(0, 1))
    assert heard == [BEGIN, READ, READ, READ, READ, READ, WRITE, COMMIT]


async def test_a_hold_is_booked_at_once_with_limits_too(ear: Ear) -> None:
    here = await at_reception(ear.storage, **WHOLE)
    hold = await here.hold(0)
    request = here.clinic.request(0)
    assert await ear.during(here.book_held(hold, request)) == TAKES_TIME
    hold = await here.hold(1, 1)
    assert await ear.during(here.step(hold, Status.BOOKED)) == TAKES_TIME

    limited = await at_reception(ear.storage, settings=LIMITED)
    hold = await limited.hold(0)
    heard = await ear.during(limited.book_held(hold, limited.clinic.request(0)))
    assert heard == [BEGIN, READ, READ, READ, WRITE, COMMIT]


async def test_a_hold_is_released_like_any_step_that_frees(ear: Ear) -> None:
    here = await at_reception(ear.storage, **WHOLE)
    hold = await here.hold(0)
    assert await ear.during(here.release(hold)) == STEP_THAT_FREES


@pytest.mark.parametrize("count", [1, 7])
async def test_holds_that_have_run_out_cost_the_same_however_many_they_are(
    ear: Ear, count: int
) -> None:
    here = await at_reception(ear.storage, slots=1, capacity=7, **WHOLE)
    for patient in range(count):
        await here.hold(patient)
    await _full(here, count)
    here.now = RUN_OUT
    booking = here.book(here.clinic.request(7))
    assert await ear.during(booking) == LETS_LAPSE
    assert (await here.seats())[0][0] == 7 - count + 1


async def _full(here: Reception, count: int) -> None:
    """Book what the holds leave."""
    for patient in range(count, 7):
        await here.book(here.clinic.request(patient))


@pytest.mark.parametrize("count", [1, 7])
async def test_a_move_over_holds_that_have_run_out_reads_and_writes_once_more(
    ear: Ear, count: int
) -> None:
    here = await at_reception(ear.storage, slots=2, capacity=7, **WHOLE)
    one: Appointment = await here.book(here.clinic.request(7, 1))
    for patient in range(count):
        await here.hold(patient)
    await _full(here, count)
    here.now = RUN_OUT
    heard = await ear.during(here.move(one, BySlot(here.clinic.slots[0].id)))
    assert heard == [BEGIN, READ, READ, READ, READ, WRITE, WRITE, COMMIT]

"""Exceptions and what they do to slots, as both storages keep them."""

from asyncio import Task, create_task, gather, wait
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

import orjson
import pytest

from scheduling.application.commands.block_slot import BlockSlot
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.create_slot import CreateSlot
from scheduling.application.commands.hold_slot import HoldSlot
from scheduling.application.commands.reschedule_appointment import (
    RescheduleAppointment,
)
from scheduling.application.commands.unblock_slot import UnblockSlot
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork, UnitOfWork
from scheduling.application.queries.list_schedule_exceptions import (
    ListScheduleExceptions,
)
from scheduling.application.steps.reshape_calendar import Effect
from scheduling.domain.booking_request import BySlot
from scheduling.domain.errors import (
    ScheduleExceptionNotFound,
    ScheduleNotFound,
    SlotNotAvailable,
)
from scheduling.domain.identifiers import ScheduleId
from scheduling.domain.period import Period
from scheduling.domain.schedule_exception import ExceptionKind, ScheduleException
from scheduling.domain.slot import SlotStatus
from scheduling.domain.version import ExpectedVersion
from scheduling.entrypoints.attempts import settled
from tests.builders import (
    MONDAY,
    Clinic,
    a_schedule,
    at,
    between,
    open_clinic,
    slots_from,
)
from tests.contracts.closing import (
    AFTERNOON,
    MON,
    a_morning,
    add,
    listed,
    now,
    remove,
    shown,
    told,
)
from tests.contracts.storages import PostgresStorage, Storage


async def test_a_closed_date_blocks_and_tells_each_slot(everywhere: Storage) -> None:
    clinic = await a_morning(everywhere)
    exception, effect = await add(everywhere, clinic, reason="Holiday")
    stored = await listed(everywhere, clinic)
    assert {slot.status for slot in stored} == {SlotStatus.BUSY_UNAVAILABLE}
    assert {slot.blocked_by for slot in stored} == {exception.id}
    assert {slot.version for slot in stored} == {2}
    assert len(effect.done.blocked) == 3
    assert (await told(everywhere, clinic))["slot.blocked"] == 3
    bodies = [
        orjson.loads(one.body)
        for one in await everywhere.outbox(clinic.caller)
        if one.aggregate_version == 2
    ]
    assert {body["data"]["exceptionId"] for body in bodies} == {str(exception.id)}


async def test_an_exception_is_read_as_it_was_said(everywhere: Storage) -> None:
    clinic = await a_morning(everywhere)
    said = [
        await add(everywhere, clinic, reason="Holiday"),
        await add(
            everywhere,
            clinic,
            period=between("09:00", "10:00", day=3),
            service_types=("x-ray",),
        ),
        await add(everywhere, clinic, ExceptionKind.REPLACE, windows=(AFTERNOON,)),
    ]
    async with everywhere.begin(clinic.caller) as work:
        for exception, _ in said:
            read = await work.schedule_exceptions.get(clinic.schedule.id, exception.id)
            assert read == exception


async def test_what_is_booked_stays_and_is_told_as_affected(
    everywhere: Storage,
) -> None:
    clinic = await a_morning(everywhere)
    book = BookAppointment(everywhere.begin, now)
    first = await book(clinic.caller, clinic.request(slot=1))
    exception, effect = await add(everywhere, clinic)
    (one,), patient = effect.affected, clinic.patients[0]
    assert (one.id, one.period) == (first.id, first.period)
    assert (one.patient_id, one.patient_name) == (patient.id, patient.name)
    second = (await listed(everywhere, clinic))[1]
    assert (second.booked, second.status) == (1, SlotStatus.BUSY_UNAVAILABLE)
    await remove(everywhere, clinic, exception.id)
    assert await shown(everywhere, clinic) == {
        "09:00": "free",
        "09:30": "busy",
        "10:00": "free",
    }


async def test_a_closed_slot_is_booked_by_nobody(everywhere: Storage) -> None:
    clinic = await a_morning(everywhere)
    await add(everywhere, clinic)
    with pytest.raises(SlotNotAvailable):
        await BookAppointment(everywhere.begin, now)(clinic.caller, clinic.request())


async def test_a_slot_that_is_made_in_closed_time_is_closed(
    everywhere: Storage,
) -> None:
    clinic = await a_morning(everywhere)
    exception, _ = await add(everywhere, clinic)
    made = await CreateSlot(everywhere.begin, now)(
        clinic.caller,
        schedule_id=clinic.schedule.id,
        period=between("11:00", "12:00"),
        capacity=1,
        service_types=(),
    )
    assert (made.status, made.version) == (SlotStatus.BUSY_UNAVAILABLE, 1)
    assert (await listed(everywhere, clinic))[-1] == replace(made, events=())
    assert (await told(everywhere, clinic))["slot.opened"] == 3
    await remove(everywhere, clinic, exception.id)
    assert (await shown(everywhere, clinic))["11:00"] == "free"


async def test_extra_hours_come_and_go(everywhere: Storage) -> None:
    clinic = await a_morning(everywhere)
    exception, effect = await add(
        everywhere, clinic, ExceptionKind.EXTRA, windows=(AFTERNOON,)
    )
    made = (await listed(everywhere, clinic))[3:]
    assert [f"{slot.period.start:%H:%M}" for slot in made] == ["14:00", "14:30"]
    assert {slot.opened_by for slot in made} == {exception.id}
    assert {slot.capacity for slot in made} == {2}
    assert {slot.service_types for slot in made} == {("x-ray",)}
    assert list(effect.affected) == []
    effect = await remove(everywhere, clinic, exception.id)
    assert len(effect.done.retired) == 2
    assert len(await listed(everywhere, clinic)) == 3
    assert await told(everywhere, clinic) == {
        "schedule.published": 1,
        "slot.opened": 5,
        "slot.blocked": 2,
        "schedule.changed": 2,
    }


async def test_booked_extra_hours_stay_blocked_and_are_told(
    everywhere: Storage,
) -> None:
    clinic = await a_morning(everywhere)
    exception, effect = await add(
        everywhere, clinic, ExceptionKind.EXTRA, windows=(AFTERNOON,)
    )
    request = clinic.request(when=BySlot(effect.done.made[0].id))
    booked = await BookAppointment(everywhere.begin, now)(clinic.caller, request)
    effect = await remove(everywhere, clinic, exception.id)
    assert [one.id for one in effect.affected] == [booked.id]
    assert (await shown(everywhere, clinic))["14:00"] == "busy-unavailable"
    assert "14:30" not in await shown(everywhere, clinic)


async def test_what_two_close_stays_closed_until_both_are_gone(
    everywhere: Storage,
) -> None:
    clinic = await a_morning(everywhere)
    one, _ = await add(everywhere, clinic)
    other, _ = await add(everywhere, clinic, period=between("09:30", "09:45"))
    await remove(everywhere, clinic, one.id)
    assert await shown(everywhere, clinic) == {
        "09:00": "free",
        "09:30": "busy-unavailable",
        "10:00": "free",
    }
    await remove(everywhere, clinic, other.id)
    assert set((await shown(everywhere, clinic)).values()) == {"free"}


async def test_it_is_recorded_with_what_it_did(everywhere: Storage) -> None:
    clinic = await a_morning(everywhere)
    exception, _ = await add(everywhere, clinic, reason="Marker reason")
    await remove(everywhere, clinic, exception.id)
    rows = {
        row.action: row
        for row in await everywhere.audit(clinic.caller)
        if row.entity_id == exception.id
    }
    added = rows.pop("schedule-exception.added")
    removed = rows.pop("schedule-exception.removed")
    assert rows == {}
    assert tuple(added.changes["kind"]) == (None, "closed")
    assert tuple(added.changes["onDate"]) == (None, "2030-01-07")
    assert tuple(added.changes["slotsBlocked"]) == (None, 3)
    assert tuple(removed.changes["kind"]) == ("closed", None)
    assert tuple(removed.changes["slotsOpened"]) == (None, 3)
    assert "Marker" not in repr((added.changes, removed.changes))


async def test_there_is_none_of_another_schedule(everywhere: Storage) -> None:
    clinic, other = await a_morning(everywhere), await a_morning(everywhere)
    exception, _ = await add(everywhere, clinic)
    with pytest.raises(ScheduleExceptionNotFound):
        await remove(everywhere, other, exception.id)
    nowhere = replace(other, schedule=a_schedule())
    with pytest.raises(ScheduleNotFound):
        await remove(everywhere, nowhere, exception.id)
    with pytest.raises(ScheduleNotFound):
        await add(everywhere, nowhere)


async def test_it_is_removed_once(everywhere: Storage) -> None:
    clinic = await a_morning(everywhere)
    exception, _ = await add(everywhere, clinic)
    answers = await gather(
        *(remove(everywhere, clinic, exception.id) for _ in range(3)),
        return_exceptions=True,
    )
    assert Counter(type(one) for one in answers) == {
        Effect: 1,
        ScheduleExceptionNotFound: 2,
    }


async def test_exceptions_are_listed_by_start_page_by_page(
    everywhere: Storage,
) -> None:
    clinic = await a_morning(everywhere)
    for day in (2, 0, 1):
        await add(everywhere, clinic, on_date=MON + timedelta(days=day))
    listing = ListScheduleExceptions(everywhere.begin)
    first = await listing(clinic.caller, clinic.schedule.id, after=None, limit=2)
    assert [one.on_date for one in first.items] == [MON, MON + timedelta(days=1)]
    assert first.more
    last = first.items[-1]
    rest = await listing(
        clinic.caller,
        clinic.schedule.id,
        after=(last.period.start, last.id),
        limit=2,
    )
    assert [one.on_date for one in rest.items] == [MON + timedelta(days=2)]
    assert not rest.more
    with pytest.raises(ScheduleNotFound):
        await listing(clinic.caller, ScheduleId(uuid4()), after=None, limit=2)


# Races, where there are any


def meanwhile_closed(
    storage: Storage,
    clinic: Clinic,
    closing: list[Task[tuple[ScheduleException, Effect]]],
) -> BeginWork:
    """Let somebody close the day just before work is done, or wait for it."""

    @asynccontextmanager
    async def begin(caller: Caller) -> AsyncIterator[UnitOfWork]:
        async with storage.begin(caller) as work:
            yield work
            closing.append(create_task(add(storage, clinic)))
            await wait(closing, timeout=0.2)

    return begin


@pytest.mark.parametrize("how", ["made", "unblocked"])
async def test_what_is_opened_while_its_day_is_closed_is_closed_in_the_end(
    everywhere: Storage, how: str
) -> None:
    clinic = await a_morning(everywhere)
    slot = clinic.slots[0]
    closing: list[Task[tuple[ScheduleException, Effect]]] = []
    begin = meanwhile_closed(everywhere, clinic, closing)
    if how == "made":
        await CreateSlot(begin, now)(
            clinic.caller,
            schedule_id=clinic.schedule.id,
            period=between("12:00", "12:30"),
            capacity=1,
            service_types=(),
        )
    else:
        await BlockSlot(everywhere.begin, now)(
            clinic.caller, slot.id, expected=ExpectedVersion(1), reason=None
        )
        await UnblockSlot(begin, now)(
            clinic.caller, slot.id, expected=ExpectedVersion(2)
        )
    await gather(*closing)
    assert set((await shown(everywhere, clinic)).values()) == {"busy-unavailable"}


async def test_who_moves_within_a_day_and_who_closes_it_wait_in_no_circle(
    everywhere: Storage,
) -> None:
    clinic = await a_morning(everywhere)
    last = clinic.request(slot=2)
    visit = await BookAppointment(everywhere.begin, now)(clinic.caller, last)
    closing: list[Task[tuple[ScheduleException, Effect]]] = []
    move = RescheduleAppointment(meanwhile_closed(everywhere, clinic, closing), now)
    moved = await move(
        clinic.caller,
        visit.id,
        expected=ExpectedVersion(1),
        when=BySlot(clinic.slots[0].id),
    )
    [(_, effect)] = await gather(*closing)
    assert [one.id for one in effect.affected] == [moved.id]
    assert moved.slot_ids == (clinic.slots[0].id,)


async def test_who_takes_what_a_hold_kept_and_who_closes_it_wait_in_no_circle(
    on_postgres: PostgresStorage,
) -> None:
    clinic = await a_morning(on_postgres)
    request = clinic.request(0, 1)
    hold = await HoldSlot(on_postgres.begin, now)(clinic.caller, request)
    closing: list[Task[tuple[ScheduleException, Effect]]] = []
    book = BookAppointment(
        meanwhile_closed(on_postgres, clinic, closing),
        lambda: hold.hold_expires_at or now(),
    )
    hour = clinic.by_start(between("09:00", "10:00"), patient=1)
    booked = await book(clinic.caller, hour)
    [(_, effect)] = await gather(*closing)
    assert [one.id for one in effect.affected] == [booked.id]


async def test_bookings_and_an_exception_at_once_leave_no_doubt(
    on_postgres: PostgresStorage,
) -> None:
    """Who books first is among the affected, who comes later is refused."""
    clinic = await open_clinic(
        on_postgres.begin, *slots_from("09:00", minutes=15, count=24), patients=24
    )
    book = BookAppointment(on_postgres.begin, now)

    async def booking(number: int) -> object:
        request = clinic.request(patient=number, slot=number)
        return (await settled(lambda: book(clinic.caller, request))).id

    closing = settled(lambda: add(on_postgres, clinic))
    answers = await gather(
        *(booking(n) for n in range(12)),
        closing,
        *(booking(n) for n in range(12, 24)),
        return_exceptions=True,
    )
    closed = answers.pop(12)
    assert isinstance(closed, tuple)
    booked = {one for one in answers if not isinstance(one, SlotNotAvailable)}
    assert {one.id for one in closed[1].affected} == booked
    stored = await listed(on_postgres, clinic)
    assert {slot.status for slot in stored} == {SlotStatus.BUSY_UNAVAILABLE}
    assert sum(slot.booked for slot in stored) == len(booked)


async def test_exceptions_of_one_schedule_wait_for_each_other(
    on_postgres: PostgresStorage,
) -> None:
    clinic = await a_morning(on_postgres)
    added = await gather(*(settled(lambda: add(on_postgres, clinic)) for _ in range(6)))
    assert sum(len(effect.done.blocked) for _, effect in added) == 3
    ids = [exception.id for exception, _ in added]
    await gather(*(settled(partial(remove, on_postgres, clinic, id)) for id in ids))
    assert set((await shown(on_postgres, clinic)).values()) == {"free"}
    assert (await told(on_postgres, clinic))["slot.blocked"] == 3
    assert (await told(on_postgres, clinic))["slot.opened"] == 6


async def test_thousands_of_slots_are_closed_at_once(
    on_postgres: PostgresStorage,
) -> None:
    clinic = await open_clinic(on_postgres.begin, *slots_from("09:00", count=3000))
    year = Period.of(MONDAY, timedelta(days=366))
    exception, effect = await add(on_postgres, clinic, period=year)
    assert len(effect.done.blocked) == 3000
    effect = await remove(on_postgres, clinic, exception.id)
    assert len(effect.done.opened) == 3000
    assert at("09:00") == effect.done.opened[0].period.start

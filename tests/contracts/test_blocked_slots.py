"""Slots that are blocked by hand, and lists of slots and schedules."""

from asyncio import gather
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from scheduling.application.commands.block_slot import BlockSlot
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.unblock_slot import UnblockSlot
from scheduling.application.ports.schedule_lists import (
    ScheduleFilter,
)
from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.application.queries.list_schedules import ListSchedules
from scheduling.domain.booking_request import Hold
from scheduling.domain.errors import (
    InvalidInput,
    InvalidStatusTransition,
    OptimisticLockConflict,
    PreconditionRequired,
    ScheduleNotFound,
)
from scheduling.domain.identifiers import ScheduleId
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot, SlotStatus
from scheduling.domain.version import ExpectedVersion
from tests.builders import (
    EIGHT,
    MONDAY,
    a_caller,
    between,
    open_clinic,
)
from tests.contracts.closing import (
    a_morning,
    add,
    listed,
    now,
    remove,
    shown,
    told,
)
from tests.contracts.storages import Storage


async def test_a_slot_is_blocked_and_unblocked_by_hand(everywhere: Storage) -> None:
    clinic = await a_morning(everywhere)
    slot = clinic.slots[0]
    blocked = await BlockSlot(everywhere.begin, now)(
        clinic.caller, slot.id, expected=ExpectedVersion(1), reason="Marker meeting"
    )
    (stored, *_) = await listed(everywhere, clinic)
    assert stored == replace(blocked, events=())
    assert stored.blocked_reason == "Marker meeting"
    opened = await UnblockSlot(everywhere.begin, now)(
        clinic.caller, slot.id, expected=ExpectedVersion(2)
    )
    (stored, *_) = await listed(everywhere, clinic)
    assert stored == replace(opened, events=())
    assert stored == replace(slot, version=3)
    assert (await told(everywhere, clinic))["slot.blocked"] == 1
    assert (await told(everywhere, clinic))["slot.opened"] == 4
    found = {
        row.entity_version: row
        for row in await everywhere.audit(clinic.caller)
        if row.entity_id == slot.id
    }
    rows = [found[2], found[3]]
    assert [row.action for row in rows] == ["slot.blocked", "slot.unblocked"]
    assert tuple(rows[0].changes["status"]) == ("free", "busy-unavailable")
    assert "Marker" not in repr(rows)


async def test_blocking_takes_the_version_in_hand(everywhere: Storage) -> None:
    clinic = await a_morning(everywhere)
    block = BlockSlot(everywhere.begin, now)
    with pytest.raises(PreconditionRequired):
        await block(clinic.caller, clinic.slots[0].id, expected=None, reason=None)
    with pytest.raises(OptimisticLockConflict):
        await block(
            clinic.caller, clinic.slots[0].id, expected=ExpectedVersion(2), reason=None
        )


async def test_of_two_who_block_at_once_one_does(everywhere: Storage) -> None:
    clinic = await a_morning(everywhere)
    block = BlockSlot(everywhere.begin, now)
    answers = await gather(
        *(
            block(
                clinic.caller,
                clinic.slots[0].id,
                expected=ExpectedVersion(1),
                reason=None,
            )
            for _ in range(4)
        ),
        return_exceptions=True,
    )
    kinds = Counter(type(one) for one in answers)
    assert kinds.pop(Slot) == 1
    assert set(kinds) <= {DecisionOutdated, OptimisticLockConflict}


async def test_what_an_exception_closes_is_not_unblocked_by_hand(
    everywhere: Storage,
) -> None:
    clinic = await a_morning(everywhere)
    by_hand, closed = clinic.slots[0], clinic.slots[1]
    await BlockSlot(everywhere.begin, now)(
        clinic.caller, by_hand.id, expected=ExpectedVersion(1), reason=None
    )
    exception, _ = await add(everywhere, clinic)
    unblock = UnblockSlot(everywhere.begin, now)
    for slot in (by_hand, closed):
        with pytest.raises(InvalidStatusTransition):
            await unblock(clinic.caller, slot.id, expected=ExpectedVersion(2))
    await remove(everywhere, clinic, exception.id)
    assert (await shown(everywhere, clinic))["09:00"] == "busy-unavailable"
    await unblock(clinic.caller, by_hand.id, expected=ExpectedVersion(2))
    assert set((await shown(everywhere, clinic)).values()) == {"free"}


async def test_slots_are_listed_by_start_status_and_page(everywhere: Storage) -> None:
    clinic = await a_morning(everywhere)
    await BookAppointment(everywhere.begin, now)(clinic.caller, clinic.request(slot=1))
    free = await listed(everywhere, clinic, status=SlotStatus.FREE)
    assert [slot.id for slot in free] == [clinic.slots[0].id, clinic.slots[2].id]
    page = await listed(everywhere, clinic, limit=2)
    assert len(page) == 2
    rest = await listed(
        everywhere, clinic, after=(page[-1].period.start, page[-1].id), limit=2
    )
    assert [slot.id for slot in (*page, *rest)] == [slot.id for slot in clinic.slots]
    assert (
        await listed(everywhere, clinic, period=between("09:30", "10:00")) == page[1:]
    )


async def test_seats_of_a_hold_that_has_run_out_are_free_in_a_list(
    everywhere: Storage,
) -> None:
    clinic = await a_morning(everywhere)
    until = EIGHT + timedelta(minutes=10)
    await BookAppointment(everywhere.begin, now)(
        clinic.caller, clinic.request(hold=Hold(until, "reception"))
    )
    (held, *_) = await listed(everywhere, clinic)
    assert (held.status, held.booked) == (SlotStatus.BUSY, 1)
    (free, *_) = await listed(everywhere, clinic, then=until)
    assert (free.status, free.booked) == (SlotStatus.FREE, 0)
    found = await listed(everywhere, clinic, then=until, status=SlotStatus.FREE)
    assert len(found) == 3


async def test_a_list_of_slots_is_of_a_schedule_that_is_there(
    everywhere: Storage,
) -> None:
    clinic = await a_morning(everywhere)
    with pytest.raises(ScheduleNotFound):
        await listed(everywhere, clinic, schedule_id=ScheduleId(uuid4()))
    assert await listed(everywhere, clinic, period=between("20:00", "21:00")) == []
    with pytest.raises(InvalidInput):
        await listed(
            everywhere, clinic, period=Period.of(MONDAY, timedelta(days=92, seconds=1))
        )


async def test_schedules_are_listed_by_practitioner_or_location(
    everywhere: Storage,
) -> None:
    caller = a_caller()
    one = await open_clinic(everywhere.begin, caller=caller)
    other = await open_clinic(everywhere.begin, caller=caller, location=one.location)
    listing = ListSchedules(everywhere.begin)

    async def ids(**asked: Any) -> list[ScheduleId]:  # noqa: ANN401
        found = await listing(caller, ScheduleFilter(**asked))
        return [schedule.id for schedule in found.items]

    both = sorted([one.schedule.id, other.schedule.id])
    assert await ids() == both
    assert await ids(actor_id=one.practitioner.id) == [one.schedule.id]
    assert await ids(actor_id=one.location.id) == both
    assert await ids(actor_id=uuid4()) == []
    assert await ids(limit=1) == both[:1]
    assert await ids(after=both[0]) == both[1:]
    assert (await listing(caller, ScheduleFilter(limit=1))).more

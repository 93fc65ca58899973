"""Slots are stored once, and read back as they were."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scheduling.application.ports.schedule_lists import SlotAsItIs
from scheduling.domain.booking_request import Hold
from scheduling.domain.errors import InvalidInput, SlotNotFound
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot, SlotStatus
from tests.builders import EIGHT, an_id, between, open_clinic
from tests.contracts.offers import offered
from tests.contracts.storages import Storage
from tests.contracts.visits import book


async def test_a_slot_is_read_back_whole(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, timezone="Asia/Kathmandu")
    slot = Slot.opened(
        clinic.schedule,
        between("10:00", "10:20"),
        capacity=7,
        service_types=("checkup", "x-ray"),
        now=EIGHT,
    )
    async with everywhere.begin(clinic.caller) as work:
        work.slots.add(slot)
    async with everywhere.begin(clinic.caller) as work:
        assert await work.slots.get(slot.id) == replace(slot, events=())
        with pytest.raises(SlotNotFound):
            await work.slots.get(an_id())  # type: ignore[arg-type]


async def test_a_schedule_has_one_slot_of_exactly_a_time(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)

    async def add(period: Period) -> None:
        slot = Slot.opened(
            clinic.schedule, period, capacity=1, service_types=(), now=EIGHT
        )
        async with everywhere.begin(clinic.caller) as work:
            work.slots.add(slot)

    await add(between("09:00", "10:00"))
    for _ in range(2):
        with pytest.raises(InvalidInput) as refused:
            await add(between("09:00", "10:00"))
        assert refused.value.field == "start"
    assert len(await offered(everywhere, clinic)) == 2


async def test_a_seat_is_free_as_soon_as_its_hold_has_run_out(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    hold = Hold(until=EIGHT + timedelta(minutes=5), by="reception")
    await book(everywhere, clinic, clinic.request(hold=hold))

    async def after(minutes: int) -> SlotAsItIs:
        async with everywhere.begin(clinic.caller) as work:
            lists, now = work.schedule_lists, EIGHT + timedelta(minutes=minutes)
            return await lists.slot(clinic.slots[0].id, now)

    held, over = await after(4), await after(5)
    assert (held.slot.status, held.slot.remaining) == (SlotStatus.BUSY, 0)
    assert (over.slot.status, over.slot.remaining) == (SlotStatus.FREE, 1)
    assert (held.lapsed, over.lapsed) == (0, 1)

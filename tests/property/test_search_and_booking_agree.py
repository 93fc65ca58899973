"""What search shows is what booking accepts, whatever has happened before."""

import asyncio
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given
from hypothesis import settings as examples

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.commands.put_settings import PutSettings
from scheduling.application.ports.repositories import (
    Candidate,
    SlotFilter,
    SlotRepository,
)
from scheduling.application.queries.search_available_slots import SearchAvailableSlots
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.booking_request import (
    BookingRequest,
    BySlot,
    ByStart,
    Override,
)
from scheduling.domain.claim import Clashes
from scheduling.domain.errors import (
    DomainError,
    DoubleBookingDetected,
    NotBookable,
    NotFound,
)
from scheduling.domain.identifiers import SlotId
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot
from scheduling.domain.version import ExpectedVersion
from tests.builders import at
from tests.contracts.storages import PostgresStorage, Storage, postgres_storage
from tests.fakes.slots import MemorySlots
from tests.fakes.storage import MemoryStorage, MemoryUnitOfWork
from tests.property.worlds import Book, Plan, World, plans, realise

EVERY_DAY = Period(at("00:00", day=-1), at("00:00", day=4))
INSISTING = Override(reason="he cannot wait", allowed=True)


async def play(storage: Storage, plan: Plan) -> None:
    world = await realise(storage.begin, plan)
    standing: list[Appointment] = []
    for step in plan.steps:
        if isinstance(step, Settings):
            await PutSettings(storage.begin, lambda: plan.now)(world.caller, step)
        elif isinstance(step, Book):
            booked = await book(storage, plan, world, step)
            standing += [booked] if booked else []
        elif step.number < len(standing):
            await cancel(storage, plan, world, standing.pop(step.number))
        await is_sound(storage, world, standing)


async def shown(storage: Storage, plan: Plan, world: World, step: Book) -> set[SlotId]:
    """Search twice: among everything, and for the practitioner of the slot alone."""
    search = SearchAvailableSlots(storage.begin, lambda: plan.now)
    patient, slot = world.patients[step.patient], world.slots[step.slot]
    everything = SlotFilter(period=EVERY_DAY, patient_id=patient.id)
    found = {one.slot_id for one in (await search(world.caller, everything)).items}
    narrow = SlotFilter(
        period=EVERY_DAY,
        patient_id=patient.id,
        practitioner_id=slot.practitioner_id,
        location_id=slot.location_id,
    )
    there = {one.slot_id for one in (await search(world.caller, narrow)).items}
    of_it = (slot.practitioner_id, slot.location_id)
    assert there == {
        one.id
        for one in world.slots
        if one.id in found and (one.practitioner_id, one.location_id) == of_it
    }
    return found


async def book(
    storage: Storage, plan: Plan, world: World, step: Book
) -> Appointment | None:
    slot = world.slots[step.slot]
    offered = slot.id in await shown(storage, plan, world, step)
    event(f"offered: {offered}")
    request = BookingRequest(
        patient_id=world.patients[step.patient].id,
        when=ByStart(slot.practitioner_id, slot.location_id, slot.period)
        if step.by_start
        else BySlot(slot.id),
        appointment_type="consultation",
        resources=() if step.room is None else (world.rooms[step.room],),
        override=INSISTING if step.override else None,
    )
    booked = await attempt(storage, plan, world, request)
    if isinstance(booked, DomainError):
        # Search knows nothing of the room.
        room_taken = step.room is not None and isinstance(booked, DoubleBookingDetected)
        assert not offered or room_taken, booked
        return None
    # By start a longer slot, or several, may serve as well: search shows whole ones.
    if booked.slot_ids == (slot.id,) and not booked.overbooked:
        assert offered
    return booked


async def attempt(
    storage: Storage, plan: Plan, world: World, request: BookingRequest
) -> Appointment | DomainError:
    book = BookAppointment(storage.begin, lambda: plan.now)
    try:
        booked = await book(world.caller, request)
    except (NotBookable, NotFound) as refusal:
        event(type(refusal).__name__)
        return refusal
    event("booked")
    return booked


async def cancel(
    storage: Storage, plan: Plan, world: World, appointment: Appointment
) -> None:
    await CancelAppointment(storage.begin, lambda: plan.now)(
        world.caller,
        appointment.id,
        expected=ExpectedVersion(1),
        reason_code=CancelReason.OTHER,
        initiated_by=Initiator.STAFF,
        comment=None,
    )


async def is_sound(storage: Storage, world: World, standing: list[Appointment]) -> None:
    claims = await storage.claims(world.caller)
    assert {claim.appointment_id for claim in claims} == {one.id for one in standing}
    for one, other in combinations(claims, 2):
        overbooked = one.overbooked or other.overbooked
        assert overbooked or not one.is_in_the_way_of(other)
    for slot in await stored(storage, world):
        holders = [one for one in standing if slot.id in one.slot_ids]
        assert slot.booked == len(holders)
        assert slot.booked <= slot.capacity or any(one.overbooked for one in holders)
        assert slot.remaining == 0 or slot.remaining + slot.booked == slot.capacity


async def stored(storage: Storage, world: World) -> list[Slot]:
    async with storage.begin(world.caller) as work:
        return [await work.slots.get(slot.id) for slot in world.slots]


QUICKLY: dict[str, Any] = {
    "deadline": None,
    "phases": [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    "suppress_health_check": [HealthCheck.too_slow],
}


@examples(max_examples=400, **QUICKLY)
@given(plan=plans())
def test_on_storage_in_memory(plan: Plan) -> None:
    asyncio.run(play(MemoryStorage(), plan))


def test_on_postgresql(database_url: str) -> None:
    with asyncio.Runner() as runner:
        opened = postgres_storage(database_url, size=1)
        storage: PostgresStorage = runner.run(opened.__aenter__())

        @examples(max_examples=60, **QUICKLY)
        @given(plan=plans(steps=8))
        def agree(plan: Plan) -> None:
            runner.run(play(storage, plan))

        try:
            agree()
        finally:
            runner.run(opened.__aexit__(None, None, None))


class BlindSlots(MemorySlots):
    async def candidates(
        self, wanted: SlotFilter, settings: Settings
    ) -> Sequence[Candidate]:
        found = await super().candidates(wanted, settings)
        return [candidate._replace(clashes=Clashes()) for candidate in found]


class BlindWork(MemoryUnitOfWork):
    @cached_property
    def slots(self) -> SlotRepository:
        return BlindSlots(self._transaction)


def test_a_search_that_overlooks_who_is_taken_is_found_out() -> None:
    """The judge is judged."""

    @examples(max_examples=300, deadline=None, database=None, phases=[Phase.generate])
    @given(plan=plans())
    def agree(plan: Plan) -> None:
        asyncio.run(play(MemoryStorage(work=BlindWork), plan))

    with pytest.raises(AssertionError):
        agree()

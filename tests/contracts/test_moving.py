"""What storage promises of moves and steps, on memory and PostgreSQL alike."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from scheduling.application.commands.edit_appointment import Edits
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import BySlot
from scheduling.domain.claim import ActorKind
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import (
    BookingLimitReached,
    DomainError,
    DoubleBookingDetected,
    NewSlotNotAvailable,
    OptimisticLockConflict,
    SlotNotAvailable,
)
from scheduling.domain.moving import Otherwise
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.slot import SlotStatus
from scheduling.domain.status import Status
from tests.builders import (
    a_room,
    at,
    between,
    open_clinic,
    slots_from,
)
from tests.contracts.reception import Open, Reception, all_of, won
from tests.contracts.storages import PostgresStorage
from tests.contracts.visits import types

FREE, BUSY = (0, SlotStatus.FREE), (1, SlotStatus.BUSY)


async def test_a_move_gives_the_old_time_back_and_takes_the_new(
    reception: Open,
) -> None:
    here = await reception(preferences=ContactPreferences(sms=True))
    one = await here.book(here.clinic.request())
    moved = await here.move(one, BySlot(here.clinic.slots[2].id))
    assert await here.stored(one) == replace(moved, events=())
    assert await here.seats() == [FREE, FREE, BUSY, FREE]
    assert await here.taken_by(one) == {
        (ActorKind.PRACTITIONER, at("10:00")),
        (ActorKind.PATIENT, at("10:00")),
    }
    assert await types(here.storage, here.clinic) == [
        "appointment.created",
        "appointment.updated",
        "slot.opened",
    ]


async def test_reminders_of_the_old_time_are_cancelled_and_new_ones_are_made(
    reception: Open,
) -> None:
    here = await reception(
        preferences=ContactPreferences(sms=True),
        settings=Settings(reminder_offsets_minutes=(30,)),
    )
    one = await here.book(here.clinic.request())
    await here.move(one, BySlot(here.clinic.slots[2].id))
    reminders = await here.storage.reminders(here.clinic.caller)
    assert {(r.due_at, r.status, r.appointment_version) for r in reminders} == {
        (at("08:30"), "CANCELLED", 1),
        (at("09:30"), "SCHEDULED", 2),
    }


async def test_who_begins_as_before_is_still_reminded_of_what_is_due_already(
    reception: Open,
) -> None:
    """Between the instant and the sweep: planned anew, it would be too late for it."""
    here = await reception(
        preferences=ContactPreferences(sms=True),
        settings=Settings(reminder_offsets_minutes=(30,)),
    )
    one = await here.book(here.clinic.request())
    here.now = at("08:31")
    shorter = await here.edit(one, Edits(fields={}, place=Otherwise(minutes=15)))
    assert shorter.version == 2
    (left,) = await here.storage.reminders(here.clinic.caller)
    assert (left.due_at, left.status, left.appointment_version) == (
        at("08:30"),
        "SCHEDULED",
        1,
    )
    await here.move(shorter, Otherwise(start=at("09:30")))
    former, new = await here.storage.reminders(here.clinic.caller)
    assert (former.status, new.status) == ("CANCELLED", "SCHEDULED")
    assert new.due_at == at("09:00")


async def test_a_move_to_the_same_time_changes_nothing_and_tells_nobody(
    reception: Open,
) -> None:
    here = await reception()
    one = await here.book(here.clinic.request())
    for when in (Otherwise(start=at("09:00")), BySlot(here.clinic.slots[0].id)):
        assert (await here.move(one, when)).version == 1
    assert await types(here.storage, here.clinic) == ["appointment.created"]


async def test_a_failed_move_leaves_the_old_whole(reception: Open) -> None:
    here = await reception()
    one = await here.book(here.clinic.request(0, 0))
    await here.book(here.clinic.request(1, 1))
    with pytest.raises(NewSlotNotAvailable):
        await here.move(one, BySlot(here.clinic.slots[1].id))
    assert (await here.stored(one)).version == 1
    assert await here.seats() == [BUSY, BUSY, FREE, FREE]
    assert len(await here.taken_by(one)) == 2


async def test_a_move_by_a_part_of_its_own_time_keeps_the_slot_in_the_middle(
    reception: Open,
) -> None:
    here = await reception()
    one = await here.book(here.clinic.by_start(between("09:00", "10:00")))
    moved = await here.move(one, Otherwise(start=at("09:30")))
    assert moved.slot_ids == tuple(slot.id for slot in here.clinic.slots[1:3])
    assert await here.seats() == [FREE, BUSY, BUSY, FREE]


async def test_a_group_keeps_its_other_patients_when_one_moves_away(
    reception: Open,
) -> None:
    here = await reception(slots=2, capacity=2)
    one = await here.book(here.clinic.request(0, 0))
    await here.book(here.clinic.request(1, 0))
    await here.move(one, BySlot(here.clinic.slots[1].id))
    assert await here.seats() == [(1, SlotStatus.FREE), (1, SlotStatus.FREE)]


async def test_a_seat_left_beside_a_hold_that_ran_out_is_told_with_it_and_not_again(
    reception: Open,
) -> None:
    """Each version of a slot has one piece of news at the most."""
    here = await reception(
        slots=2, capacity=2, settings=Settings(hold_minutes=10, buffer_minutes=30)
    )
    one = await here.book(here.clinic.request(0, 0))
    hold = await here.hold(1, 0)
    here.now = hold.hold_expires_at or here.now
    await here.move(one, BySlot(here.clinic.slots[1].id))
    assert await here.seats() == [(0, SlotStatus.FREE), (1, SlotStatus.FREE)]
    assert await types(here.storage, here.clinic) == [
        "appointment.created",
        "appointment.created",
        "hold.expired",
        "slot.opened",
        "appointment.updated",
    ]


async def test_what_limits_count_is_not_the_visit_that_moves(reception: Open) -> None:
    here = await reception(settings=Settings(limits=Limits(per_practitioner_day=1)))
    one = await here.book(here.clinic.request())
    moved = await here.move(one, BySlot(here.clinic.slots[1].id))
    assert moved.version == 2
    with pytest.raises(BookingLimitReached):
        await here.book(here.clinic.request(1, 2))


async def test_a_visit_gets_longer_and_another_room(reception: Open) -> None:
    here = await reception()
    one = await here.book(here.clinic.request())
    room = a_room()
    edits = Edits(fields={"resources": (room,)}, place=Otherwise(minutes=60))
    edited = await here.edit(one, edits)
    assert edited.resources == (room,)
    assert await here.seats() == [BUSY, BUSY, FREE, FREE]
    assert (ActorKind.ROOM, at("09:30")) in await here.taken_by(one)
    back = await here.edit(
        edited, Edits(fields={"resources": ()}, place=Otherwise(minutes=30))
    )
    assert back.version == 3
    assert await here.seats() == [BUSY, FREE, FREE, FREE]
    assert {kind for kind, _ in await here.taken_by(one)} == {
        ActorKind.PRACTITIONER,
        ActorKind.PATIENT,
    }


async def test_an_edit_of_words_takes_no_time_and_tells_no_words(
    reception: Open,
) -> None:
    here = await reception()
    one = await here.book(here.clinic.request())
    fields = {"appointment_type": "follow-up", "notes": "marker-notes"}
    edited = await here.edit(one, Edits(fields=fields))
    assert (edited.notes, edited.version) == ("marker-notes", 2)
    assert (await here.edit(edited, Edits(fields=fields))).version == 2
    told = (await here.storage.outbox(here.clinic.caller))[-1].body
    assert orjson.loads(told)["data"]["changed"] == ["appointmentType", "notes"]
    assert b"marker" not in told


async def test_what_a_visit_has_is_not_asked_anew_with_an_edit_of_words(
    reception: Open,
) -> None:
    """Its slot was blocked since: it has its time, and no more."""
    here = await reception()
    one = await here.book(here.clinic.request())
    async with here.storage.begin(here.clinic.caller) as work:
        slot = await work.slots.get(here.clinic.slots[0].id)
        work.slots.keep(slot.blocked(now=here.now), here.now)
    the_same = {"resources": (), "notes": "by the stairs"}
    edits = Edits(fields=the_same, place=Otherwise(minutes=30))
    assert (await here.edit(one, edits)).notes == "by the stairs"
    with pytest.raises(SlotNotAvailable):
        await here.edit(
            replace(one, version=2), Edits(fields={}, place=Otherwise(minutes=60))
        )


async def test_a_whole_life_gives_the_seat_back_only_where_nobody_came(
    reception: Open,
) -> None:
    here = await reception()
    seen, missed = [await here.book(here.clinic.request(n, n)) for n in (0, 1)]
    for step in (
        Status.CONFIRMED,
        Status.ARRIVED,
        Status.IN_PROGRESS,
        Status.COMPLETED,
    ):
        seen = await here.step(seen, step)
    missed = await here.step(missed, Status.NO_SHOW)
    assert await here.seats() == [BUSY, FREE, FREE, FREE]
    assert await here.taken_by(missed) == set()
    await here.step(seen, Status.ENTERED_IN_ERROR)
    assert await here.seats() == [FREE] * 4
    assert await here.taken_by(seen) == set()


async def test_who_comes_after_all_is_booked_anew_if_there_is_room(
    reception: Open,
) -> None:
    here = await reception()
    lucky, late = [await here.book(here.clinic.request(n, n)) for n in (0, 1)]
    lucky = await here.step(lucky, Status.NO_SHOW)
    late = await here.step(late, Status.NO_SHOW)
    await here.book(here.clinic.request(2, 1))
    here.now = at("09:40")
    lucky = await here.step(lucky, Status.ARRIVED)
    assert lucky.status is Status.ARRIVED
    with pytest.raises((SlotNotAvailable, DoubleBookingDetected)):
        await here.step(late, Status.ARRIVED)
    assert await here.seats() == [BUSY, BUSY, FREE, FREE]
    assert len(await here.taken_by(lucky)) == 2


async def test_of_two_who_move_one_visit_one_is_told_that_it_changed(
    reception: Open,
) -> None:
    here = await reception()
    one = await here.book(here.clinic.request())
    outcomes = await all_of(
        here.move(one, BySlot(here.clinic.slots[n].id)) for n in (1, 2)
    )
    assert len(won(outcomes)) == 1
    (lost,) = [o for o in outcomes if not isinstance(o, Appointment)]
    assert isinstance(lost, OptimisticLockConflict)
    assert sorted(await here.seats(), key=str).count(BUSY) == 1


async def test_visits_of_one_practitioner_change_places_in_any_order(
    on_postgres: PostgresStorage,
) -> None:
    """Sixteen move about eight slots at once: no deadlock, no seat lost or doubled."""
    clinic = await open_clinic(
        on_postgres.begin, *slots_from("09:00", count=12), patients=8
    )
    here = Reception(on_postgres, clinic)
    booked = [await here.book(clinic.request(n, n)) for n in range(8)]

    async def wander(number: int) -> None:
        one = booked[number % 8]
        for step in range(6):
            target = BySlot(clinic.slots[(number * 5 + step * 7) % 12].id)
            try:
                one = await here.move(await here.stored(one), target)
            except DomainError:
                continue

    await asyncio.gather(*(wander(number) for number in range(16)))
    held = [slot for one in booked for slot in (await here.stored(one)).slot_ids]
    assert len(set(held)) == len(held) == 8
    seats = await here.seats()
    for slot, (count, status) in zip(clinic.slots, seats, strict=True):
        assert count == held.count(slot.id)
        assert (status is SlotStatus.BUSY) is (count == 1)
    claims = await on_postgres.claims(clinic.caller)
    assert len(claims) == 16

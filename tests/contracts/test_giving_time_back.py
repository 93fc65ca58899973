"""What an appointment gives back, what it leaves behind, and what is told of it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.domain.appointment import CancelReason, Initiator
from scheduling.domain.booking import (
    decide_booking,
)
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import (
    BookingLimitReached,
    OptimisticLockConflict,
)
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.slot import SlotStatus, released_together
from scheduling.domain.status import Status
from tests.builders import (
    EIGHT,
    a_room,
    at,
    between,
    open_clinic,
    slots_from,
)
from tests.contracts.offers import offered
from tests.contracts.storages import Storage
from tests.contracts.visits import add, book, cancel, known, slot_of, types


async def test_what_is_cancelled_can_be_had_at_once(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, settings=Settings(buffer_minutes=15))
    booked = await book(everywhere, clinic, clinic.request(resources=(a_room(),)))
    cancelled = await cancel(everywhere, clinic, booked.id)
    assert await everywhere.claims(clinic.caller) == []
    slot = await slot_of(everywhere, clinic)
    assert (slot.booked, slot.status, slot.version) == (0, SlotStatus.FREE, 3)
    async with everywhere.begin(clinic.caller) as work:
        assert await work.appointments.get(booked.id) == replace(cancelled, events=())
    await book(everywhere, clinic, clinic.request(1))
    assert await types(everywhere, clinic) == [
        "appointment.created",
        "appointment.cancelled",
        "slot.opened",
        "appointment.created",
    ]


async def test_one_of_a_group_gives_back_one_seat_and_nobody_elses_time(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin, capacity=3)
    first = await book(everywhere, clinic, clinic.request(0))
    second = await book(everywhere, clinic, clinic.request(1))
    await cancel(everywhere, clinic, first.id)
    slot = await slot_of(everywhere, clinic)
    assert (slot.booked, slot.remaining) == (1, 2)
    left = {c.appointment_id for c in await everywhere.claims(clinic.caller)}
    assert left == {second.id}
    assert "slot.opened" not in await types(everywhere, clinic)


async def test_with_slots_they_come_in_the_order_of_time(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=3))
    long = await book(everywhere, clinic, clinic.by_start(between("09:00", "10:30")))
    async with everywhere.begin(clinic.caller) as work:
        found, slots = await work.appointments.with_slots(long.id)
    assert found == replace(long, events=())
    assert tuple(slot.id for slot in slots) == long.slot_ids
    assert [slot.booked for slot in slots] == [1, 1, 1]


async def test_a_stale_version_cannot_be_released(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    booked = await book(everywhere, clinic, clinic.request())
    async with everywhere.begin(clinic.caller) as work:
        stale, slots = await work.appointments.with_slots(booked.id)
    await cancel(everywhere, clinic, booked.id)
    again = stale.cancel(
        reason_code=CancelReason.OTHER,
        initiated_by=Initiator.STAFF,
        comment=None,
        now=EIGHT,
    )
    with pytest.raises(DecisionOutdated) as outdated:
        async with everywhere.begin(clinic.caller) as work:
            work.appointments.release(again, stale.freed(slots, EIGHT))
    assert isinstance(outdated.value.refusal, OptimisticLockConflict)
    assert (await types(everywhere, clinic)).count("appointment.cancelled") == 1
    assert (await slot_of(everywhere, clinic)).booked == 0


async def test_two_who_leave_a_group_at_once_free_two_seats_and_open_it_once(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin, capacity=3, patients=3)
    booked = [
        await book(everywhere, clinic, clinic.request(number)) for number in range(3)
    ]
    async with everywhere.begin(clinic.caller) as work:
        found = await work.appointments.all_with_slots([one.id for one in booked[:2]])
        gone = [
            one.cancel(
                reason_code=CancelReason.OTHER,
                initiated_by=Initiator.STAFF,
                comment=None,
                now=EIGHT,
            )
            for one, _ in found
        ]
        freed = released_together((slots for _, slots in found), EIGHT)
        work.appointments.release_all(gone, freed)
    slot = await slot_of(everywhere, clinic)
    assert (slot.booked, slot.remaining, slot.status) == (1, 2, SlotStatus.FREE)
    told = await types(everywhere, clinic)
    assert told.count("appointment.cancelled") == 2
    assert told.count("slot.opened") == 1
    left = {claim.appointment_id for claim in await everywhere.claims(clinic.caller)}
    assert left == {booked[2].id}


async def test_who_wants_to_change_an_appointment_waits_for_who_is_at_it(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    booked = await book(everywhere, clinic, clinic.request())
    holding, waiting = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with everywhere.begin(clinic.caller) as work:
            appointment, slots = await work.appointments.with_slots(booked.id)
            holding.set()
            await waiting.wait()
            gone = appointment.cancel(
                reason_code=CancelReason.OTHER,
                initiated_by=Initiator.STAFF,
                comment=None,
                now=EIGHT,
            )
            work.appointments.release(gone, appointment.freed(slots, EIGHT))

    async def second() -> Status:
        await holding.wait()
        async with everywhere.begin(clinic.caller) as work:
            waiting.set()
            appointment, _ = await work.appointments.with_slots(booked.id)
        return appointment.status

    _, seen = await asyncio.gather(first(), second())
    assert seen is Status.CANCELLED


async def test_reminders_are_kept_and_called_off(everywhere: Storage) -> None:
    clinic = await open_clinic(
        everywhere.begin,
        between("09:00", "09:30", day=3),
        preferences=ContactPreferences(sms=True, email=True),
    )
    booked = await book(everywhere, clinic, clinic.request())
    planned = await everywhere.reminders(clinic.caller)
    start = booked.period.start
    assert [(r.offset_minutes, r.channel, r.due_at, r.status) for r in planned] == [
        (1440, "sms", start - timedelta(hours=24), "SCHEDULED"),
        (120, "sms", start - timedelta(hours=2), "SCHEDULED"),
    ]
    assert {r.appointment_version for r in planned} == {1}
    await cancel(everywhere, clinic, booked.id)
    assert {r.status for r in await everywhere.reminders(clinic.caller)} == {
        "CANCELLED"
    }


@pytest.mark.parametrize("status", [Status.NO_SHOW, Status.CANCELLED])
async def test_a_visit_that_did_not_happen_is_stored_without_taking_time(
    everywhere: Storage, status: Status
) -> None:
    clinic = await open_clinic(everywhere.begin)
    request = clinic.request()
    facts = await known(everywhere, clinic, request)
    booking = decide_booking(request, facts, now=EIGHT, past=True)
    await add(everywhere, clinic, booking.taken_over_as(status, now=EIGHT))
    assert await everywhere.claims(clinic.caller) == []
    assert (await slot_of(everywhere, clinic)).booked == 0
    assert await types(everywhere, clinic) == [
        "appointment.created",
        f"appointment.{status}",
    ]
    async with everywhere.begin(clinic.caller) as work:
        found = await work.appointments.get(booking.appointment.id)
    assert (found.status, found.version) == (status, 2)


@pytest.mark.parametrize(
    ("status", "counts"), [(Status.COMPLETED, True), (Status.NO_SHOW, False)]
)
async def test_limits_count_a_visit_that_took_place(
    everywhere: Storage,
    status: Status,
    counts: bool,  # noqa: FBT001
) -> None:
    clinic = await open_clinic(
        everywhere.begin,
        *slots_from("09:00", count=2),
        settings=Settings(limits=Limits(per_practitioner_week=1)),
    )
    request = clinic.request(0, 0)
    facts = await known(everywhere, clinic, request)
    booking = decide_booking(request, facts, now=EIGHT, past=True)
    await add(everywhere, clinic, booking.taken_over_as(status, now=EIGHT))
    facts = await known(everywhere, clinic, clinic.request(1, 1))
    assert facts.taken == ((at("09:00"),) if counts else ())
    once = Settings(limits=Limits(per_practitioner_week=1))
    assert bool(await offered(everywhere, clinic, once)) is not counts


async def test_limits_count_what_stands_and_no_cancelled(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(
        everywhere.begin,
        *slots_from("09:00", count=3),
        patients=3,
        settings=Settings(limits=Limits(per_practitioner_day=1)),
    )
    first = await book(everywhere, clinic, clinic.request(0, 0))
    facts = await known(everywhere, clinic, clinic.request(1, 1))
    assert facts.taken == (first.period.start,)
    with pytest.raises(BookingLimitReached):
        await book(everywhere, clinic, clinic.request(1, 1))
    await cancel(everywhere, clinic, first.id)
    await book(everywhere, clinic, clinic.request(1, 1))


async def test_a_day_full_of_others_is_not_counted(everywhere: Storage) -> None:
    clinic = await open_clinic(
        everywhere.begin, settings=Settings(limits=Limits(per_practitioner_week=1))
    )
    other = await open_clinic(everywhere.begin, caller=clinic.caller)
    await book(everywhere, other, other.request())
    await book(everywhere, clinic, clinic.request())


async def test_each_command_is_audited_with_old_and_new(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    booked = await book(everywhere, clinic, clinic.request())
    await cancel(everywhere, clinic, booked.id)
    records = [
        record
        for record in await everywhere.audit(clinic.caller)
        if record.entity_id == booked.id
    ]
    told = {record.action: record for record in records}
    made = told["appointment.booked"].changes
    assert made["status"] == (None, "booked")
    assert made["patientId"] == (None, str(booked.patient_id))
    assert told["appointment.cancelled"].changes == {
        "status": ("booked", "cancelled"),
        "reasonCode": (None, "patient"),
        "cancelledBy": (None, "staff"),
    }
    assert {record.actor for record in records} == {"reception"}

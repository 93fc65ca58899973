"""A booking takes its seats and its actors' time, or nothing at all."""

from dataclasses import replace

import pytest

from scheduling.application.ports.unit_of_work import DecisionOutdated, StorageError
from scheduling.domain.booking import (
    decide_booking,
)
from scheduling.domain.booking_request import (
    ByStart,
    Override,
)
from scheduling.domain.claim import ActorKind
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import (
    AppointmentNotFound,
    DoubleBookingDetected,
    SlotNotAvailable,
)
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.slot import SlotStatus
from tests.builders import (
    EIGHT,
    a_device,
    a_room,
    an_id,
    at,
    between,
    open_clinic,
    slots_from,
)
from tests.contracts.storages import Storage
from tests.contracts.visits import add, book, cancel, known, slot_of, types

INSISTING = Override(reason="he cannot wait", allowed=True)


async def test_a_stored_appointment_is_read_back_whole(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, timezone="Europe/Berlin")
    request = clinic.request(
        reason="cough", notes="files", resources=(a_room(), a_device()), id=an_id()
    )
    booked = await book(everywhere, clinic, request)
    async with everywhere.begin(clinic.caller) as work:
        found = await work.appointments.get(booked.id)
    assert found == replace(booked, events=())
    assert found.timezone == "Europe/Berlin"


async def test_what_is_not_there_is_said_so(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    async with everywhere.begin(clinic.caller) as work:
        assert await work.appointments.find(an_id()) is None
        for read in (work.appointments.get, work.appointments.with_slots):
            with pytest.raises(AppointmentNotFound):
                await read(an_id())


async def test_facts_are_what_is_known_of_a_slot(everywhere: Storage) -> None:
    clinic = await open_clinic(
        everywhere.begin,
        timezone="Europe/Berlin",
        settings=Settings(buffer_minutes=15),
        preferences=ContactPreferences(sms=True),
    )
    facts = await known(everywhere, clinic, clinic.request())
    assert facts.slots == clinic.slots
    assert (facts.patient_active, facts.preferences) == (
        True,
        ContactPreferences(sms=True),
    )
    assert (facts.practitioner_active, facts.location_active) == (True, True)
    assert (facts.location_timezone, facts.has_schedule) == ("Europe/Berlin", True)
    assert (facts.assignments, facts.claims, facts.taken) == ((), (), ())
    assert facts.settings.buffer_minutes == 15


async def test_facts_by_start_are_the_slots_that_may_serve(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=4))
    asked = clinic.by_start(between("09:30", "10:30"))
    facts = await known(everywhere, clinic, asked)
    assert facts.slots == clinic.slots[1:3]
    nowhere = replace(asked, when=ByStart(an_id(), an_id(), between("9:00", "9:30")))  # type: ignore[arg-type]
    facts = await known(everywhere, clinic, nowhere)
    assert (facts.slots, facts.has_schedule) == ((), False)
    assert facts.practitioner_active is facts.location_active is None


async def test_facts_name_who_is_around_the_time(everywhere: Storage) -> None:
    clinic = await open_clinic(
        everywhere.begin,
        *slots_from("09:00", count=3),
        settings=Settings(buffer_minutes=30),
    )
    room = a_room()
    booked = await book(everywhere, clinic, clinic.request(0, 0, resources=(room,)))
    others = await open_clinic(
        everywhere.begin,
        between("09:15", "09:45"),
        caller=clinic.caller,
        patients=clinic.patients,
    )
    facts = await known(everywhere, others, others.request(0, 0, resources=(room,)))
    assert {(c.appointment_id, c.kind) for c in facts.claims} >= {
        (booked.id, ActorKind.PATIENT),
        (booked.id, ActorKind.ROOM),
    }
    with pytest.raises(DoubleBookingDetected) as refused:
        decide_booking(others.request(0, 0), facts, now=EIGHT)
    assert refused.value.conflicting == (booked.id,)


async def test_a_booking_takes_its_seat_and_its_actors_time(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(
        everywhere.begin, settings=Settings(buffer_minutes=15), capacity=2
    )
    request = clinic.request(resources=(a_room(), a_device()))
    booking = decide_booking(
        request, await known(everywhere, clinic, request), now=EIGHT
    )
    await add(everywhere, clinic, booking)
    stored = await everywhere.claims(clinic.caller)
    assert set(stored) == set(booking.claims)
    slot = await slot_of(everywhere, clinic)
    assert (slot.booked, slot.status, slot.version) == (1, SlotStatus.FREE, 2)
    await book(everywhere, clinic, clinic.request(1))
    slot = await slot_of(everywhere, clinic)
    assert (slot.booked, slot.status, slot.version) == (2, SlotStatus.BUSY, 3)


async def test_a_last_seat_is_given_to_the_first(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    first, second = clinic.request(0), clinic.request(1)
    facts = await known(everywhere, clinic, second)
    await book(everywhere, clinic, first)
    late = decide_booking(second, facts, now=EIGHT)
    with pytest.raises(DecisionOutdated) as outdated:
        await add(everywhere, clinic, late)
    assert isinstance(outdated.value.refusal, SlotNotAvailable)
    slot = await slot_of(everywhere, clinic)
    assert (slot.booked, slot.version) == (1, 2)
    assert await types(everywhere, clinic) == ["appointment.created"]
    with pytest.raises(SlotNotAvailable):
        await book(everywhere, clinic, second)


@pytest.mark.parametrize(
    "other",
    [between("09:15", "09:45"), between("09:10", "09:20"), between("08:00", "12:00")],
    ids=["half", "inside", "around"],
)
async def test_a_practitioners_overlapping_time_is_given_to_the_first(
    everywhere: Storage, other: Period
) -> None:
    clinic = await open_clinic(everywhere.begin, between("09:00", "09:30"), other)
    late = clinic.request(1, 1)
    facts = await known(everywhere, clinic, late)
    await book(everywhere, clinic, clinic.request(0, 0))
    with pytest.raises(DecisionOutdated) as outdated:
        await add(
            everywhere,
            clinic,
            decide_booking(late, facts, now=at("07:00")),
        )
    assert isinstance(outdated.value.refusal, DoubleBookingDetected)
    assert (await slot_of(everywhere, clinic, 1)).booked == 0
    assert len({c.appointment_id for c in await everywhere.claims(clinic.caller)}) == 1


async def test_times_that_touch_are_given_to_both(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=2))
    second = clinic.request(1, 1)
    facts = await known(everywhere, clinic, second)
    await book(everywhere, clinic, clinic.request(0, 0))
    await add(everywhere, clinic, decide_booking(second, facts, now=EIGHT))


async def test_a_buffer_that_was_taken_meanwhile_is_in_the_way(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(
        everywhere.begin,
        between("09:00", "09:30"),
        between("09:44", "10:14"),
        between("09:45", "10:15"),
        settings=Settings(buffer_minutes=15),
        patients=3,
    )
    early, just = clinic.request(1, 1), clinic.request(2, 2)
    facts_early = await known(everywhere, clinic, early)
    facts_just = await known(everywhere, clinic, just)
    await book(everywhere, clinic, clinic.request(0, 0))
    with pytest.raises(DecisionOutdated):
        await add(everywhere, clinic, decide_booking(early, facts_early, now=EIGHT))
    await add(everywhere, clinic, decide_booking(just, facts_just, now=EIGHT))


async def test_a_patient_is_given_to_the_first_practitioner(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    other = await open_clinic(
        everywhere.begin,
        between("09:15", "09:45"),
        caller=clinic.caller,
        patients=clinic.patients,
    )
    facts = await known(everywhere, other, other.request())
    await book(everywhere, clinic, clinic.request())
    with pytest.raises(DecisionOutdated) as outdated:
        await add(everywhere, other, decide_booking(other.request(), facts, now=EIGHT))
    assert isinstance(outdated.value.refusal, DoubleBookingDetected)
    assert (await slot_of(everywhere, other)).booked == 0


async def test_a_room_is_given_to_the_first(everywhere: Storage) -> None:
    room = a_room()
    clinic = await open_clinic(everywhere.begin)
    other = await open_clinic(
        everywhere.begin, between("09:15", "09:45"), caller=clinic.caller
    )
    request = other.request(resources=(a_room(), room))
    facts = await known(everywhere, other, request)
    await book(everywhere, clinic, clinic.request(resources=(room,)))
    with pytest.raises(DecisionOutdated):
        await add(everywhere, other, decide_booking(request, facts, now=EIGHT))


async def test_patients_of_one_group_share_its_practitioner_and_room(
    everywhere: Storage,
) -> None:
    room = a_room()
    clinic = await open_clinic(everywhere.begin, capacity=3, patients=3)
    for number in range(3):
        await book(everywhere, clinic, clinic.request(number, resources=(room,)))
    assert (await slot_of(everywhere, clinic)).remaining == 0


async def test_a_longer_visit_is_whole_or_not_at_all(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=3))
    long = clinic.by_start(between("09:00", "10:30"), patient=1)
    facts = await known(everywhere, clinic, long)
    booked = await book(everywhere, clinic, clinic.request(0, 2))
    with pytest.raises(DecisionOutdated):
        await add(everywhere, clinic, decide_booking(long, facts, now=EIGHT))
    assert [(await slot_of(everywhere, clinic, n)).booked for n in range(3)] == [
        0,
        0,
        1,
    ]
    await cancel(everywhere, clinic, booked.id)
    await add(everywhere, clinic, decide_booking(long, facts, now=EIGHT))
    assert [(await slot_of(everywhere, clinic, n)).booked for n in range(3)] == [1] * 3


async def test_the_same_appointment_cannot_be_added_twice(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, capacity=2)
    request = clinic.request()
    facts = await known(everywhere, clinic, request)
    booking = decide_booking(request, facts, now=EIGHT)
    await add(everywhere, clinic, booking)
    with pytest.raises(StorageError):
        await add(everywhere, clinic, booking)
    assert (await slot_of(everywhere, clinic)).booked == 1


async def test_an_overbooked_one_is_stored_beside_the_others(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin, patients=3)
    first = await book(everywhere, clinic, clinic.request(0))
    second = await book(everywhere, clinic, clinic.request(1, override=INSISTING))
    assert second.overbooked
    slot = await slot_of(everywhere, clinic)
    assert (slot.booked, slot.remaining, slot.status) == (2, 0, SlotStatus.BUSY)
    async with everywhere.begin(clinic.caller) as work:
        found = await work.appointments.get(second.id)
    assert (found.overbooked, found.override_reason) == (True, "he cannot wait")

    await cancel(everywhere, clinic, first.id)
    assert (await slot_of(everywhere, clinic)).remaining == 0
    with pytest.raises(SlotNotAvailable):
        await book(everywhere, clinic, clinic.request(2))
    await cancel(everywhere, clinic, second.id)
    await book(everywhere, clinic, clinic.request(2))


async def test_an_overbooked_one_is_in_the_way_of_those_who_ask_later(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(
        everywhere.begin,
        between("09:00", "09:30"),
        between("09:15", "09:45"),
        between("09:30", "10:00"),
        patients=3,
    )
    await book(everywhere, clinic, clinic.request(0, 0))
    await book(everywhere, clinic, clinic.request(1, 1, override=INSISTING))
    with pytest.raises(DoubleBookingDetected):
        await book(everywhere, clinic, clinic.request(2, 2))

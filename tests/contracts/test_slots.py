"""Slots are stored once, and search tells what is in their way."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scheduling.application.ports.repositories import Candidate, SlotFilter
from scheduling.domain.booking_request import (
    Override,
)
from scheduling.domain.claim import Clashes
from scheduling.domain.errors import InvalidInput, SlotNotFound
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot
from tests.builders import (
    EIGHT,
    Clinic,
    a_practitioner,
    a_role,
    an_id,
    at,
    between,
    open_clinic,
    slots_from,
)
from tests.contracts.storages import Storage
from tests.contracts.visits import book, cancel

THE_DAY = between("00:00", "23:59")
QUARTER = Settings(buffer_minutes=15)


async def found(
    storage: Storage,
    clinic: Clinic,
    settings: Settings | None = None,
    **asked: Any,  # noqa: ANN401
) -> list[Candidate]:
    wanted = SlotFilter(**{"period": THE_DAY, **asked})
    async with storage.begin(clinic.caller) as work:
        return list(await work.slots.candidates(wanted, settings or Settings()))


def numbers(clinic: Clinic, candidates: list[Candidate]) -> list[int]:
    ids = [slot.id for slot in clinic.slots]
    return [ids.index(candidate.slot_id) for candidate in candidates]


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
    assert len(await found(everywhere, clinic)) == 2


async def test_a_candidate_is_the_slot_as_it_stands(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, capacity=3, timezone="Europe/Berlin")
    await book(everywhere, clinic, clinic.request())
    (slot,) = clinic.slots
    (candidate,) = await found(everywhere, clinic)
    assert candidate._replace(service_types=()) == Candidate(
        slot_id=slot.id,
        schedule_id=clinic.schedule.id,
        practitioner_id=clinic.practitioner.id,
        location_id=clinic.location.id,
        start=slot.period.start,
        end=slot.period.end,
        timezone="Europe/Berlin",
        remaining=2,
        service_types=(),
        clashes=Clashes(),
    )


async def test_full_slots_are_not_found_until_a_seat_is_free(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=2))
    booked = await book(everywhere, clinic, clinic.request(0, 0))
    assert numbers(clinic, await found(everywhere, clinic)) == [1]
    await cancel(everywhere, clinic, booked.id)
    assert numbers(clinic, await found(everywhere, clinic)) == [0, 1]


async def test_what_begins_in_the_period_is_found_in_order(everywhere: Storage) -> None:
    periods = slots_from("09:00", count=5)
    clinic = await open_clinic(everywhere.begin, *reversed(periods))
    asked = Period(periods[1].start, periods[3].start)
    assert numbers(clinic, await found(everywhere, clinic, period=asked)) == [3, 2]


async def test_pages_follow_each_other_without_gap_or_double(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=4))
    others = await open_clinic(
        everywhere.begin, *slots_from("09:00", count=3), caller=clinic.caller
    )
    pages, after = [], None
    while page := await found(everywhere, clinic, after=after, limit=2):
        assert len(page) <= 2
        pages += page
        after = (page[-1].start, page[-1].slot_id)
    assert pages == await found(everywhere, clinic)
    assert {one.slot_id for one in pages} == {
        slot.id for slot in (*clinic.slots, *others.slots)
    }
    order = [(one.start, one.slot_id) for one in pages]
    assert order == sorted(order)


async def test_search_asks_for_place_people_and_services(everywhere: Storage) -> None:
    clinic = await open_clinic(
        everywhere.begin, practitioner=a_practitioner(specialties=("cardiology",))
    )
    other = await open_clinic(everywhere.begin, caller=clinic.caller)
    special = Slot.opened(
        clinic.schedule,
        between("11:00", "11:30"),
        capacity=1,
        service_types=("x-ray",),
        now=EIGHT,
    )
    async with everywhere.begin(clinic.caller) as work:
        work.slots.add(special)

    async def ids(**asked: Any) -> set[Any]:  # noqa: ANN401
        return {one.slot_id for one in await found(everywhere, clinic, **asked)}

    plain, elsewhere = clinic.slots[0].id, other.slots[0].id
    assert await ids() == {plain, elsewhere, special.id}
    assert await ids(practitioner_id=other.practitioner.id) == {elsewhere}
    assert await ids(location_id=clinic.location.id) == {plain, special.id}
    assert await ids(specialty="cardiology") == {plain, special.id}
    assert await ids(specialty="surgery") == set()
    assert await ids(service_type="x-ray") == {plain, elsewhere, special.id}
    assert await ids(service_type="checkup") == {plain, elsewhere}
    assert await ids(
        service_type="checkup", practitioner_id=clinic.practitioner.id
    ) == {plain}


@pytest.mark.parametrize("closed", ["practitioner", "location"])
async def test_nothing_is_found_where_nobody_works(
    everywhere: Storage, closed: str
) -> None:
    clinic = await open_clinic(everywhere.begin)
    async with everywhere.begin(clinic.caller) as work:
        if closed == "practitioner":
            gone = replace(clinic.practitioner, active=False, version=2)
            work.practitioners.save(gone)
        else:
            work.locations.save(replace(clinic.location, active=False, version=2))
    assert await found(everywhere, clinic) == []


async def clashes_at(
    storage: Storage,
    clinic: Clinic,
    period: Period,
    **asked: Any,  # noqa: ANN401
) -> str:
    """How the practitioner's slot of that time is in conflict."""
    candidates = await found(storage, clinic, QUARTER, **asked)
    (clashes,) = (c.clashes for c in candidates if c.start == period.start)
    if clashes.overlapping:
        return "taken"
    return "buffer" if clashes.buffering else "free"


async def test_search_tells_time_from_buffer(everywhere: Storage) -> None:
    around = [
        (between("08:14", "08:44"), "free"),
        (between("08:16", "08:46"), "buffer"),
        (between("08:31", "09:01"), "taken"),
        (between("09:10", "09:20"), "taken"),
        (between("09:29", "09:59"), "taken"),
        (between("09:44", "10:14"), "buffer"),
        (between("09:45", "10:15"), "free"),
    ]
    clinic = await open_clinic(
        everywhere.begin,
        between("09:00", "09:30"),
        *(period for period, _ in around),
        settings=QUARTER,
    )
    await book(everywhere, clinic, clinic.request(0, 0))
    for period, expected in around:
        assert await clashes_at(everywhere, clinic, period) == expected, period


async def test_a_group_is_not_in_its_own_way(everywhere: Storage) -> None:
    clinic = await open_clinic(
        everywhere.begin,
        between("09:00", "09:30"),
        between("09:15", "09:45"),
        capacity=3,
        settings=QUARTER,
    )
    await book(everywhere, clinic, clinic.request(0, 0))
    group, other = clinic.slots
    assert await clashes_at(everywhere, clinic, group.period) == "free"
    assert await clashes_at(everywhere, clinic, other.period) == "taken"
    mine = {"patient_id": clinic.patients[0].id}
    assert await clashes_at(everywhere, clinic, group.period, **mine) == "taken"
    theirs = {"patient_id": clinic.patients[1].id}
    assert await clashes_at(everywhere, clinic, group.period, **theirs) == "free"


async def test_the_patient_who_asks_is_in_his_own_way_without_a_buffer(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin, settings=QUARTER)
    periods = [
        between("08:30", "09:00"),
        between("08:45", "09:15"),
        between("09:30", "10:00"),
    ]
    other = await open_clinic(
        everywhere.begin, *periods, caller=clinic.caller, patients=clinic.patients
    )
    await book(everywhere, clinic, clinic.request())

    async def seen(**asked: Any) -> list[str]:  # noqa: ANN401
        only = {"practitioner_id": other.practitioner.id, **asked}
        return [
            await clashes_at(everywhere, other, period, **only) for period in periods
        ]

    assert await seen() == ["free"] * 3
    assert await seen(patient_id=clinic.patients[1].id) == ["free"] * 3
    assert await seen(patient_id=clinic.patients[0].id) == ["free", "taken", "free"]


async def test_who_is_overbooked_is_in_the_way_of_search(everywhere: Storage) -> None:
    clinic = await open_clinic(
        everywhere.begin, between("09:00", "09:30"), between("09:30", "10:00")
    )
    shifted = await open_clinic(
        everywhere.begin,
        between("09:15", "09:45"),
        caller=clinic.caller,
        practitioner=clinic.practitioner,
    )
    await book(everywhere, clinic, clinic.request(0, 0))
    insisting = Override(reason="he cannot wait", allowed=True)
    await book(everywhere, shifted, shifted.request(0, 0, override=insisting))
    half_past = clinic.slots[1].period
    assert await clashes_at(everywhere, clinic, half_past) == "taken"


async def test_search_facts_are_settings_and_who_works_where(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin, settings=QUARTER)
    other = await open_clinic(everywhere.begin, caller=clinic.caller)
    role = a_role(
        clinic.practitioner.id,
        clinic.location.id,
        period_end=at("00:00").date(),
        version=1,
        created_at=EIGHT,
        updated_at=EIGHT,
    )
    async with everywhere.begin(clinic.caller) as work:
        work.practitioner_roles.save(role)
    for asked in (
        {},
        {"practitioner_id": clinic.practitioner.id},
        {"location_id": clinic.location.id},
    ):
        async with everywhere.begin(clinic.caller) as work:
            facts = await work.slots.search_facts(
                SlotFilter(**{"period": THE_DAY, **asked})  # type: ignore[arg-type]
            )
        assert facts.settings.buffer_minutes == 15
        here = (clinic.practitioner.id, clinic.location.id)
        assert [role.end for role in facts.assignments[here]] == [at("00:00").date()]
        assert (other.practitioner.id, other.location.id) not in facts.assignments


async def test_starts_are_of_those_who_are_asked_about(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=3))
    other = await open_clinic(everywhere.begin, caller=clinic.caller)
    await book(everywhere, clinic, clinic.request(0, 0))
    gone = await book(everywhere, clinic, clinic.request(1, 1))
    await cancel(everywhere, clinic, gone.id)
    await book(everywhere, other, other.request())
    for period, expected in (
        (THE_DAY, {clinic.practitioner.id: [at("09:00")]}),
        (
            Period.of(at("09:00"), timedelta(seconds=1)),
            {clinic.practitioner.id: [at("09:00")]},
        ),
        (between("08:00", "09:00"), {}),
    ):
        async with everywhere.begin(clinic.caller) as work:
            starts = await work.slots.starts_of({clinic.practitioner.id}, period)
        assert {who: list(when) for who, when in starts.items()} == expected


async def test_to_a_patient_who_cannot_book_nothing_is_free(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    async with everywhere.begin(clinic.caller) as work:
        work.patients.save(replace(clinic.patients[1], active=False, version=2))
    for patient_id, free in (
        (clinic.patients[0].id, 1),
        (clinic.patients[1].id, 0),
        (an_id(), 0),
    ):
        assert len(await found(everywhere, clinic, patient_id=patient_id)) == free

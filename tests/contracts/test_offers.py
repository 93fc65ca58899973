"""What storage offers is what booking takes: nothing more, and nothing less."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scheduling.application.ports.appointment_lists import Whose
from scheduling.application.ports.availability import Candidate, First
from scheduling.domain.booking_request import Override
from scheduling.domain.errors import PatientNotFound
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot, SlotStatus
from tests.builders import (
    EIGHT,
    a_practitioner,
    an_id,
    at,
    between,
    open_clinic,
    slots_from,
)
from tests.contracts.offers import THE_DAY, numbers, offered
from tests.contracts.storages import Storage
from tests.contracts.visits import book, cancel

QUARTER = Settings(buffer_minutes=15)
PUT = {"version": 1, "created_at": EIGHT, "updated_at": EIGHT}


async def test_an_offer_is_the_slot_as_it_stands(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, capacity=3, timezone="Europe/Berlin")
    await book(everywhere, clinic, clinic.request())
    async with everywhere.begin(clinic.caller) as work:
        work.schedules.save(
            replace(clinic.schedule, minimum_notice_minutes=7, version=2)
        )
    (slot,) = clinic.slots
    (candidate,) = await offered(everywhere, clinic)
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
        horizon_days=None,
        minimum_notice_minutes=7,
    )


async def test_full_slots_are_not_offered_until_a_seat_is_free(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=2))
    booked = await book(everywhere, clinic, clinic.request(0, 0))
    assert numbers(clinic, await offered(everywhere, clinic)) == [1]
    await cancel(everywhere, clinic, booked.id)
    assert numbers(clinic, await offered(everywhere, clinic)) == [0, 1]


async def test_what_begins_in_the_period_is_offered_in_order(
    everywhere: Storage,
) -> None:
    periods = slots_from("09:00", count=5)
    clinic = await open_clinic(everywhere.begin, *reversed(periods))
    asked = Period(periods[1].start, periods[3].start)
    assert numbers(clinic, await offered(everywhere, clinic, period=asked)) == [3, 2]


@pytest.mark.parametrize("named", ["nobody", "both", "places", "specialty"])
async def test_pages_follow_each_other_without_gap_or_double(
    everywhere: Storage, named: str
) -> None:
    clinic = await open_clinic(
        everywhere.begin,
        *slots_from("09:00", count=4),
        practitioner=a_practitioner(specialties=("cardiology",)),
    )
    others = await open_clinic(
        everywhere.begin,
        *slots_from("09:00", count=3),
        caller=clinic.caller,
        practitioner=a_practitioner(specialties=("cardiology", "surgery")),
    )
    people = (clinic.practitioner.id, others.practitioner.id, clinic.practitioner.id)
    ways: dict[str, dict[str, Any]] = {
        "nobody": {},
        "both": {"whose": Whose(practitioner_ids=people)},
        "places": {
            "whose": Whose(location_ids=(clinic.location.id, others.location.id))
        },
        "specialty": {"specialty": "cardiology"},
    }
    asked = ways[named]
    pages: list[Candidate] = []
    after = None
    while page := await offered(everywhere, clinic, first=First(2, after), **asked):
        assert len(page) <= 2
        pages += page
        after = (page[-1].start, page[-1].slot_id)
    assert pages == await offered(everywhere, clinic, **asked)
    assert [one.slot_id for one in pages] == [
        slot.id
        for slot in sorted(
            (*clinic.slots, *others.slots), key=lambda s: (s.period.start, s.id)
        )
    ]


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
        return {one.slot_id for one in await offered(everywhere, clinic, **asked)}

    plain, elsewhere = clinic.slots[0].id, other.slots[0].id
    mine, theirs = clinic.practitioner.id, other.practitioner.id
    here, there = clinic.location.id, other.location.id
    assert await ids() == {plain, elsewhere, special.id}
    assert await ids(whose=Whose(practitioner_ids=(theirs,))) == {elsewhere}
    assert await ids(whose=Whose(practitioner_ids=(mine, theirs))) == await ids()
    assert await ids(whose=Whose(location_ids=(here,))) == {plain, special.id}
    assert await ids(whose=Whose(location_ids=(here, there))) == await ids()
    assert await ids(
        whose=Whose(location_ids=(here,), practitioner_ids=(mine, theirs))
    ) == {plain, special.id}
    assert (
        await ids(whose=Whose(location_ids=(there,), practitioner_ids=(mine,))) == set()
    )
    assert await ids(whose=Whose(location_ids=(an_id(),))) == set()  # type: ignore[arg-type]
    assert await ids(specialty="cardiology") == {plain, special.id}
    assert await ids(specialty="surgery") == set()
    assert (
        await ids(specialty="cardiology", whose=Whose(location_ids=(there,))) == set()
    )
    assert await ids(
        specialty="cardiology", whose=Whose(practitioner_ids=(mine, theirs))
    ) == {plain, special.id}
    assert await ids(service_type="x-ray") == {plain, elsewhere, special.id}
    assert await ids(service_type="checkup") == {plain, elsewhere}
    assert await ids(service_type="checkup", whose=Whose(practitioner_ids=(mine,))) == {
        plain
    }


@pytest.mark.parametrize("closed", ["practitioner", "location"])
async def test_nothing_is_offered_where_nobody_works(
    everywhere: Storage, closed: str
) -> None:
    clinic = await open_clinic(everywhere.begin)
    async with everywhere.begin(clinic.caller) as work:
        if closed == "practitioner":
            gone = replace(clinic.practitioner, active=False, version=2)
            work.practitioners.save(gone)
        else:
            work.locations.save(replace(clinic.location, active=False, version=2))
    assert await offered(everywhere, clinic) == []


@pytest.mark.parametrize("status", SlotStatus)
async def test_only_open_slots_are_offered(
    everywhere: Storage, status: SlotStatus
) -> None:
    clinic = await open_clinic(everywhere.begin)
    slot = Slot.opened(
        clinic.schedule,
        between("12:00", "13:00"),
        capacity=2,
        service_types=(),
        now=at("08:00"),
    )
    async with everywhere.begin(clinic.caller) as work:
        work.slots.add(replace(slot, status=status))
    found = {one.slot_id for one in await offered(everywhere, clinic)}
    assert (slot.id in found) is (status in {SlotStatus.FREE, SlotStatus.BUSY})


async def test_time_and_buffer_hide_what_they_lie_on(everywhere: Storage) -> None:
    around = [
        (between("08:14", "08:44"), True),
        (between("08:16", "08:46"), False),
        (between("08:31", "09:01"), False),
        (between("09:10", "09:20"), False),
        (between("09:29", "09:59"), False),
        (between("09:44", "10:14"), False),
        (between("09:45", "10:15"), True),
    ]
    clinic = await open_clinic(
        everywhere.begin,
        between("09:00", "09:30"),
        *(period for period, _ in around),
        settings=QUARTER,
    )
    await book(everywhere, clinic, clinic.request(0, 0))
    found = {one.start for one in await offered(everywhere, clinic, QUARTER)}
    for period, is_offered in around:
        assert (period.start in found) is is_offered, period


async def test_a_cancelled_visits_time_and_buffer_are_gone(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(
        everywhere.begin, *slots_from("09:00", count=3), settings=QUARTER
    )
    booked = await book(everywhere, clinic, clinic.request(0, 1))
    assert numbers(clinic, await offered(everywhere, clinic, QUARTER)) == []
    await cancel(everywhere, clinic, booked.id)
    assert numbers(clinic, await offered(everywhere, clinic, QUARTER)) == [0, 1, 2]


async def test_a_buffer_that_is_set_later_is_that_of_later_visits(
    everywhere: Storage,
) -> None:
    """What is booked keeps the buffer that it was booked with."""
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=3))
    await book(everywhere, clinic, clinic.request(0, 1))
    assert numbers(clinic, await offered(everywhere, clinic, QUARTER)) == [2]


async def test_a_group_is_not_in_its_own_way(everywhere: Storage) -> None:
    clinic = await open_clinic(
        everywhere.begin,
        between("09:00", "09:30"),
        between("09:15", "09:45"),
        capacity=3,
        settings=QUARTER,
    )
    await book(everywhere, clinic, clinic.request(0, 0))

    async def seen(**asked: Any) -> list[int]:  # noqa: ANN401
        return numbers(clinic, await offered(everywhere, clinic, QUARTER, **asked))

    assert await seen() == [0]
    assert await seen(patient_id=clinic.patients[0].id) == []
    assert await seen(patient_id=clinic.patients[1].id) == [0]


async def test_the_patient_who_asks_is_in_his_own_way_without_a_buffer(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin, settings=QUARTER)
    other = await open_clinic(
        everywhere.begin,
        between("08:30", "09:00"),
        between("08:45", "09:15"),
        between("09:30", "10:00"),
        caller=clinic.caller,
        patients=clinic.patients,
    )
    await book(everywhere, clinic, clinic.request())
    there = Whose(practitioner_ids=(other.practitioner.id,))

    async def seen(**asked: Any) -> list[int]:  # noqa: ANN401
        found = await offered(everywhere, other, QUARTER, whose=there, **asked)
        return numbers(other, found)

    assert await seen() == [0, 1, 2]
    assert await seen(patient_id=clinic.patients[1].id) == [0, 1, 2]
    assert await seen(patient_id=clinic.patients[0].id) == [0, 2]


async def test_who_is_overbooked_is_in_the_way_of_search(everywhere: Storage) -> None:
    """Also where something that began later is over sooner."""
    clinic = await open_clinic(
        everywhere.begin, between("09:00", "09:15"), between("09:30", "10:00")
    )
    longer = await open_clinic(
        everywhere.begin,
        between("08:45", "09:45"),
        caller=clinic.caller,
        practitioner=clinic.practitioner,
    )
    await book(everywhere, clinic, clinic.request(0, 0))
    assert numbers(clinic, await offered(everywhere, clinic)) == [1]
    insisting = Override(reason="he cannot wait", allowed=True)
    await book(everywhere, longer, longer.request(0, 0, override=insisting))
    assert await offered(everywhere, clinic) == []


async def test_nothing_is_offered_to_a_patient_who_cannot_book(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    async with everywhere.begin(clinic.caller) as work:
        work.patients.save(replace(clinic.patients[1], active=False, version=2))
    known: dict[str, Any] = {"patient_id": clinic.patients[0].id}
    assert len(await offered(everywhere, clinic, **known)) == 1
    yesterday = Period(THE_DAY.start - timedelta(1), THE_DAY.start)
    assert await offered(everywhere, clinic, period=yesterday, **known) == []
    for patient_id in (clinic.patients[1].id, an_id()):
        with pytest.raises(PatientNotFound):
            await offered(everywhere, clinic, patient_id=patient_id)


async def test_what_runs_into_a_group_or_is_run_into_is_hidden(
    everywhere: Storage,
) -> None:
    """However many sit in it."""
    clinic = await open_clinic(
        everywhere.begin,
        *slots_from("09:00", count=3),
        between("09:15", "09:45"),
        between("10:29", "10:45"),
        between("09:55", "10:05"),
        capacity=40,
        patients=30,
    )
    for patient in range(30):
        await book(everywhere, clinic, clinic.request(patient, patient % 2 * 2))
    assert numbers(clinic, await offered(everywhere, clinic)) == [0, 1, 2]

"""Whole days of slots, where anything is to be had, and what explains the rest."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from scheduling.application.ports.availability import (
    First,
    OpenLocation,
    OwnDays,
    SlotFilter,
    SlotInList,
    SlotList,
)
from scheduling.domain.booking_request import Hold
from scheduling.domain.claim import ActorKind
from scheduling.domain.errors import (
    LocationNotFound,
    PatientNotFound,
    PractitionerNotFound,
)
from scheduling.domain.explaining import Circumstances, Question
from scheduling.domain.period import Period
from scheduling.domain.reshaping import Reshaping
from scheduling.domain.schedule import Day, NotAvailable, WeeklyRule
from scheduling.domain.schedule_exception import ExceptionKind, ScheduleException
from scheduling.domain.settings import CalendarLimits, Limits, Settings
from scheduling.domain.slot import Slot, SlotStatus
from tests.builders import (
    EIGHT,
    MONDAY,
    Clinic,
    a_practitioner,
    a_role,
    a_room,
    at,
    between,
    open_clinic,
    slots_from,
)
from tests.contracts.offers import FIRST, THE_DAY
from tests.contracts.storages import Storage
from tests.contracts.visits import book

THE_MONDAY = MONDAY.date()
PUT = {"version": 1, "created_at": EIGHT, "updated_at": EIGHT}


async def listed(
    storage: Storage,
    clinic: Clinic,
    when: Period | OwnDays = THE_DAY,
    first: First = FIRST,
    **told: Any,  # noqa: ANN401
) -> list[SlotInList]:
    wanted = SlotList(
        **{
            "owner": "practitioner",
            "id": clinic.practitioner.id,
            "when": when,
            **told,
        }
    )
    async with storage.begin(clinic.caller) as work:
        found = await work.availability.slots(
            wanted, first, settings=Settings(), now=EIGHT
        )
        return list(found)


def numbers(clinic: Clinic, found: list[SlotInList]) -> list[int]:
    ids = [slot.id for slot in clinic.slots]
    return [ids.index(one.slot_id) for one in found]


async def test_all_slots_are_listed_and_which_can_be_had(everywhere: Storage) -> None:
    clinic = await open_clinic(
        everywhere.begin, between("07:30", "08:00"), *slots_from("09:00", count=3)
    )
    await book(everywhere, clinic, clinic.request(0, 1))
    async with everywhere.begin(clinic.caller) as work:
        for status, hour in (("busy-unavailable", "11"), ("entered-in-error", "12")):
            slot = Slot.opened(
                clinic.schedule,
                between(f"{hour}:00", f"{hour}:30"),
                capacity=4,
                service_types=("x-ray",),
                now=EIGHT,
            )
            work.slots.add(replace(slot, status=SlotStatus(status)))
    for owner, id in (
        ("practitioner", clinic.practitioner.id),
        ("location", clinic.location.id),
    ):
        found = await listed(everywhere, clinic, owner=owner, id=id)
        assert [
            (f"{one.start:%H:%M}", one.status, one.booked, one.remaining, one.offered)
            for one in found
        ] == [
            ("07:30", "free", 0, 1, False),
            ("09:00", "busy", 1, 0, False),
            ("09:30", "free", 0, 1, True),
            ("10:00", "free", 0, 1, True),
            ("11:00", "busy-unavailable", 0, 0, False),
        ]
        assert found[-1].capacity == 4
        assert list(found[-1].service_types) == ["x-ray"]
        assert [one.version for one in found[:2]] == [1, 2]


async def test_a_hold_that_has_run_out_is_seen_no_more(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=2))
    for number, until in enumerate((EIGHT, EIGHT + timedelta(minutes=1))):
        hold = Hold(until=until, by="reception")
        await book(everywhere, clinic, clinic.request(number, number, hold=hold))
    found = await listed(everywhere, clinic)
    assert [(one.status, one.booked, one.offered) for one in found] == [
        ("free", 0, True),
        ("busy", 1, False),
    ]


async def test_a_lowered_capacity_shows_nothing_left(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    over = Slot.opened(
        clinic.schedule,
        between("12:00", "13:00"),
        capacity=5,
        service_types=(),
        now=EIGHT,
    )
    async with everywhere.begin(clinic.caller) as work:
        work.slots.add(replace(over, booked=8, status=SlotStatus.BUSY))
    (_, full) = await listed(everywhere, clinic)
    assert (full.capacity, full.booked, full.remaining) == (5, 8, 0)


async def test_a_day_shows_what_began_the_day_before_and_lasts(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(
        everywhere.begin,
        between("22:00", "23:45"),
        Period(at("23:45"), at("00:15", day=1)),
        between("10:00", "10:30", day=1),
        Period(at("23:30", day=1), at("00:00", day=2)),
        between("00:00", "00:30", day=2),
    )
    tuesday = Period(at("00:00", day=1), at("00:00", day=2))
    assert numbers(clinic, await listed(everywhere, clinic, tuesday)) == [1, 2, 3]


async def test_own_days_are_those_of_each_slots_clinic(everywhere: Storage) -> None:
    """Monday is long over in Kiritimati when it ends on Midway."""
    east = await open_clinic(
        everywhere.begin,
        Period(at("09:30", day=-1), at("10:00", day=-1)),
        Period(at("09:45", day=-1), at("10:15", day=-1)),
        between("09:30", "10:00"),
        between("10:00", "10:30"),
        timezone="Pacific/Kiritimati",
    )
    west = await open_clinic(
        everywhere.begin,
        between("10:30", "11:00"),
        between("11:00", "11:30"),
        between("10:30", "11:00", day=1),
        between("11:00", "11:30", day=1),
        caller=east.caller,
        practitioner=east.practitioner,
        timezone="Pacific/Midway",
    )
    monday = OwnDays(MONDAY.date(), MONDAY.date() + timedelta(days=1))
    found = [one.slot_id for one in await listed(everywhere, east, monday)]
    assert found == [
        east.slots[1].id,
        east.slots[2].id,
        west.slots[1].id,
        west.slots[2].id,
    ]


async def test_lists_have_pages(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=5))
    pages: list[SlotInList] = []
    after = None
    while page := await listed(everywhere, clinic, first=First(2, after)):
        assert len(page) <= 2
        pages += page
        after = (page[-1].start, page[-1].slot_id)
    assert numbers(clinic, pages) == [0, 1, 2, 3, 4]


async def test_who_is_not_there_has_no_list(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    tomorrow = Period(at("00:00", day=1), at("00:00", day=2))
    assert await listed(everywhere, clinic, tomorrow) == []
    with pytest.raises(PractitionerNotFound):
        await listed(everywhere, clinic, id=uuid4())
    with pytest.raises(LocationNotFound):
        await listed(everywhere, clinic, owner="location", id=uuid4())


async def open_places(
    storage: Storage,
    clinic: Clinic,
    day: date = THE_MONDAY,
    first: First = FIRST,
    **asked: Any,  # noqa: ANN401
) -> list[OpenLocation]:
    async with storage.begin(clinic.caller) as work:
        found = await work.availability.open_locations(
            day, SlotFilter(**asked), first, settings=Settings(), now=EIGHT
        )
        return list(found)


async def test_locations_with_something_to_be_had_on_their_own_day(
    everywhere: Storage,
) -> None:
    late = await open_clinic(
        everywhere.begin,
        *slots_from("09:00", count=3),
        practitioner=a_practitioner(specialties=("cardiology",)),
    )
    caller = late.caller
    await book(everywhere, late, late.request(0, 0))
    east = await open_clinic(
        everywhere.begin,
        between("08:30", "09:00"),
        between("10:00", "10:30"),
        caller=caller,
        timezone="Pacific/Kiritimati",
    )
    await open_clinic(everywhere.begin, between("07:00", "07:30"), caller=caller)
    found = await open_places(everywhere, late)
    assert [(one.location_id, one.offered, one.first) for one in found] == [
        (east.location.id, 1, at("08:30")),
        (late.location.id, 2, at("09:30")),
    ]
    assert found[0].timezone == "Pacific/Kiritimati"
    assert found[0].name == east.location.name
    (first,) = await open_places(everywhere, late, first=First(1))
    behind = First(1, (first.first, first.location_id))
    assert [first, *await open_places(everywhere, late, first=behind)] == found
    tuesday = await open_places(everywhere, late, date(2030, 1, 8))
    assert [(one.location_id, one.offered) for one in tuesday] == [
        (east.location.id, 1)
    ]
    assert [
        one.location_id
        for one in await open_places(everywhere, late, specialty="cardiology")
    ] == [late.location.id]


async def known(
    storage: Storage,
    clinic: Clinic,
    question: Question | None = None,
    *,
    limited: bool = False,
    **told: Any,  # noqa: ANN401
) -> Circumstances:
    limits = Limits(per_practitioner_day=9) if limited else Limits()
    async with storage.begin(clinic.caller) as work:
        return await work.availability.circumstances(
            told.get("practitioner_id", clinic.practitioner.id),
            told.get("location_id"),
            question or Question(),
            THE_DAY,
            settings=Settings(limits=limits),
            now=EIGHT,
        )


async def test_circumstances_are_rules_roles_exceptions_and_time_taken(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=2))
    rule = WeeklyRule(
        days=(Day.MON,),
        start=at("09:00").time(),
        end=at("10:00").time(),
        slot_minutes=30,
    )
    away = NotAvailable(period=between("13:00", "14:00"))
    schedule = replace(
        clinic.schedule,
        version=2,
        availability=(rule,),
        horizon_days=7,
        minimum_notice_minutes=8,
        limits=CalendarLimits(per_day=5),
    )
    closed = ScheduleException.added(
        schedule,
        kind=ExceptionKind.CLOSED,
        period=between("09:30", "10:00"),
        service_types=("x-ray",),
        now=EIGHT,
    )
    async with everywhere.begin(clinic.caller) as work:
        work.schedules.save(schedule)
        work.practitioner_roles.save(
            a_role(
                clinic.practitioner.id,
                clinic.location.id,
                period_end=date(2031, 1, 1),
                not_available=(away,),
                **PUT,
            )
        )
        work.schedule_exceptions.add(closed, Reshaping())
    room = a_room()
    request = clinic.request(0, 0, resources=(room,))
    await book(everywhere, clinic, request)
    question = Question(patient_id=clinic.patients[0].id, resources=(room,))
    found = await known(everywhere, clinic, question)
    assert found.practitioner_active
    (calendar,) = found.calendars
    assert calendar.schedule_id == schedule.id
    assert (calendar.timezone, calendar.location_active) == ("UTC", True)
    assert calendar.rules == schedule.rules
    assert calendar.weekly == (rule,)
    (role,) = calendar.assignments
    assert (role.end, role.away) == (date(2031, 1, 1), (away.period,))
    (deviation,) = calendar.deviations
    assert (deviation.kind, deviation.period) == (closed.kind, closed.period)
    assert deviation.service_types == ("x-ray",)
    assert {(one.id, one.booked) for one in found.slots} == {
        (clinic.slots[0].id, 1),
        (clinic.slots[1].id, 0),
    }
    assert {(one.kind, one.actor_id) for one in found.claims} == {
        (ActorKind.PRACTITIONER, clinic.practitioner.id),
        (ActorKind.PATIENT, clinic.patients[0].id),
        (ActorKind.ROOM, room.id),
    }
    assert found.taken == {schedule.id: (at("09:00"),)}


async def test_circumstances_are_of_one_location_where_one_is_named(
    everywhere: Storage,
) -> None:
    here = await open_clinic(everywhere.begin)
    there = await open_clinic(
        everywhere.begin,
        between("11:00", "11:30"),
        caller=here.caller,
        practitioner=here.practitioner,
    )
    await book(everywhere, there, there.request())
    both = await known(everywhere, here, limited=True)
    assert {one.schedule_id for one in both.calendars} == {
        here.schedule.id,
        there.schedule.id,
    }
    assert len(both.slots) == 2
    one = await known(everywhere, here, limited=True, location_id=here.location.id)
    assert [calendar.schedule_id for calendar in one.calendars] == [here.schedule.id]
    assert [slot.id for slot in one.slots] == [here.slots[0].id]
    assert one.taken == both.taken == {there.schedule.id: (at("11:00"),)}
    assert [claim.period for claim in one.claims if claim.kind == 1] == [
        between("11:00", "11:30")
    ]


async def test_who_is_not_there_has_no_circumstances(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    async with everywhere.begin(clinic.caller) as work:
        work.patients.save(replace(clinic.patients[1], active=False, version=2))
    with pytest.raises(PractitionerNotFound):
        await known(everywhere, clinic, practitioner_id=uuid4())
    with pytest.raises(LocationNotFound):
        await known(everywhere, clinic, location_id=uuid4())
    for patient in (clinic.patients[1].id, uuid4()):
        with pytest.raises(PatientNotFound):
            await known(everywhere, clinic, Question(patient_id=patient))  # type: ignore[arg-type]


async def test_lapsed_holds_of_one_slot_are_told_one_by_one(
    everywhere: Storage,
) -> None:
    """Both seats are free again: were they told as one, one would still be counted."""
    clinic = await open_clinic(everywhere.begin, capacity=2)
    for patient in range(2):
        hold = Hold(until=EIGHT + timedelta(minutes=5), by="reception")
        await book(everywhere, clinic, clinic.request(patient, hold=hold))
    found = await known(everywhere, clinic)
    assert sum(one.kind is ActorKind.PRACTITIONER for one in found.claims) == 2

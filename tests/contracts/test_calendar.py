"""The staff calendar is written as it is documented, each thing once and on its day."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from pydantic import TypeAdapter

from scheduling.application.ports.appointment_lists import (
    CalendarDay,
    CalendarFilter,
    Whose,
)
from scheduling.domain.booking import decide_booking
from scheduling.domain.booking_request import Hold, Override
from scheduling.domain.errors import InvalidInput
from scheduling.domain.identifiers import SeriesId
from scheduling.domain.local_days import LocalDays
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot, SlotStatus
from scheduling.domain.status import Status
from scheduling.entrypoints.http.calendar import (
    CalendarAppointmentView,
    CalendarSlotView,
)
from tests.builders import (
    EIGHT,
    Clinic,
    a_location,
    a_patient,
    a_practitioner,
    an_id,
    at,
    between,
    open_clinic,
    slots_from,
)
from tests.contracts.put_there import a_visit, put_there
from tests.contracts.storages import Storage
from tests.contracts.visits import book, cancel

Things = list[dict[str, Any]]
APPOINTMENTS = TypeAdapter(list[CalendarAppointmentView])
SLOTS = TypeAdapter(list[CalendarSlotView])
MONDAY = date(2030, 1, 7)
THE_DAY = Period(at("00:00"), at("00:00", day=1))


def at_the(clinic: Clinic) -> Whose:
    return Whose(location_ids=(clinic.location.id,))


async def read(
    storage: Storage,
    clinic: Clinic,
    period: Period = THE_DAY,
    *,
    zone: str = "UTC",
    **asked: Any,  # noqa: ANN401
) -> list[CalendarDay]:
    wanted = CalendarFilter(
        days=LocalDays(zone, period),
        **{"whose": at_the(clinic), "now": EIGHT, **asked},
    )
    async with storage.begin(clinic.caller) as work:
        days = list(await work.calendar.read(wanted))
    assert tuple(day.date for day in days) == wanted.days.dates
    for day in days:
        # Strict: no field is missing, and none is there that is not documented.
        APPOINTMENTS.validate_json(day.appointments)
        SLOTS.validate_json(day.slots)
    return days


async def of_one_day(
    storage: Storage,
    clinic: Clinic,
    **asked: Any,  # noqa: ANN401
) -> tuple[Things, Things]:
    (day,) = await read(storage, clinic, **asked)
    return orjson.loads(day.appointments), orjson.loads(day.slots)


async def test_an_appointment_is_shown_with_names_and_without_what_was_said(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(
        everywhere.begin,
        patients=(a_patient(name='Maria "Mia" Só\\za\n☤'),),
        practitioner=a_practitioner(name="Dr. O'Neil"),
    )
    series = SeriesId(an_id())
    (one,) = await put_there(
        everywhere,
        clinic,
        a_visit(
            clinic,
            Period(at("09:00"), at("09:30") + timedelta(microseconds=20)),
            reason="marker",
            notes="marker",
            appointment_type='follow-"up"',
            status=Status.PENDING,
            hold_expires_at=at("08:10"),
            overbooked=True,
            series_id=series,
            series_index=1,
            version=7,
        ),
    )
    appointments, _ = await of_one_day(everywhere, clinic)
    assert [list(found) for found in appointments] == [
        [
            field.alias or name
            for name, field in CalendarAppointmentView.model_fields.items()
        ]
    ]
    (found,) = APPOINTMENTS.validate_python(appointments)
    assert found.model_dump(by_alias=False) == {
        "id": one.id,
        "patient_id": one.patient_id,
        "patient_name": 'Maria "Mia" Só\\za\n☤',
        "practitioner_id": one.practitioner_id,
        "practitioner_name": "Dr. O'Neil",
        "location_id": one.location_id,
        "slot_ids": list(one.slot_ids),
        "start": one.period.start,
        "end": one.period.end,
        "appointment_type": 'follow-"up"',
        "status": Status.PENDING,
        "overbooked": True,
        "hold_expires_at": at("08:10"),
        "series_id": series,
        "version": 7,
    }


async def test_a_slot_is_shown_with_its_seats_counted(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, capacity=3)
    special = Slot.opened(
        clinic.schedule,
        between("11:00", "11:30"),
        capacity=2,
        service_types=("x-ray", 'check"up'),
        now=EIGHT,
    )
    async with everywhere.begin(clinic.caller) as work:
        work.slots.add(special)
    await book(everywhere, clinic, clinic.request())
    _, slots = await of_one_day(everywhere, clinic)
    names = CalendarSlotView.model_fields.items()
    assert list(slots[0]) == [field.alias or name for name, field in names]
    first, second = SLOTS.validate_python(slots)
    assert first.model_dump(by_alias=False) == {
        "id": clinic.slots[0].id,
        "schedule_id": clinic.schedule.id,
        "practitioner_id": clinic.practitioner.id,
        "location_id": clinic.location.id,
        "start": at("09:00"),
        "end": at("09:30"),
        "status": SlotStatus.FREE,
        "capacity": 3,
        "booked": 1,
        "remaining": 2,
        "service_types": [],
        "version": 2,
    }
    assert (second.id, second.service_types) == (special.id, ["x-ray", 'check"up'])


async def test_full_and_overfull_slots_have_nothing_left(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, patients=2)
    await book(everywhere, clinic, clinic.request(0))
    insisting = Override(reason="because", allowed=True)
    await book(everywhere, clinic, clinic.request(1, override=insisting))
    appointments, (slot,) = await of_one_day(everywhere, clinic)
    assert [slot[name] for name in ("status", "booked", "remaining")] == ["busy", 2, 0]
    assert [one["overbooked"] for one in appointments].count(True) == 1


async def test_a_hold_that_has_run_out_is_not_shown_and_its_seat_is_free(
    everywhere: Storage,
) -> None:
    """Though nobody has swept it; the other seat of the group stays taken."""
    clinic = await open_clinic(everywhere.begin, capacity=2)
    booked = await book(everywhere, clinic, clinic.request(0))
    held = clinic.request(1, hold=Hold(at("08:10"), "portal"))
    async with everywhere.begin(clinic.caller) as work:
        facts = await work.appointments.facts_for(held, now=EIGHT)
        booking = decide_booking(held, facts, now=EIGHT)
        work.appointments.add(booking)
    just_before = at("08:10") - timedelta(microseconds=1)
    appointments, (slot,) = await of_one_day(everywhere, clinic, now=just_before)
    assert {one["id"] for one in appointments} == {
        str(booked.id),
        str(booking.appointment.id),
    }
    assert [slot[name] for name in ("status", "booked", "remaining")] == ["busy", 2, 0]
    appointments, (slot,) = await of_one_day(everywhere, clinic, now=at("08:10"))
    assert [one["id"] for one in appointments] == [str(booked.id)]
    assert [slot[name] for name in ("status", "booked", "remaining")] == ["free", 1, 1]


async def test_all_that_takes_time_and_what_came_of_it_is_shown(
    everywhere: Storage,
) -> None:
    """What was called off only where it is asked for, errors never."""
    clinic = await open_clinic(everywhere.begin)
    await put_there(
        everywhere,
        clinic,
        *(a_visit(clinic, between("09:00", "10:00"), status=one) for one in Status),
    )
    never = {Status.ENTERED_IN_ERROR}
    for cancelled, left_out in ((True, never), (False, never | {Status.CANCELLED})):
        appointments, _ = await of_one_day(
            everywhere, clinic, include_cancelled=cancelled
        )
        assert {one["status"] for one in appointments} == set(Status) - left_out


async def test_a_hold_that_was_swept_is_not_shown_among_the_cancelled(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=2))
    booked = await book(everywhere, clinic, clinic.request(0, 0))
    cancelled = await cancel(everywhere, clinic, booked.id)
    await put_there(
        everywhere,
        clinic,
        a_visit(
            clinic,
            between("09:30", "10:00"),
            status=Status.CANCELLED,
            hold_expires_at=at("07:50"),
        ),
    )
    appointments, _ = await of_one_day(everywhere, clinic, include_cancelled=True)
    assert [one["id"] for one in appointments] == [str(cancelled.id)]


async def test_a_day_shows_what_began_the_evening_before(everywhere: Storage) -> None:
    evening = between("18:00", "23:00")
    night = Period(at("23:00"), at("06:00", day=1))
    next_night = Period(at("00:00", day=2), at("06:00", day=2))
    clinic = await open_clinic(everywhere.begin, evening, night, next_night)
    for number in range(3):
        await book(everywhere, clinic, clinic.request(0, number))
    tuesday = Period(at("00:00", day=1), at("00:00", day=2))
    (day,) = await read(everywhere, clinic, tuesday)
    (appointment,) = APPOINTMENTS.validate_json(day.appointments)
    (slot,) = SLOTS.validate_json(day.slots)
    assert appointment.slot_ids == [slot.id] == [clinic.slots[1].id]


async def test_a_day_shows_what_lasts_for_24_hours_of_which_a_moment_is_its_own(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    moment = timedelta(microseconds=1)
    long = Period.of(at("00:00", day=-1) + moment, timedelta(days=1))
    too_early = Period.of(at("00:00", day=-1), timedelta(days=1))
    shown, _ = await put_there(
        everywhere, clinic, a_visit(clinic, long), a_visit(clinic, too_early)
    )
    appointments, _ = await of_one_day(everywhere, clinic)
    assert [one["id"] for one in appointments] == [str(shown.id)]


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("UTC", {7: ["09:00", "23:30"], 8: ["00:30"]}),
        ("Pacific/Kiritimati", {7: ["09:00"], 8: ["23:30", "00:30"]}),
        ("Pacific/Pago_Pago", {6: ["09:00"], 7: ["23:30", "00:30"]}),
    ],
)
async def test_a_viewer_in_any_zone_sees_the_same_instants_on_their_own_days(
    everywhere: Storage, zone: str, days: dict[int, list[str]]
) -> None:
    periods = [
        between("09:00", "09:30"),
        between("23:30", "23:45"),
        between("00:30", "01:00", day=1),
    ]
    clinic = await open_clinic(everywhere.begin, *periods)
    for number in range(3):
        await book(everywhere, clinic, clinic.request(0, number))
    found = await read(
        everywhere, clinic, Period(at("00:00"), at("00:00", day=2)), zone=zone
    )
    for things in ("appointments", "slots"):
        shown = {
            day.date.day: [one["start"][11:16] for one in orjson.loads(told)]
            for day in found
            if (told := getattr(day, things)) != "[]"
        }
        assert shown == days


async def test_each_day_has_its_own_also_where_clocks_change(
    everywhere: Storage,
) -> None:
    """In Berlin the last Sunday of March 2030 has 23 hours."""
    berlin = [
        Period.of(at(clock, day=day), timedelta(minutes=30))
        for day, clock in ((82, "22:30"), (82, "23:00"), (83, "21:30"), (83, "22:00"))
    ]
    clinic = await open_clinic(everywhere.begin, *berlin)
    asked = Period(at("12:00", day=82), at("12:00", day=84))
    found = await read(everywhere, clinic, asked, zone="Europe/Berlin")
    assert [(day.date, len(orjson.loads(day.slots))) for day in found] == [
        (date(2030, 3, 30), 1),
        (date(2030, 3, 31), 2),
        (date(2030, 4, 1), 1),
    ]


async def test_a_calendar_is_of_the_places_and_people_asked_for(
    everywhere: Storage,
) -> None:
    one = await open_clinic(everywhere.begin)
    two = await open_clinic(
        everywhere.begin, caller=one.caller, practitioner=one.practitioner
    )
    three = await open_clinic(
        everywhere.begin, caller=one.caller, location=one.location
    )
    for clinic in (one, three):
        await book(everywhere, clinic, clinic.request())
    names = {clinic.slots[0].id: n for n, clinic in enumerate((one, two, three), 1)}

    async def seen(
        at: tuple[Clinic, ...] = (), of: tuple[Clinic, ...] = ()
    ) -> tuple[set[int], set[int]]:
        whose = Whose(
            location_ids=tuple(clinic.location.id for clinic in at),
            practitioner_ids=tuple(clinic.practitioner.id for clinic in of),
        )
        (day,) = await read(everywhere, one, whose=whose)
        appointments = APPOINTMENTS.validate_json(day.appointments)
        slots = SLOTS.validate_json(day.slots)
        return (
            {names[a.slot_ids[0]] for a in appointments},  # type: ignore[index]
            {names[s.id] for s in slots},  # type: ignore[index]
        )

    assert await seen(at=(one,)) == ({1, 3}, {1, 3})
    assert await seen(of=(one,)) == ({1}, {1, 2})
    assert await seen(at=(one,), of=(one,)) == ({1}, {1})
    assert await seen(at=(one, two), of=(one, three)) == ({1, 3}, {1, 2, 3})
    assert await seen(at=(two,), of=(three,)) == (set(), set())


async def test_slots_that_never_should_have_been_are_not_shown(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    as_they_are = {
        between("11:00", "11:30"): SlotStatus.ENTERED_IN_ERROR,
        between("12:00", "12:30"): SlotStatus.BUSY_UNAVAILABLE,
    }
    async with everywhere.begin(clinic.caller) as work:
        for period, status in as_they_are.items():
            slot = Slot.opened(
                clinic.schedule, period, capacity=1, service_types=(), now=EIGHT
            )
            work.slots.add(replace(slot, status=status))
    _, slots = await of_one_day(everywhere, clinic)
    assert [(one["status"], one["remaining"]) for one in slots] == [
        ("free", 1),
        ("busy-unavailable", 0),
    ]


async def test_another_tenant_s_calendar_is_empty(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    await book(everywhere, clinic, clinic.request())
    stranger = await open_clinic(everywhere.begin, location=a_location())
    (day,) = await read(everywhere, stranger, whose=at_the(clinic))
    assert day == CalendarDay(MONDAY, "[]", "[]")


async def test_a_calendar_that_is_too_long_for_one_answer_is_refused(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=3))
    visits = (a_visit(clinic, between("09:00", "09:30")) for _ in range(4))
    await read(everywhere, clinic, at_most=3)
    with pytest.raises(InvalidInput, match="more than 2 "):
        await read(everywhere, clinic, at_most=2)
    await put_there(everywhere, clinic, *visits)
    await read(everywhere, clinic, at_most=4)
    with pytest.raises(InvalidInput, match="more than 3 "):
        await read(everywhere, clinic, at_most=3)

"""Several visits are left at once, of a series or in bulk: freed time is told once."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from scheduling.application.commands.add_to_waitlist import AddToWaitlist
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.ports.identity import Forbidden
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import Override
from scheduling.domain.errors import (
    AppointmentNotFound,
    InvalidStatusTransition,
    OptimisticLockConflict,
)
from scheduling.domain.series import HowMuch
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.slot import SlotStatus
from scheduling.domain.status import Status
from tests.builders import EIGHT, an_id, at, between, open_clinic
from tests.contracts.storages import Storage
from tests.waiting import a_wish, announced, entries_of
from tests.weekly import FAR, Weekly, a_weekly_clinic, change, weeks

ALL_YEAR = {"latest": at("00:00", day=360)}


async def waits(weekly: Weekly, patient: int = 2, **told: object) -> UUID:
    add = AddToWaitlist(weekly.storage.begin, lambda: EIGHT)
    wish = a_wish(weekly.clinic.patients[patient].id, **{**ALL_YEAR, **told})
    return (await add(weekly.clinic.caller, wish)).id


# --- of a series: one, those that follow, all


@pytest.mark.parametrize(
    ("much", "gone"),
    [
        (HowMuch.ONE, [False, True, False, False]),
        (HowMuch.FOLLOWING, [False, True, True, True]),
        (HowMuch.ALL, [True, True, True, True]),
    ],
)
async def test_one_those_that_follow_or_all_are_cancelled(
    everywhere: Storage,
    much: HowMuch,
    gone: list[bool],
) -> None:
    weekly = await a_weekly_clinic(everywhere, 4)
    booked = await weekly.series(4)
    entry = await waits(weekly)
    before = len(await weekly.told())
    answered = await weekly.cancel(booked[1], much)
    assert (answered.id, answered.status) == (booked[1].id, Status.CANCELLED)
    assert answered.version == 2
    assert await weekly.statuses(*booked) == [
        "cancelled" if one else "booked" for one in gone
    ]
    assert [(await weekly.slot(n)).booked for n in range(4)] == [
        0 if one else 1 for one in gone
    ]
    left = {c.appointment_id for c in await everywhere.claims(weekly.clinic.caller)}
    assert left == {one.id for one, away in zip(booked, gone, strict=True) if not away}
    told = await weekly.told(since=before)
    assert {type: told.count(type) for type in told} == dict.fromkeys(
        ("appointment.cancelled", "slot.opened", "waitlist.slot-available"), sum(gone)
    )
    news = await announced(everywhere, weekly.clinic.caller)
    assert [entries_of(one) for one in news] == [[entry]] * sum(gone)
    assert len({one["start"] for one in news}) == sum(gone)


async def test_those_that_are_over_or_have_begun_stay_as_they_are(
    everywhere: Storage,
) -> None:
    weekly = await a_weekly_clinic(everywhere, 5)
    booked = await weekly.series(5)
    here = at("08:50", day=7)
    await weekly.cancel(booked[3])
    [came, arrived] = await weekly.change(
        change(booked[0], Status.NO_SHOW), change(booked[1], Status.ARRIVED), now=here
    )
    assert isinstance(came, Appointment)
    assert isinstance(arrived, Appointment)
    before = await weekly.stored(*booked)
    await weekly.cancel(before[2], HowMuch.ALL, now=here)
    after = await weekly.stored(*booked)
    assert [one.status.value for one in after] == [
        "no-show",
        "arrived",
        "cancelled",
        "cancelled",
        "cancelled",
    ]
    assert [one.version for one in after] == [2, 2, 2, 2, 2]
    again = await weekly.stored(booked[2])
    with pytest.raises(InvalidStatusTransition):
        await weekly.cancel(again[0], HowMuch.ALL, now=here)


async def test_an_appointment_of_no_series_is_only_itself(everywhere: Storage) -> None:
    weekly = await a_weekly_clinic(everywhere, 3)
    booked = [await weekly.one(n, patient=0) for n in range(3)]
    await weekly.cancel(booked[0], HowMuch.FOLLOWING)
    await weekly.cancel(booked[1], HowMuch.ALL)
    assert await weekly.statuses(*booked) == ["cancelled", "cancelled", "booked"]


async def test_the_version_is_that_of_the_one_that_is_named(
    everywhere: Storage,
) -> None:
    weekly = await a_weekly_clinic(everywhere, 3)
    booked = await weekly.series(3)
    await weekly.change(change(booked[2], Status.CONFIRMED))
    with pytest.raises(OptimisticLockConflict):
        await weekly.cancel(booked[0], HowMuch.ALL, version=2)
    assert await weekly.statuses(*booked) == ["booked", "booked", "confirmed"]
    await weekly.cancel(booked[0], HowMuch.ALL)
    assert await weekly.statuses(*booked) == ["cancelled"] * 3


async def test_a_patient_calls_off_the_own_series_and_no_other(
    everywhere: Storage,
) -> None:
    weekly = await a_weekly_clinic(everywhere, 3)
    booked = await weekly.series(3)
    for much in HowMuch:
        with pytest.raises(AppointmentNotFound):
            await weekly.cancel(booked[0], much, caller=weekly.clinic.own_token(1))
    await weekly.cancel(booked[0], HowMuch.ALL, caller=weekly.clinic.own_token(0))
    assert await weekly.statuses(*booked) == ["cancelled"] * 3


async def test_of_shared_slots_a_series_leaves_its_own_seats_only(
    everywhere: Storage,
) -> None:
    weekly = await a_weekly_clinic(everywhere, 3, capacity=2)
    mine = await weekly.series(3)
    theirs = await weekly.series(3, patient=1)
    before = len(await weekly.told())
    await weekly.cancel(mine[1], HowMuch.ALL)
    assert [(await weekly.slot(n)).booked for n in range(3)] == [1, 1, 1]
    assert await weekly.statuses(*theirs) == ["booked"] * 3
    left = {c.appointment_id for c in await everywhere.claims(weekly.clinic.caller)}
    assert left == {one.id for one in theirs}
    told = await weekly.told(since=before)
    assert told.count("slot.opened") == 3, "each was full"


# --- in bulk


async def test_several_who_leave_one_group_free_their_seats_and_tell_of_it_once(
    everywhere: Storage,
) -> None:
    weekly = await a_weekly_clinic(everywhere, 1, capacity=4, patients=6)
    booked = [await weekly.one(0, patient=n) for n in range(4)]
    entry = await waits(weekly, patient=5)
    before = len(await weekly.told())
    outcomes = await weekly.change(
        change(booked[0], Status.CANCELLED, reason_code="weather"),
        change(booked[1], Status.NO_SHOW),
        change(booked[2], Status.CONFIRMED),
        change(booked[3], Status.CANCELLED, reason_code="practice"),
        now=at("08:30"),
    )
    assert all(isinstance(one, Appointment) for one in outcomes), outcomes
    slot = await weekly.slot()
    assert (slot.booked, slot.remaining, slot.status) == (1, 3, SlotStatus.FREE)
    told = await weekly.told(since=before)
    assert sorted(told) == [
        "appointment.cancelled",
        "appointment.cancelled",
        "appointment.confirmed",
        "appointment.no-show",
        "slot.opened",
        "waitlist.slot-available",
    ]
    [news] = await announced(everywhere, weekly.clinic.caller)
    assert entries_of(news) == [entry]
    left = {c.appointment_id for c in await everywhere.claims(weekly.clinic.caller)}
    assert left == {booked[2].id}


async def test_what_is_refused_of_one_is_no_matter_to_the_others(
    everywhere: Storage,
) -> None:
    weekly = await a_weekly_clinic(everywhere, 4)
    booked = [await weekly.one(n) for n in range(4)]
    gone = await weekly.cancel(booked[2])
    stranger = Weekly(everywhere, await open_clinic(everywhere.begin))
    foreign = await stranger.one(0)
    clerk = replace(
        weekly.clinic.caller, scopes=frozenset({"scheduling:read", "scheduling:book"})
    )
    outcomes = await weekly.change(
        change(booked[3], Status.ARRIVED),
        change(booked[0], Status.CONFIRMED, version=7),
        change(gone, Status.CONFIRMED),
        change(foreign, Status.CONFIRMED),
        change(booked[0], Status.CONFIRMED, id=an_id()),
        change(booked[1], Status.ENTERED_IN_ERROR),
        caller=clerk,
    )
    assert [type(one) for one in outcomes] == [
        Appointment,
        OptimisticLockConflict,
        InvalidStatusTransition,
        AppointmentNotFound,
        AppointmentNotFound,
        Forbidden,
    ]
    statuses = await weekly.statuses(*booked)
    assert statuses == ["booked", "booked", "cancelled", "arrived"]
    assert await stranger.statuses(foreign) == ["booked"]


async def test_of_two_who_change_the_same_in_another_order_each_is_done_once(
    everywhere: Storage,
) -> None:
    weekly = await a_weekly_clinic(everywhere, 1, capacity=20, patients=20)
    booked = [await weekly.one(0, patient=n) for n in range(20)]
    asked = [change(one, Status.CANCELLED, reason_code="weather") for one in booked]
    before = len(await weekly.told())
    outcomes = await asyncio.gather(
        weekly.change(*asked), weekly.change(*reversed(asked))
    )
    done = [[isinstance(one, Appointment) for one in some] for some in outcomes]
    assert sorted(map(all, done)) == [False, True]
    assert sorted(map(any, done)) == [False, True]
    slot = await weekly.slot()
    assert (slot.booked, slot.status) == (0, SlotStatus.FREE)
    told = await weekly.told(since=before)
    assert told.count("appointment.cancelled") == 20
    assert told.count("slot.opened") == 1


# --- what leaves together is in nobody's way any more


async def test_two_who_lay_upon_each_other_leave_a_time_that_can_be_had(
    everywhere: Storage,
) -> None:
    """Each of them alone would leave the time to the other."""
    weekly = await a_weekly_clinic(everywhere, 1)
    clinic = weekly.clinic
    beside = await open_clinic(
        everywhere.begin,
        between("09:15", "09:45"),
        caller=clinic.caller,
        practitioner=clinic.practitioner,
        patients=clinic.patients,
    )
    first = await weekly.one(0, patient=0)
    insisting = Override(reason="an emergency", allowed=True)
    second = await BookAppointment(everywhere.begin, lambda: EIGHT)(
        clinic.caller, beside.request(1, override=insisting)
    )
    entry = await waits(weekly)
    await weekly.change(
        change(first, Status.CANCELLED, reason_code="weather"),
        change(second, Status.CANCELLED, reason_code="weather"),
    )
    news = await announced(everywhere, clinic.caller)
    assert [entries_of(one) for one in news] == [[entry], [entry]]


async def test_those_who_leave_together_count_to_no_limit(everywhere: Storage) -> None:
    weekly = Weekly(
        everywhere,
        await open_clinic(
            everywhere.begin,
            *weeks(1),
            between("10:00", "10:30"),
            patients=3,
            settings=FAR,
        ),
    )
    booked = [await weekly.one(n) for n in range(2)]
    limits = Limits(per_practitioner_day=1)
    async with everywhere.begin(weekly.clinic.caller) as work:
        known = await work.settings.get()
        wanted = Settings(horizon_days=400, limits=limits)
        work.settings.save(known.replaced_by(wanted, now=EIGHT))
    entry = await waits(weekly)
    await weekly.change(
        *(change(one, Status.CANCELLED, reason_code="weather") for one in booked)
    )
    news = await announced(everywhere, weekly.clinic.caller)
    assert [entries_of(one) for one in news] == [[entry], [entry]]


async def test_who_leaves_a_group_with_others_is_not_told_of_its_slot(
    everywhere: Storage,
) -> None:
    weekly = await a_weekly_clinic(everywhere, 1, capacity=2)
    booked = [await weekly.one(0, patient=n) for n in range(2)]
    entries = [await waits(weekly, patient=n) for n in range(3)]
    await weekly.change(
        *(change(one, Status.CANCELLED, reason_code="weather") for one in booked)
    )
    [news] = await announced(everywhere, weekly.clinic.caller)
    assert entries_of(news) == [entries[2]]


async def test_what_leaves_without_news_keeps_nobody_from_the_rest(
    everywhere: Storage,
) -> None:
    weekly = await a_weekly_clinic(everywhere, 1)
    clinic = weekly.clinic
    beside = await open_clinic(
        everywhere.begin,
        between("09:00", "09:30"),
        caller=clinic.caller,
        patients=clinic.patients,
    )
    first = await weekly.one(0, patient=0)
    book = BookAppointment(everywhere.begin, lambda: EIGHT)
    second = await book(clinic.caller, beside.request(1))
    async with everywhere.begin(clinic.caller) as work:
        slot = await work.slots.get(beside.slots[0].id)
        work.slots.keep(slot.blocked(now=EIGHT), EIGHT)
    entry = await waits(weekly, patient=1)
    await weekly.change(
        change(first, Status.CANCELLED, reason_code="weather"),
        change(second, Status.CANCELLED, reason_code="weather"),
    )
    [news] = await announced(everywhere, clinic.caller)
    assert entries_of(news) == [entry]

"""Series in storage: whole or not at all, in as few readings as one visit."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.book_series import BookSeries
from scheduling.application.commands.hold_slot import HoldSlot
from scheduling.domain.booking import BookingFacts
from scheduling.domain.booking_request import ByStart
from scheduling.domain.errors import (
    BookingLimitReached,
    BufferTimeConflict,
    DoubleBookingDetected,
    NotBookable,
    OutsideBookingWindow,
    OutsideSchedule,
    SlotNotAvailable,
)
from scheduling.domain.identifiers import SeriesId
from scheduling.domain.period import Period
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.slot import SlotStatus
from tests.builders import EIGHT, a_room, an_id, at, between, open_clinic
from tests.contracts.storages import Storage
from tests.weekly import FAR, Weekly, a_weekly_clinic, weeks

# --- what is known of several at once


def comparable(facts: BookingFacts, period: Period) -> dict[str, Any]:
    """Without the order of things, and without claims that are nowhere near."""
    near = (period.start - timedelta(days=1), period.end + timedelta(days=1))
    return {
        "slots": [replace(slot, events=()) for slot in facts.slots],
        "claims": sorted(
            (c.appointment_id, c.kind, c.period.start)
            for c in facts.claims
            if near[0] < c.period.start < near[1]
        ),
        "taken": sorted(facts.taken),
        "taken_of": {id: sorted(some) for id, some in facts.taken_of.items()},
        "rules": facts.rules,
        "settings": facts.settings,
        "assignments": facts.assignments,
        "known": (
            facts.patient_active,
            facts.preferences,
            facts.practitioner_active,
            facts.location_active,
            facts.location_timezone,
            facts.has_schedule,
        ),
    }


@pytest.mark.parametrize("limits", [Limits(), Limits(per_practitioner_day=5)])
async def test_what_is_known_of_several_is_what_is_known_of_each(
    everywhere: Storage, limits: Limits
) -> None:
    weekly = await a_weekly_clinic(
        everywhere, 5, settings=Settings(horizon_days=400, limits=limits)
    )
    clinic, room = weekly.clinic, a_room()
    await weekly.one(1, resources=(room,))
    await weekly.one(3, patient=0)
    requests = [
        clinic.by_start(period, resources=(room,))
        for period in (*weeks(5), between("11:00", "11:30", day=2))
    ]
    async with everywhere.begin(clinic.caller) as work:
        found = await work.appointments.facts_for_all(requests, now=EIGHT)
    async with everywhere.begin(clinic.caller) as work:
        each = [await work.appointments.facts_for(r, now=EIGHT) for r in requests]
    for request, several, alone in zip(requests, found, each, strict=True):
        assert isinstance(request.when, ByStart)
        period = request.when.period
        assert comparable(several, period) == comparable(alone, period)
    assert [len(facts.slots) for facts in found] == [1, 1, 1, 1, 1, 0]
    assert [len(facts.taken) for facts in found[:5]] == (
        [0, 1, 0, 1, 0] if limits.any else [0] * 5
    )


async def test_of_none_nothing_is_known(everywhere: Storage) -> None:
    weekly = await a_weekly_clinic(everywhere, 2)
    async with everywhere.begin(weekly.clinic.caller) as work:
        assert not await work.appointments.facts_for_all([], now=EIGHT)


# --- whole or not at all


async def test_a_series_is_stored_with_all_that_its_visits_take(
    everywhere: Storage,
) -> None:
    weekly = await a_weekly_clinic(everywhere, 4)
    clinic, room = weekly.clinic, a_room()
    before = len(await weekly.told())
    booked = await weekly.series(4, resources=(room,))
    assert [one.period for one in booked] == list(weeks(4))
    id = booked[0].series_id
    assert id is not None
    async with everywhere.begin(clinic.caller) as work:
        found = await work.appointments.series(id)
        nobodys = await work.appointments.series(SeriesId(an_id()))
    assert list(found) == [replace(one, events=()) for one in booked]
    assert not nobodys
    assert [(await weekly.slot(n)).status for n in range(4)] == [SlotStatus.BUSY] * 4
    assert len(await everywhere.claims(clinic.caller)) == 12
    assert await weekly.told(since=before) == ["appointment.created"] * 4
    rows = [
        r
        for r in await everywhere.audit(clinic.caller)
        if r.entity_id in {one.id for one in booked}
    ]
    assert [row.action for row in rows] == ["appointment.booked"] * 4
    assert {row.changes["seriesId"] for row in rows} == {(None, str(id))}


async def test_the_third_in_conflict_is_named_and_nothing_is_written(
    everywhere: Storage,
) -> None:
    weekly = await a_weekly_clinic(everywhere, 5)
    taken = await weekly.one(2)
    before = len(await weekly.told())
    with pytest.raises(SlotNotAvailable) as refused:
        await weekly.series(5)
    assert refused.value.index == 3
    assert await weekly.told(since=before) == []
    assert [(await weekly.slot(n)).booked for n in range(5)] == [0, 0, 1, 0, 0]
    claims = await everywhere.claims(weekly.clinic.caller)
    assert {claim.appointment_id for claim in claims} == {taken.id}


async def test_each_conflict_has_the_refusal_that_it_has_alone(
    everywhere: Storage,
) -> None:
    buffered = replace(FAR, buffer_minutes=15)
    weekly = await a_weekly_clinic(everywhere, 3, settings=buffered)
    clinic = weekly.clinic
    near = await open_clinic(
        everywhere.begin,
        between("09:40", "10:00", day=14),
        between("09:15", "09:45", day=7),
        caller=clinic.caller,
        practitioner=clinic.practitioner,
        patients=clinic.patients,
    )

    async def refusal(occurrences: int) -> NotBookable:
        with pytest.raises(NotBookable) as refused:
            await weekly.series(occurrences)
        return refused.value

    missing = await refusal(4)
    assert (type(missing), missing.index) == (OutsideSchedule, 4)
    book = BookAppointment(everywhere.begin, lambda: EIGHT)
    await book(clinic.caller, near.request(1, 0))
    only_the_buffer = await refusal(3)
    assert (type(only_the_buffer), only_the_buffer.index) == (BufferTimeConflict, 3)
    await book(clinic.caller, near.request(1, 1))
    taken = await refusal(3)
    assert (type(taken), taken.index) == (DoubleBookingDetected, 2)


async def test_the_horizon_ends_a_series_at_its_index(everywhere: Storage) -> None:
    weekly = await a_weekly_clinic(everywhere, 6, settings=Settings(horizon_days=21))
    with pytest.raises(OutsideBookingWindow) as refused:
        await weekly.series(6)
    assert refused.value.index == 5
    assert len(await weekly.series(4)) == 4


async def test_by_start_a_series_takes_consecutive_slots_each_week(
    everywhere: Storage,
) -> None:
    periods = [*weeks(3), *weeks(3, "09:30", "10:00")]
    clinic = await open_clinic(everywhere.begin, *periods, settings=FAR)
    request = clinic.by_start(between("09:00", "10:00"))
    booked = await BookSeries(everywhere.begin, lambda: EIGHT)(
        clinic.caller, request, 3
    )
    assert [len(one.slot_ids) for one in booked] == [2, 2, 2]
    assert [one.period for one in booked] == list(weeks(3, "09:00", "10:00"))


async def test_a_slot_that_is_named_is_the_one_that_is_taken(
    everywhere: Storage,
) -> None:
    """Two calendars of one practitioner: both could serve the first week."""
    weekly = await a_weekly_clinic(everywhere, 2)
    clinic = weekly.clinic
    twin = await open_clinic(
        everywhere.begin,
        between("09:00", "09:30"),
        caller=clinic.caller,
        practitioner=clinic.practitioner,
        location=clinic.location,
        patients=clinic.patients,
    )
    other = Weekly(everywhere, twin)
    booked = await other.series(2)
    assert booked[0].slot_ids == (twin.slots[0].id,)
    assert booked[1].slot_ids == (clinic.slots[1].id,)


async def test_limits_of_a_week_hold_for_each_week_of_a_series(
    everywhere: Storage,
) -> None:
    limited = Settings(horizon_days=400, limits=Limits(per_practitioner_week=1))
    weekly = await a_weekly_clinic(everywhere, 4, settings=limited)
    clinic = weekly.clinic
    same_week = await open_clinic(
        everywhere.begin,
        between("15:00", "15:30", day=7 * 2 + 3),
        caller=clinic.caller,
        practitioner=clinic.practitioner,
        location=clinic.location,
        patients=clinic.patients,
    )
    await BookAppointment(everywhere.begin, lambda: EIGHT)(
        clinic.caller, same_week.request(1)
    )
    with pytest.raises(BookingLimitReached) as refused:
        await weekly.series(4)
    assert refused.value.index == 3
    assert len(await weekly.series(2)) == 2


async def test_holds_that_have_run_out_lapse_before_a_series_takes_their_time(
    everywhere: Storage,
) -> None:
    weekly = await a_weekly_clinic(everywhere, 4)
    clinic = weekly.clinic
    hold = HoldSlot(everywhere.begin, lambda: EIGHT)
    held = [await hold(clinic.caller, clinic.request(1, slot)) for slot in (0, 2)]
    with pytest.raises(SlotNotAvailable) as refused:
        await weekly.series(3, now=at("08:09"))
    assert refused.value.index == 1
    before = len(await weekly.told())
    booked = await weekly.series(4, now=at("08:10"))
    told = await weekly.told(since=before)
    assert sorted(told[: told.index("appointment.created")]) == [
        "hold.expired",
        "hold.expired",
        "slot.opened",
        "slot.opened",
    ]
    assert await weekly.statuses(*held) == ["cancelled"] * 2
    assert [(await weekly.slot(n)).booked for n in range(4)] == [1] * 4
    claims = await everywhere.claims(clinic.caller)
    assert {c.appointment_id for c in claims} == {one.id for one in booked}


async def test_another_tenants_series_is_not_there(everywhere: Storage) -> None:
    weekly = await a_weekly_clinic(everywhere, 2)
    [first, _] = await weekly.series(2)
    stranger = await open_clinic(everywhere.begin)
    assert first.series_id is not None
    async with everywhere.begin(stranger.caller) as work:
        assert not await work.appointments.series(first.series_id)
        assert not await work.appointments.of_series(first.series_id)

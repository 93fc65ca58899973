"""Which freed time is told of, and to whom, with storage having looked first."""

from dataclasses import replace
from typing import Any

import pytest

from scheduling.application.steps.tell_the_waitlist import tell_the_waitlist
from scheduling.domain.booking import decide_booking
from scheduling.domain.booking_request import Hold
from scheduling.domain.directory import put
from scheduling.domain.freed_time import (
    MOST_CANDIDATES,
    GivenBack,
)
from scheduling.domain.settings import Limits, Settings
from tests.builders import (
    EIGHT,
    a_role,
    a_slot,
    an_id,
    at,
    between,
    open_clinic,
)
from tests.contracts.storages import Storage
from tests.waiting import (
    Reception,
    a_clinic,
    an_entry,
    announced,
    cancelled,
    entries_of,
    save,
)


async def told_after(storage: Storage, reception: Reception) -> list[Any]:
    """Let the first patient come and go; return whom that was told to."""
    await reception.cancel(await reception.book(0))
    return [
        entries_of(one) for one in await announced(storage, reception.clinic.caller)
    ]


async def test_of_those_whom_freed_time_suits_the_best_are_told(
    everywhere: Storage,
) -> None:
    clinic, reception = await a_clinic(everywhere, patients=2)
    patient = clinic.patients[1].id
    fitting = [
        an_entry(patient, now=at(f"07:{n:02}"), priority=n % 3) for n in range(30)
    ]
    nine, half_past = at("09:00"), at("09:30")
    others = [
        an_entry(patient, priority=9, **told)
        for told in (
            {"earliest": at("09:01")},
            {"latest": at("09:29")},
            {"practitioner_ids": (an_id(),)},
            {"location_ids": (an_id(),)},
        )
    ]
    gone = an_entry(patient, priority=9)
    own = an_entry(clinic.patients[0].id, priority=9)
    exact = an_entry(
        patient,
        now=at("06:00"),
        earliest=nine,
        latest=half_past,
        practitioner_ids=(an_id(), clinic.practitioner.id),
        location_ids=(an_id(), clinic.location.id),
        priority=3,
    )
    await save(everywhere, clinic, *fitting, *others, gone, own, exact)
    await save(everywhere, clinic, gone.removed(now=EIGHT))
    best = sorted((*fitting, exact), key=lambda one: one.rank)[:MOST_CANDIDATES]
    assert await told_after(everywhere, reception) == [[one.id for one in best]]


async def test_a_slot_for_a_service_is_told_to_who_wants_it_or_any(
    everywhere: Storage,
) -> None:
    clinic, _ = await a_clinic(everywhere)
    slot = a_slot(
        between("14:00", "14:30"),
        schedule=clinic.schedule,
        service_types=("checkup", "x-ray"),
    )
    async with everywhere.begin(clinic.caller) as work:
        work.slots.add(slot.announced(EIGHT))
    reception = Reception(everywhere.begin, replace(clinic, slots=(slot,)))
    wanted = [
        await reception.wait(n, service_type=service, now=at(f"07:0{n}"))
        for n, service in ((1, "x-ray"), (2, None))
    ]
    await reception.wait(3, service_type="surgery")
    assert await told_after(everywhere, reception) == [[one.id for one in wanted]]


async def test_inactive_and_busy_patients_are_left_out_before_the_best_are_taken(
    everywhere: Storage,
) -> None:
    clinic, reception = await a_clinic(everywhere)
    inactive, busy, free = clinic.patients[1:4]
    elsewhere = await open_clinic(
        everywhere.begin,
        between("08:45", "09:15"),
        caller=clinic.caller,
        patients=(busy,),
    )
    await Reception(everywhere.begin, elsewhere).book(0)
    for number in (1, 2):
        for _ in range(MOST_CANDIDATES):
            await reception.wait(number, priority=5)
    last = await reception.wait(3)
    async with everywhere.begin(clinic.caller) as work:
        stored = await work.patients.find(inactive.id)
        assert stored is not None
        gone = replace(stored, active=False)
        work.patients.save(put(stored, gone, expected=None, now=EIGHT))
    assert await told_after(everywhere, reception) == [[last.id]]
    assert last.patient_id == free.id


async def test_a_hold_that_has_run_out_keeps_nobody_from_being_told(
    everywhere: Storage,
) -> None:
    clinic, reception = await a_clinic(everywhere)
    elsewhere = await open_clinic(
        everywhere.begin, caller=clinic.caller, patients=clinic.patients
    )
    for number, until in ((1, "08:10"), (2, "08:20")):
        held = elsewhere.request(number, 0, hold=Hold(at(until), "somebody"))
        async with everywhere.begin(clinic.caller) as work:
            facts = await work.appointments.facts_for(held, now=EIGHT)
            # Two holds of one seat: the second patient's is an override.
            free = replace(facts, claims=(), slots=elsewhere.slots)
            booking = decide_booking(held, free, now=EIGHT)
            patients = tuple(c for c in booking.claims if c.kind.name == "PATIENT")
            work.appointments.add(replace(booking, claims=patients, seats=()))
    lapsed = await reception.wait(1)
    await reception.wait(2)
    booked = await reception.book(0)
    await reception.cancel(booked, now=at("08:10"))
    (told,) = await announced(everywhere, clinic.caller)
    assert entries_of(told) == [lapsed.id]


@pytest.mark.parametrize(
    ("settings", "times"),
    [
        (Settings(minimum_notice_minutes=30), 1),
        (Settings(minimum_notice_minutes=31), 0),
        (Settings(limits=Limits(per_practitioner_day=2)), 1),
        (Settings(limits=Limits(per_practitioner_day=1)), 0),
        (Settings(limits=Limits(per_practitioner_week=1)), 0),
        (Settings(buffer_minutes=15), 0),
    ],
    ids=["in time", "too late", "two a day", "one a day", "one a week", "buffer"],
)
async def test_what_booking_would_refuse_is_told_to_nobody(
    everywhere: Storage, settings: Settings, times: int
) -> None:
    """Of two visits beside each other the first is cancelled, under other rules."""
    clinic, reception = await a_clinic(everywhere)
    first, _ = await reception.book(0, 0), await reception.book(1, 1)
    await reception.wait(2)
    async with everywhere.begin(clinic.caller) as work:
        stored = await work.settings.get()
        work.settings.save(stored.replaced_by(settings, now=EIGHT))
    await reception.cancel(first, now=at("08:30"))
    assert len(await announced(everywhere, clinic.caller)) == times


async def test_time_of_a_practitioner_who_left_is_told_to_nobody(
    everywhere: Storage,
) -> None:
    clinic, reception = await a_clinic(everywhere)
    booked = await reception.book(0)
    await reception.wait(1)
    role = a_role(clinic.practitioner.id, clinic.location.id, active=False)
    async with everywhere.begin(clinic.caller) as work:
        work.practitioner_roles.save(role.put(None, expected=None, now=EIGHT))
    await reception.cancel(booked)
    assert await announced(everywhere, clinic.caller) == []


async def test_those_who_leave_together_are_not_in_each_others_way(
    everywhere: Storage,
) -> None:
    """Two a day are allowed, and both are called off at once; each waits, too."""
    clinic, reception = await a_clinic(
        everywhere, settings=Settings(limits=Limits(per_practitioner_day=2))
    )
    visits = [await reception.book(n, n) for n in range(2)]
    entries = [await reception.wait(n) for n in (1, 0)]
    async with everywhere.begin(clinic.caller) as work:
        stored = await work.settings.get()
        one_a_day = Settings(limits=Limits(per_practitioner_day=1), buffer_minutes=15)
        work.settings.save(stored.replaced_by(one_a_day, now=EIGHT))
    async with everywhere.begin(clinic.caller) as work:
        steps = [
            GivenBack(visit, cancelled(visit), (replace(slot, booked=0),))
            for visit, slot in zip(visits, clinic.slots, strict=False)
        ]
        await tell_the_waitlist(work, *steps, now=EIGHT)
    told = await announced(everywhere, clinic.caller)
    assert [entries_of(one) for one in told] == [[one.id] for one in entries]


async def test_several_freed_times_are_looked_up_together(everywhere: Storage) -> None:
    clinic, reception = await a_clinic(everywhere)
    visits = [await reception.book(n, n) for n in range(3)]
    await save(
        everywhere,
        clinic,
        *(
            an_entry(
                clinic.patients[3].id,
                earliest=visits[n].period.start,
                latest=visits[n].period.end,
            )
            for n in (0, 2)
        ),
    )
    steps = [
        GivenBack(visit, cancelled(visit), visit.freed((slot,), EIGHT))
        for visit, slot in zip(
            visits,
            (replace(slot, booked=1) for slot in clinic.slots),
            strict=True,
        )
    ]
    async with everywhere.begin(clinic.caller) as work:
        found = await work.waitlist.candidates(steps, EIGHT)
    assert [len(one.waiting) for one in found] == [1, 0, 1]
    assert found[0].waiting[0].entry.earliest == visits[0].period.start
    own = [{claim.appointment_id for claim in one.booking.claims} for one in found]
    assert all(visit.id not in ids for visit, ids in zip(visits, own, strict=True))

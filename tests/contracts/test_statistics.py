"""Figures at their edges: what begins when the period does, nights, and who is new."""

from datetime import date, timedelta
from typing import Any

from scheduling.application.ports.appointment_lists import StatisticsFilter, Whose
from scheduling.domain.local_days import Span
from scheduling.domain.period import Period
from scheduling.domain.statistics import Statistics
from scheduling.domain.status import Status
from tests.builders import EIGHT, Clinic, at, open_clinic
from tests.contracts.put_there import a_visit, put_there
from tests.contracts.storages import Storage

MONDAY = date(2030, 1, 7)
HALF_AN_HOUR = timedelta(minutes=30)


async def counted(
    storage: Storage,
    clinic: Clinic,
    *,
    days: int = 1,
    zone: str = "UTC",
    **asked: Any,  # noqa: ANN401
) -> Statistics:
    period = Span(MONDAY, MONDAY + timedelta(days=days)).in_zone(zone)
    async with storage.begin(clinic.caller) as work:
        return await work.statistics.count(StatisticsFilter(days=period, **asked))


async def test_a_day_has_its_first_moment_and_not_that_of_the_next(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    await put_there(
        everywhere,
        clinic,
        a_visit(clinic, Period.of(at("00:00"), HALF_AN_HOUR), 0),
        a_visit(clinic, Period.of(at("00:00", day=1), HALF_AN_HOUR), 1),
    )
    found = await counted(everywhere, clinic)
    assert found.by_day == {MONDAY: {Status.BOOKED: 1}}
    assert (found.new_patients, found.returning_patients) == (1, 0)


async def test_a_night_counts_once_on_the_day_on_which_it_begins(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    await put_there(
        everywhere,
        clinic,
        a_visit(clinic, Period(at("22:00", day=-1), at("06:00"))),
        a_visit(clinic, Period(at("22:00"), at("06:00", day=1))),
    )
    tuesday = MONDAY + timedelta(days=1)
    found = await counted(everywhere, clinic, days=2)
    assert found.by_day == {MONDAY: {Status.BOOKED: 1}, tuesday: {}}
    assert found.by_hour == {22: 1}


async def test_who_was_anywhere_in_the_organisation_before_returns(
    everywhere: Storage,
) -> None:
    """Whatever became of it; but neither an error nor a hold was a visit."""
    here = await open_clinic(everywhere.begin, patients=5)
    there = await open_clinic(
        everywhere.begin, caller=here.caller, patients=here.patients
    )
    before = Period.of(at("09:00", day=-300), HALF_AN_HOUR)
    await put_there(
        everywhere,
        there,
        a_visit(there, before, 1),
        a_visit(there, before, 2, status=Status.CANCELLED),
        a_visit(there, before, 3, status=Status.ENTERED_IN_ERROR),
        a_visit(there, before, 4, status=Status.CANCELLED, hold_expires_at=EIGHT),
    )
    today = Period.of(at("09:00"), HALF_AN_HOUR)
    await put_there(
        everywhere, here, *(a_visit(here, today, patient) for patient in range(5))
    )
    whose = Whose(location_ids=(here.location.id,))
    found = await counted(everywhere, here, whose=whose)
    assert (found.new_patients, found.returning_patients) == (3, 2)
    elsewhere = Whose(location_ids=(there.location.id,))
    nobody = await counted(everywhere, here, whose=elsewhere)
    assert (nobody.total, nobody.new_patients, nobody.returning_patients) == (0, 0, 0)


async def test_hours_are_read_off_the_wall_on_both_sides_of_a_change(
    everywhere: Storage,
) -> None:
    """Lord Howe puts its clock back from 2:00 to 1:30 on 7 April 2030, at 15:00 UTC of
    the 6th.
    """
    clinic = await open_clinic(everywhere.begin)
    change = at("15:00", day=89)
    await put_there(
        everywhere,
        clinic,
        *(
            a_visit(clinic, Period.of(change + n * HALF_AN_HOUR, HALF_AN_HOUR))
            for n in (-2, -1, 0, 1)
        ),
    )
    zone = "Australia/Lord_Howe"
    found = await counted(everywhere, clinic, days=100, zone=zone)
    assert found.by_hour == {1: 3, 2: 1}
    assert found.by_day[date(2030, 4, 7)] == {Status.BOOKED: 4}


async def test_another_tenant_s_appointments_are_not_counted(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    stranger = await open_clinic(everywhere.begin, patients=clinic.patients)
    today = Period.of(at("09:00"), HALF_AN_HOUR)
    await put_there(everywhere, clinic, a_visit(clinic, today))
    assert (await counted(everywhere, clinic)).total == 1
    assert (await counted(everywhere, stranger)).total == 0

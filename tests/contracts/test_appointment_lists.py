"""Pages of appointments and counts of them are those that were asked for."""

from datetime import timedelta
from typing import Any

import pytest

from scheduling.application.ports.appointment_lists import (
    AppointmentFilter,
    Page,
    Summary,
    Whose,
)
from scheduling.domain.appointment import Appointment
from scheduling.domain.local_days import LocalDays
from scheduling.domain.period import Period
from scheduling.domain.status import Status
from tests.builders import EIGHT, Clinic, an_id, at, between, open_clinic
from tests.contracts.put_there import a_visit, put_there
from tests.contracts.storages import Storage

THE_DAY = between("00:00", "23:59")


async def found(
    storage: Storage,
    clinic: Clinic,
    *,
    page: Page | None = None,
    **asked: Any,  # noqa: ANN401
) -> list[Appointment]:
    wanted = AppointmentFilter(**{"now": EIGHT, **asked})
    async with storage.begin(clinic.caller) as work:
        page_ = await work.appointment_lists.page(wanted, page or Page())
    return list(page_.items)


async def summed_up(
    storage: Storage,
    clinic: Clinic,
    zone: str = "UTC",
    **asked: Any,  # noqa: ANN401
) -> Summary:
    wanted = AppointmentFilter(**{"now": EIGHT, "period": THE_DAY, **asked})
    days = LocalDays(zone, wanted.period)
    async with storage.begin(clinic.caller) as work:
        return await work.appointment_lists.summary(wanted, days)


async def test_an_appointment_is_listed_as_it_is_stored(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    stored = await put_there(
        everywhere,
        clinic,
        a_visit(clinic, between("09:00", "10:00"), reason="r", notes="n"),
        a_visit(clinic, between("10:00", "11:00"), overbooked=True),
    )
    assert await found(everywhere, clinic) == stored


async def test_what_begins_in_the_period_is_listed_by_start_either_way(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    visits = await put_there(
        everywhere,
        clinic,
        *(
            a_visit(clinic, between(f"{hour:02}:00", f"{hour + 1:02}:30"))
            for hour in (12, 9, 11, 10)
        ),
    )
    by_start = sorted(visits, key=lambda one: one.period.start)
    asked: dict[str, Any] = {"period": between("10:00", "12:00")}
    assert await found(everywhere, clinic, **asked) == by_start[1:3]
    newest_first = Page(newest_first=True)
    assert await found(everywhere, clinic, page=newest_first) == by_start[::-1]


async def test_what_began_before_and_is_not_over_is_listed_where_it_is_asked_for(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    overnight, over, _ = await put_there(
        everywhere,
        clinic,
        a_visit(clinic, Period(at("22:00", day=-1), at("06:00"))),
        a_visit(clinic, Period(at("22:00", day=-1), at("00:00"))),
        a_visit(clinic, Period(at("00:00", day=1), at("01:00", day=1))),
    )
    day: dict[str, Any] = {"period": Period(at("00:00"), at("00:00", day=1))}
    assert await found(everywhere, clinic, **day) == []
    assert await found(everywhere, clinic, running=True, **day) == [overnight]
    assert (await summed_up(everywhere, clinic, running=True, **day)).by_day == {
        at("00:00", day=-1).date(): 1
    }
    assert over.period.end == at("00:00")


async def test_lists_are_of_the_places_people_and_patients_asked_for(
    everywhere: Storage,
) -> None:
    one = await open_clinic(everywhere.begin)
    two = await open_clinic(everywhere.begin, caller=one.caller)
    three = await open_clinic(everywhere.begin, caller=one.caller)
    period = between("09:00", "10:00")
    first = await put_there(everywhere, one, a_visit(one, period, 0))
    other = await put_there(everywhere, one, a_visit(one, period, 1))
    second = await put_there(everywhere, two, a_visit(two, period))
    third = await put_there(everywhere, three, a_visit(three, period))

    async def ids(
        *,
        at: tuple[Clinic, ...] = (),
        of: tuple[Clinic, ...] = (),
        patient: Any = None,  # noqa: ANN401
    ) -> set[Any]:
        whose = Whose(
            location_ids=tuple(clinic.location.id for clinic in at),
            practitioner_ids=tuple(clinic.practitioner.id for clinic in of),
        )
        asked: dict[str, Any] = {"whose": whose, "patient_id": patient}
        summary = await summed_up(everywhere, one, **asked)
        listed = await found(everywhere, one, **asked)
        assert sum(summary.by_status.values()) == len(listed)
        return {appointment.id for appointment in listed}

    def named(*visits: list[Appointment]) -> set[Any]:
        return {visit.id for some in visits for visit in some}

    assert await ids() == named(first, other, second, third)
    assert await ids(at=(one,)) == named(first, other)
    assert await ids(at=(one, two)) == named(first, other, second)
    assert await ids(of=(two,)) == named(second)
    assert await ids(of=(two, three)) == named(second, third)
    assert await ids(at=(one,), of=(two,)) == set()
    assert await ids(at=(one, two), of=(two, three)) == named(second)
    assert await ids(patient=one.patients[1].id) == named(other)
    assert await ids(at=(two,), patient=one.patients[1].id) == set()


async def test_what_never_was_is_listed_only_where_its_status_is_asked_for(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    visits = await put_there(
        everywhere,
        clinic,
        *(a_visit(clinic, between("09:00", "10:00"), status=one) for one in Status),
    )
    listed = {one.status for one in await found(everywhere, clinic)}
    assert listed == set(Status) - {Status.ENTERED_IN_ERROR}
    for status in Status:
        (one,) = await found(everywhere, clinic, statuses=frozenset({status}))
        assert one.status is status
        assert one in visits
    assert await found(everywhere, clinic, statuses=frozenset()) == []


@pytest.mark.parametrize("status", [Status.PENDING, Status.CANCELLED])
async def test_a_hold_is_listed_until_the_instant_at_which_it_runs_out(
    everywhere: Storage, status: Status
) -> None:
    """Swept or not: one that was is cancelled, and keeps its expiry."""
    clinic = await open_clinic(everywhere.begin)
    (hold,) = await put_there(
        everywhere,
        clinic,
        a_visit(
            clinic,
            between("09:00", "10:00"),
            status=status,
            hold_expires_at=at("08:10"),
            held_by="portal",
        ),
    )
    just_before = at("08:10") - timedelta(microseconds=1)
    for now, expected in ((just_before, [hold]), (at("08:10"), [])):
        assert await found(everywhere, clinic, now=now) == expected
        summary = await summed_up(everywhere, clinic, now=now)
        assert sum(summary.by_status.values()) == len(expected)


@pytest.mark.parametrize("newest_first", [False, True])
async def test_pages_follow_each_other_without_gap_or_double(
    everywhere: Storage, *, newest_first: bool
) -> None:
    """Also where many begin at the same time."""
    clinic = await open_clinic(everywhere.begin)
    await put_there(
        everywhere,
        clinic,
        *(
            a_visit(clinic, between(start, "12:00"))
            for start in ("09:00", "10:00", "10:00", "10:00", "11:00")
        ),
    )
    whole = await found(everywhere, clinic, page=Page(newest_first=newest_first))
    assert len(whole) == 5
    pages: list[Appointment] = []
    more, after = True, None
    while more:
        wanted = AppointmentFilter(now=EIGHT)
        asked = Page(limit=2, after=after, newest_first=newest_first)
        async with everywhere.begin(clinic.caller) as work:
            page = await work.appointment_lists.page(wanted, asked)
        pages += page.items
        last, more = page.items[-1], page.more
        after = (last.period.start, last.id)
        assert len(page.items) == (2 if more else 1)
    assert pages == whole


async def test_appointments_are_counted_by_what_they_are(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    other = await open_clinic(everywhere.begin, caller=clinic.caller)
    await put_there(
        everywhere,
        clinic,
        a_visit(clinic, between("09:00", "10:00")),
        a_visit(clinic, between("23:30", "23:45"), status=Status.ARRIVED),
        a_visit(other, between("00:30", "01:00", day=1), status=Status.ARRIVED),
    )
    asked: dict[str, Any] = {"period": Period(at("00:00"), at("00:00", day=2))}
    monday, tuesday, wednesday = (at("00:00", day=n).date() for n in range(3))
    summary = await summed_up(everywhere, clinic, **asked)
    assert summary.by_status == {Status.BOOKED: 1, Status.ARRIVED: 2}
    assert summary.by_practitioner == {
        clinic.practitioner.id: 2,
        other.practitioner.id: 1,
    }
    assert summary.by_day == {monday: 2, tuesday: 1}
    far_east = await summed_up(everywhere, clinic, "Pacific/Kiritimati", **asked)
    assert far_east.by_day == {monday: 1, tuesday: 2}
    far_west = await summed_up(everywhere, clinic, "Pacific/Pago_Pago", **asked)
    assert far_west.by_day == {monday - timedelta(1): 1, monday: 2}
    assert wednesday not in far_east.by_day


async def test_another_tenant_s_appointments_are_in_no_list(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    stranger = await open_clinic(everywhere.begin)
    await put_there(everywhere, clinic, a_visit(clinic, between("09:00", "10:00")))
    whose = Whose(location_ids=(clinic.location.id,))
    assert len(await found(everywhere, clinic, whose=whose)) == 1
    assert await found(everywhere, stranger, whose=whose) == []
    assert await found(everywhere, stranger, patient_id=clinic.patients[0].id) == []
    nothing = Summary({}, {}, {})
    assert await summed_up(everywhere, stranger, whose=whose) == nothing
    assert await found(everywhere, stranger, page=Page(after=(EIGHT, an_id()))) == []

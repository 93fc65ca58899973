"""What is asked of many appointments: in which zone, by whom, how far."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

from scheduling.application.ports.appointment_lists import ANYBODY, TOLD, Page, Whose
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import StaffOnly
from scheduling.application.queries.get_calendar_view import GetCalendarView
from scheduling.application.queries.get_statistics import GetStatistics
from scheduling.application.queries.list_patient_appointments import (
    ListPatientAppointments,
)
from scheduling.application.queries.list_todays_appointments import (
    ListTodaysAppointments,
)
from scheduling.application.queries.list_upcoming_appointments import (
    ListUpcomingAppointments,
)
from scheduling.domain.errors import InvalidInput, PatientNotFound
from scheduling.domain.local_days import Span
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.status import Status
from tests.builders import EIGHT, Clinic, an_id, at, between, open_clinic
from tests.contracts.put_there import a_visit, put_there
from tests.fakes.storage import MemoryStorage

MONDAY, TUESDAY = date(2030, 1, 7), date(2030, 1, 8)
A_DAY = Span(MONDAY, TUESDAY)
HAVANA, TOKYO = "America/Havana", "Asia/Tokyo"


def eight() -> datetime:
    return EIGHT


def calendar(storage: MemoryStorage, now: Clock = eight) -> GetCalendarView:
    return GetCalendarView(storage.begin, now, storage.recorder)


def today(storage: MemoryStorage, now: Clock = eight) -> ListTodaysAppointments:
    return ListTodaysAppointments(storage.begin, now, storage.recorder)


def upcoming(storage: MemoryStorage) -> ListUpcomingAppointments:
    return ListUpcomingAppointments(storage.begin, eight, storage.recorder)


def of_patient(storage: MemoryStorage) -> ListPatientAppointments:
    return ListPatientAppointments(storage.begin, eight, storage.recorder)


def there(clinic: Clinic) -> Whose:
    return Whose(location_ids=(clinic.location.id,))


PLAIN: dict[str, Any] = {"timezone": None, "include_cancelled": False}
OF_TODAY: dict[str, Any] = {"timezone": None, "statuses": TOLD}
AHEAD: dict[str, Any] = {"timezone": None, "patient_id": None, "summarised": True}
OF_PATIENT: dict[str, Any] = {"timezone": None, "span": None, "statuses": TOLD}


async def test_days_are_the_clinic_s_unless_a_zone_is_named(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(
        storage.begin, timezone=HAVANA, settings=Settings(timezone=TOKYO)
    )
    other = await open_clinic(storage.begin, caller=clinic.caller)
    of_one = Whose(practitioner_ids=(clinic.practitioner.id,))
    both = Whose(location_ids=(clinic.location.id, other.location.id))
    for whose, named, expected in (
        (there(clinic), None, HAVANA),
        (there(clinic), "UTC", "UTC"),
        (of_one, None, TOKYO),
        (both, None, TOKYO),
        (Whose(location_ids=(an_id(),)), None, TOKYO),  # type: ignore[arg-type]
    ):
        seen = await calendar(storage)(
            clinic.caller, A_DAY, whose, timezone=named, include_cancelled=False
        )
        assert seen.asked.timezone == expected
        assert [day.date for day in seen.days] == [MONDAY]


async def test_an_unknown_place_has_an_empty_calendar(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin)
    stranger = await open_clinic(storage.begin)
    seen = await calendar(storage)(stranger.caller, A_DAY, there(clinic), **PLAIN)
    assert [(day.appointments, day.slots) for day in seen.days] == [("[]", "[]")]


async def test_a_calendar_shows_31_days_at_the_most(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin)
    for start in (MONDAY, EIGHT):
        month = Span(start, start + timedelta(days=31))
        seen = await calendar(storage)(clinic.caller, month, there(clinic), **PLAIN)
        assert len(seen.days) in {31, 32}
        longer = Span(start, start + timedelta(days=32))
        with pytest.raises(InvalidInput) as refused:
            await calendar(storage)(clinic.caller, longer, there(clinic), **PLAIN)
        assert refused.value.field == "to"


async def test_calendar_and_figures_are_for_staff(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin)
    own = clinic.own_token()
    with pytest.raises(StaffOnly):
        await calendar(storage)(own, A_DAY, there(clinic), **PLAIN)
    with pytest.raises(StaffOnly):
        await GetStatistics(storage.begin)(own, A_DAY, ANYBODY, timezone=None)


async def test_at_half_past_eleven_at_night_it_is_still_the_clinic_s_day(
    storage: MemoryStorage,
) -> None:
    """In Havana at 23:30 of Monday it is 04:30 of Tuesday in UTC."""
    clinic = await open_clinic(storage.begin, timezone=HAVANA)
    late = datetime(2030, 1, 8, 4, 30, tzinfo=UTC)
    morning, overnight, _ = await put_there(
        storage,
        clinic,
        a_visit(clinic, between("14:00", "15:00"), status=Status.COMPLETED),
        a_visit(clinic, Period(at("04:00"), at("06:00"))),
        a_visit(clinic, Period(at("05:00", day=1), at("06:00", day=1))),
    )
    seen = await today(storage, lambda: late)(
        clinic.caller, there(clinic), Page(), **OF_TODAY
    )
    assert seen.day.dates == (MONDAY,)
    assert list(seen.page.items) == [overnight, morning]
    assert seen.by_status == {Status.COMPLETED: 1, Status.BOOKED: 1}


async def test_counts_of_today_are_of_all_pages_and_statuses(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(storage.begin)
    await put_there(
        storage,
        clinic,
        *(a_visit(clinic, between("09:00", "10:00"), status=one) for one in Status),
        a_visit(clinic, between("10:00", "11:00")),
    )
    asked = {**OF_TODAY, "statuses": frozenset({Status.BOOKED})}
    seen = await today(storage)(clinic.caller, there(clinic), Page(limit=1), **asked)
    assert [one.status for one in seen.page.items] == [Status.BOOKED]
    assert seen.page.more
    assert seen.by_status == dict.fromkeys(TOLD, 1) | {Status.BOOKED: 2}


async def test_what_is_ahead_begins_from_now_on_and_is_still_to_be(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(storage.begin)
    await put_there(
        storage,
        clinic,
        *(a_visit(clinic, between("09:00", "10:00"), status=one) for one in Status),
        a_visit(clinic, between("07:59", "10:00")),
        a_visit(clinic, between("08:00", "10:00"), 1),
    )
    seen = await upcoming(storage)(clinic.caller, 1, ANYBODY, Page(), **AHEAD)
    statuses = [one.status for one in seen.page.items]
    assert statuses[0] is Status.BOOKED
    assert set(statuses) == {
        Status.PROPOSED,
        Status.PENDING,
        Status.BOOKED,
        Status.CONFIRMED,
        Status.ARRIVED,
        Status.IN_PROGRESS,
    }
    assert seen.summary is not None
    assert seen.summary.by_status[Status.BOOKED] == 2
    assert seen.summary.by_day == {MONDAY: 7}
    assert seen.summary.by_practitioner == {clinic.practitioner.id: 7}


async def test_days_ahead_are_whole_local_days_of_which_today_is_the_first(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(storage.begin, timezone=HAVANA)
    for days, end in ((1, at("05:00", day=1)), (2, at("05:00", day=2))):
        seen = await upcoming(storage)(
            clinic.caller, days, there(clinic), Page(), **AHEAD
        )
        assert seen.asked.period == Period(EIGHT, end)


async def test_what_is_behind_is_not_ahead(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin)
    ask = upcoming(storage)
    asked = Span(at("00:00", day=-3), at("12:00"))
    seen = await ask(clinic.caller, asked, ANYBODY, Page(), **AHEAD)
    assert seen.asked.period == Period(EIGHT, at("12:00"))
    too_far = Span(MONDAY, MONDAY + timedelta(days=93))
    for wrong in (Span(at("00:00"), EIGHT), too_far):
        with pytest.raises(InvalidInput) as refused:
            await ask(clinic.caller, wrong, ANYBODY, Page(), **AHEAD)
        assert refused.value.field == "to"


async def test_a_summary_is_made_where_it_is_asked_for(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin)
    asked = {**AHEAD, "summarised": False}
    seen = await upcoming(storage)(clinic.caller, 7, ANYBODY, Page(), **asked)
    assert seen.summary is None


async def test_a_patient_s_own_token_is_shown_its_own(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin)
    mine, theirs = await put_there(
        storage,
        clinic,
        a_visit(clinic, between("09:00", "10:00"), 0),
        a_visit(clinic, between("10:00", "11:00"), 1),
    )
    own = clinic.own_token(0)
    seen = await today(storage)(own, ANYBODY, Page(), **OF_TODAY)
    assert (list(seen.page.items), seen.by_status) == ([mine], {Status.BOOKED: 1})
    ahead = await upcoming(storage)(own, 7, ANYBODY, Page(), **AHEAD)
    assert list(ahead.page.items) == [mine]
    assert ahead.summary is not None
    assert sum(ahead.summary.by_status.values()) == 1
    page = await of_patient(storage)(own, mine.patient_id, Page(), **OF_PATIENT)
    assert list(page.items) == [mine]
    with pytest.raises(PatientNotFound):
        await upcoming(storage)(
            own, 7, ANYBODY, Page(), **{**AHEAD, "patient_id": theirs.patient_id}
        )
    with pytest.raises(PatientNotFound):
        await of_patient(storage)(own, theirs.patient_id, Page(), **OF_PATIENT)


async def test_staff_see_a_patient_s_appointments_of_a_time_and_status(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(storage.begin, settings=Settings(timezone=HAVANA))
    visits = await put_there(
        storage,
        clinic,
        a_visit(clinic, between("04:00", "06:00"), status=Status.COMPLETED),
        a_visit(clinic, between("05:00", "06:00"), status=Status.NO_SHOW),
        a_visit(clinic, between("05:00", "06:00", day=1)),
    )
    patient = visits[0].patient_id
    ask = of_patient(storage)

    async def found(**asked: Any) -> list[int]:  # noqa: ANN401
        page = await ask(
            clinic.caller, patient, Page(newest_first=True), **{**OF_PATIENT, **asked}
        )
        return [visits.index(one) for one in page.items]

    assert await found() == [2, 1, 0]
    assert await found(span=A_DAY) == [1]
    assert await found(span=A_DAY, timezone="UTC") == [1, 0]
    assert await found(statuses=frozenset({Status.COMPLETED})) == [0]
    with pytest.raises(PatientNotFound):
        await ask(clinic.caller, an_id(), Page(), **OF_PATIENT)  # type: ignore[arg-type]


async def test_figures_are_of_366_days_at_the_most(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin)
    count = GetStatistics(storage.begin)
    year = Span(MONDAY, MONDAY + timedelta(days=366))
    days, found = await count(clinic.caller, year, ANYBODY, timezone=None)
    assert len(found.by_day) == len(days.dates) == 366
    assert (found.total, found.per_day_average, found.no_show_rate) == (0, 0, None)
    longer = Span(MONDAY, MONDAY + timedelta(days=367))
    with pytest.raises(InvalidInput):
        await count(clinic.caller, longer, ANYBODY, timezone=None)


async def test_figures_say_what_became_of_what_began_in_the_period(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(storage.begin, patients=3)
    second, third = between("10:00", "10:30"), between("10:30", "11:00")
    overnight = Period(at("23:00"), at("07:00", day=1))
    await put_there(
        storage,
        clinic,
        a_visit(clinic, between("09:00", "10:00", day=-7), 0, status=Status.CANCELLED),
        a_visit(clinic, between("09:00", "10:00"), 0, status=Status.COMPLETED),
        a_visit(clinic, second, 1, status=Status.NO_SHOW, appointment_type="x-ray"),
        a_visit(clinic, third, 1, status=Status.COMPLETED, appointment_type="x-ray"),
        a_visit(clinic, overnight, 1, status=Status.COMPLETED),
        a_visit(clinic, third, 2, status=Status.ENTERED_IN_ERROR),
        a_visit(clinic, third, 2, status=Status.PENDING, hold_expires_at=at("12:00")),
        a_visit(clinic, third, 2, status=Status.CANCELLED, hold_expires_at=EIGHT),
    )
    two_days = Span(MONDAY, MONDAY + timedelta(days=2))
    _, found = await GetStatistics(storage.begin)(
        clinic.caller, two_days, ANYBODY, timezone="UTC"
    )
    expected = {Status.COMPLETED: 3, Status.NO_SHOW: 1}
    assert found.by_status == expected
    assert found.by_practitioner == {clinic.practitioner.id: expected}
    assert found.by_type == {"consultation": 2, "x-ray": 2}
    assert found.by_day == {MONDAY: expected, TUESDAY: {}}
    assert found.by_hour == {9: 1, 10: 2, 23: 1}
    assert (found.total, found.per_day_average, found.no_show_rate) == (4, 2, 0.25)
    assert (found.new_patients, found.returning_patients) == (1, 1)


async def test_who_looked_at_patients_data_is_taken_down(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(storage.begin)
    patient = clinic.patients[0].id
    before = len(await storage.audit(clinic.caller))
    await calendar(storage)(clinic.caller, A_DAY, there(clinic), **PLAIN)
    await today(storage)(clinic.caller, ANYBODY, Page(), **OF_TODAY)
    await upcoming(storage)(clinic.caller, 7, there(clinic), Page(), **AHEAD)
    await of_patient(storage)(clinic.caller, patient, Page(), **OF_PATIENT)
    rows = (await storage.audit(clinic.caller))[before:]
    assert [(row.action, row.entity_type, row.entity_id) for row in rows] == [
        ("calendar.read", "location", clinic.location.id),
        ("appointments.today.read", "tenant", clinic.caller.tenant_id),
        ("appointments.upcoming.read", "location", clinic.location.id),
        ("patient.appointments.read", "patient", patient),
    ]


async def test_names_are_on_the_staff_s_calendar(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin)
    await put_there(storage, clinic, a_visit(clinic, between("09:00", "10:00")))
    seen = await calendar(storage)(clinic.caller, A_DAY, there(clinic), **PLAIN)
    (one,) = orjson.loads(seen.days[0].appointments)
    assert one["patientName"] == clinic.patients[0].name
    assert one["practitionerName"] == clinic.practitioner.name

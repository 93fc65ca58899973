"""Whatever visits there are and whatever is asked, PostgreSQL counts and lists as the
plain model in memory does, and what it counts adds up.
"""

from collections import Counter
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduling.application.ports.appointment_lists import (
    AppointmentFilter,
    AppointmentPage,
    CalendarFilter,
    Page,
    StatisticsFilter,
    Summary,
    Whose,
)
from scheduling.application.ports.identity import Caller
from scheduling.domain.booking import Booking
from scheduling.domain.directory import Location, Patient, Practitioner
from scheduling.domain.local_days import LocalDays, Span
from scheduling.domain.period import Period, day_in
from scheduling.domain.statistics import Statistics
from scheduling.domain.status import Status
from tests.builders import (
    EIGHT,
    Clinic,
    a_caller,
    a_location,
    a_patient,
    a_practitioner,
    open_clinic,
)
from tests.contracts.put_there import a_visit, put_there
from tests.contracts.storages import PostgresStorage, Storage
from tests.fakes.storage import MemoryStorage

QUARTER = timedelta(minutes=15)
ZONES = ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe")
FIRST = date(2030, 4, 3)
"""Lord Howe puts its clocks back by half an hour on the 7th."""


class Seed(NamedTuple):
    """A visit, in numbers."""

    clinic: int
    patient: int
    quarter: int
    length: int
    status: Status
    type: str
    hold: int | None

    def visit(self, clinic: Clinic) -> Booking:
        start = day_in("UTC", FIRST).start + self.quarter * QUARTER
        expiry = None if self.hold is None else EIGHT + timedelta(minutes=self.hold)
        return a_visit(
            clinic,
            Period.of(start, self.length * QUARTER),
            self.patient,
            status=self.status,
            appointment_type=self.type,
            hold_expires_at=expiry,
        )


seeds = st.builds(
    Seed,
    clinic=st.integers(0, 2),
    patient=st.integers(0, 4),
    quarter=st.integers(0, 10 * 96),
    length=st.integers(1, 40),
    status=st.sampled_from(Status),
    type=st.sampled_from(["consultation", "x-ray"]),
    hold=st.none() | st.integers(-1, 1),
)


class Question(NamedTuple):
    zone: str
    first: int
    days: int
    locations: frozenset[int]
    practitioners: frozenset[int]
    patient: int | None
    statuses: frozenset[Status]
    flag: bool

    def days_of(self) -> LocalDays:
        start = FIRST + timedelta(days=self.first)
        return Span(start, start + timedelta(days=self.days)).in_zone(self.zone)


class Answers(NamedTuple):
    page: AppointmentPage
    summary: Summary
    statistics: Statistics
    calendar: list[tuple[date, list[str]]]


questions = st.builds(
    Question,
    zone=st.sampled_from(ZONES),
    first=st.integers(0, 6),
    days=st.integers(1, 8),
    locations=st.frozensets(st.integers(0, 1), max_size=2),
    practitioners=st.frozensets(st.integers(0, 1), max_size=2),
    patient=st.none() | st.integers(0, 4),
    statuses=st.frozensets(st.sampled_from(Status), min_size=1),
    flag=st.booleans(),
)


class People(NamedTuple):
    """Who is in both storages, not stored yet."""

    caller: Caller
    practitioners: tuple[Practitioner, Practitioner]
    locations: tuple[Location, Location]
    patients: tuple[Patient, ...]


async def open_clinics(storage: Storage, of: People) -> list[Clinic]:
    """Two locations and two practitioners, one of whom works at both."""
    opened = partial(open_clinic, storage.begin, caller=of.caller)
    first = await opened(
        practitioner=of.practitioners[0],
        location=of.locations[0],
        patients=of.patients,
    )
    second = await opened(
        practitioner=of.practitioners[1],
        location=first.location,
        patients=first.patients,
    )
    third = await opened(
        practitioner=first.practitioner,
        location=of.locations[1],
        patients=first.patients,
    )
    return [first, second, third]


async def answers(storage: Storage, of: People, asked: Question) -> Answers:
    days = asked.days_of()
    whose = Whose(
        location_ids=tuple(of.locations[n].id for n in asked.locations),
        practitioner_ids=tuple(of.practitioners[n].id for n in asked.practitioners),
    )
    wanted = AppointmentFilter(
        now=EIGHT,
        period=days.period,
        running=asked.flag,
        whose=whose,
        patient_id=None if asked.patient is None else of.patients[asked.patient].id,
        statuses=asked.statuses,
    )
    page = Page(limit=5, newest_first=asked.flag)
    calendar = CalendarFilter(
        days=days, whose=whose, now=EIGHT, include_cancelled=asked.flag
    )
    async with storage.begin(of.caller) as work:
        return Answers(
            page=await work.appointment_lists.page(wanted, page),
            summary=await work.appointment_lists.summary(wanted, days),
            statistics=await work.statistics.count(
                StatisticsFilter(days=days, whose=whose)
            ),
            calendar=[
                (day.date, [one["id"] for one in orjson.loads(day.appointments)])
                for day in await work.calendar.read(calendar)
            ],
        )


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(seeds, max_size=40), st.lists(questions, min_size=4, max_size=4))
async def test_both_storages_answer_alike_and_sums_agree(
    on_postgres: PostgresStorage, some: list[Seed], asked: list[Question]
) -> None:
    of = People(
        a_caller(),
        (a_practitioner(), a_practitioner()),
        (a_location(), a_location()),
        tuple(a_patient() for _ in range(5)),
    )
    memory = MemoryStorage()
    clinics = await open_clinics(memory, of)
    await open_clinics(on_postgres, of)
    visits = [seed.visit(clinics[seed.clinic]) for seed in some]
    for storage in (memory, on_postgres):
        await put_there(storage, clinics[0], *visits)
    for question in asked:
        found = await answers(on_postgres, of, question)
        assert found == await answers(memory, of, question)
        assert sums(found.statistics) == {found.statistics.total}
        assert over_all_days(found.statistics) == found.statistics.by_status


def sums(of: Statistics) -> set[int]:
    return {
        sum(of.by_status.values()),
        sum(of.by_type.values()),
        sum(sum(one.values()) for one in of.by_day.values()),
        sum(of.by_hour.values()),
        sum(sum(one.values()) for one in of.by_practitioner.values()),
    }


def over_all_days(of: Statistics) -> Counter[Status]:
    return sum((Counter(one) for one in of.by_day.values()), Counter())

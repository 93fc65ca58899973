"""A series can be had if and only if each of its weeks can be had by itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import event, given
from hypothesis import strategies as st

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.book_series import BookSeries
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.errors import NotBookable
from scheduling.domain.period import Period
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.wall_clock import shown
from tests.builders import EIGHT, Clinic, at, open_clinic
from tests.fakes.storage import MemoryStorage

HALF_AN_HOUR = timedelta(minutes=30)
WEEKS = 12
ZONES = ("UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe")


@dataclass(frozen=True)
class Plan:
    """Weeks in which there is no slot, in which it is taken, in which another visit of
    the practitioner lies near by so many minutes after its start.
    """

    zone: str
    wall: int
    missing: frozenset[int]
    taken: frozenset[int]
    near: dict[int, int]
    buffer: int
    a_week: int | None
    horizon: int
    occurrences: int
    by_start: bool


plans = st.builds(
    Plan,
    zone=st.sampled_from(ZONES),
    wall=st.integers(0, 47),
    missing=st.frozensets(st.integers(1, WEEKS - 1), max_size=2),
    taken=st.frozensets(st.integers(0, WEEKS - 1), max_size=2),
    near=st.dictionaries(
        st.integers(0, WEEKS - 1), st.sampled_from([15, 30, 40, 45, 90]), max_size=2
    ),
    buffer=st.sampled_from([0, 15]),
    a_week=st.sampled_from([None, None, 1, 2]),
    horizon=st.sampled_from([40, 75, 120]),
    occurrences=st.integers(2, WEEKS),
    by_start=st.booleans(),
)


def mondays(plan: Plan) -> list[Period]:
    """Return when the wall shows the time, over a change of the clocks in March."""
    zone = ZoneInfo(plan.zone)
    first = at("12:00", day=28).replace(tzinfo=None, hour=0, minute=0)
    walls = [
        first + timedelta(days=7 * week, minutes=30 * plan.wall)
        for week in range(WEEKS)
    ]
    return [Period.of(shown(wall, zone).first, HALF_AN_HOUR) for wall in walls]


async def realised(storage: MemoryStorage, plan: Plan, periods: list[Period]) -> Clinic:
    there = [period for n, period in enumerate(periods) if n not in plan.missing]
    settings = Settings(
        buffer_minutes=plan.buffer,
        horizon_days=plan.horizon,
        limits=Limits(per_practitioner_week=plan.a_week),
    )
    clinic = await open_clinic(
        storage.begin, *there, timezone=plan.zone, settings=settings, patients=3
    )
    beside = await open_clinic(
        storage.begin,
        *(
            Period.of(periods[n].start + timedelta(minutes=after), HALF_AN_HOUR)
            for n, after in plan.near.items()
        ),
        at_least_one(periods),
        caller=clinic.caller,
        practitioner=clinic.practitioner,
        patients=clinic.patients,
        timezone=plan.zone,
    )
    for request in (
        *(clinic.by_start(periods[n], 1) for n in sorted(plan.taken)),
        *(beside.request(2, n) for n in range(len(plan.near))),
    ):
        await outcome(storage, clinic, request)
    return clinic


def at_least_one(periods: list[Period]) -> Period:
    """A slot out of everybody's way: a clinic has one."""
    return Period.of(periods[0].start - timedelta(days=3), HALF_AN_HOUR)


async def outcome(
    storage: MemoryStorage, clinic: Clinic, request: BookingRequest
) -> Appointment | NotBookable:
    book = BookAppointment(storage.begin, lambda: EIGHT)
    try:
        return await book(clinic.caller, request)
    except NotBookable as refusal:
        return refusal


@given(plan=plans)
def test_a_series_is_booked_if_and_only_if_each_of_its_weeks_would_be(
    plan: Plan,
) -> None:
    asyncio.run(_agree(plan))


async def _agree(plan: Plan) -> None:
    periods = mondays(plan)
    whole, alone = MemoryStorage(), MemoryStorage()
    clinic = await realised(whole, plan, periods)
    alone.tenants.update(whole.tenants)
    first = clinic.by_start(periods[0]) if plan.by_start else clinic.request(0)
    requests = [
        first if n == 0 else clinic.by_start(period)
        for n, period in enumerate(periods[: plan.occurrences])
    ]
    refused: tuple[int, Any] | None = None
    for number, request in enumerate(requests, 1):
        told = await outcome(alone, clinic, request)
        if isinstance(told, NotBookable):
            refused = (number, type(told))
            break
    before = whole.of(clinic.caller.tenant_id)
    found = await in_one(whole, clinic, first, plan.occurrences)
    if isinstance(found, NotBookable):
        assert (found.index, type(found)) == refused
        assert whole.of(clinic.caller.tenant_id) is before
        event(type(found).__name__)
    else:
        assert refused is None
        assert [one.period for one in found] == periods[: plan.occurrences]
        walls = {wall_of(one, plan.zone) for one in found}
        event(f"booked, on {len(walls)} walls")


async def in_one(
    storage: MemoryStorage, clinic: Clinic, first: BookingRequest, occurrences: int
) -> Sequence[Appointment] | NotBookable:
    book = BookSeries(storage.begin, lambda: EIGHT)
    try:
        return await book(clinic.caller, first, occurrences)
    except NotBookable as refusal:
        return refusal


def wall_of(one: Appointment, zone: str) -> datetime:
    wall = one.period.start.astimezone(ZoneInfo(zone))
    return wall.replace(tzinfo=None, year=2030, month=1, day=1)

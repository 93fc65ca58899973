"""Random clinic groups and what happens in them."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.claim import Resource
from scheduling.domain.directory import Location, Patient, Practitioner
from scheduling.domain.period import Period
from scheduling.domain.schedule import (
    Day,
    Hours,
    NotAvailable,
    Schedule,
    WeeklyRule,
)
from scheduling.domain.schedule_exception import ExceptionKind
from scheduling.domain.settings import (
    CalendarLimits,
    CalendarRules,
    Limits,
    Settings,
)
from scheduling.domain.slot import Slot, SlotStatus
from tests.builders import (
    EIGHT,
    MONDAY,
    a_caller,
    a_location,
    a_patient,
    a_practitioner,
    a_role,
    a_room,
    a_schedule,
)

QUARTER = timedelta(minutes=15)
ZONES = ("UTC", "Pacific/Auckland", "America/Havana", "Asia/Kathmandu")
PUT = {"version": 1, "created_at": EIGHT, "updated_at": EIGHT}


@dataclass(frozen=True)
class PlannedSlot:
    schedule: int
    quarter: int
    length: int
    capacity: int
    status: SlotStatus = SlotStatus.FREE
    obsolete: bool = False


@dataclass(frozen=True)
class PlannedRole:
    """`away` are quarters from when and until when."""

    practitioner: int
    location: int
    active: bool
    start: date | None
    end: date | None
    away: tuple[int, int] | None


@dataclass(frozen=True)
class Book:
    patient: int
    slot: int
    by_start: bool = False
    room: int | None = None
    override: bool = False
    hold_minutes: int | None = None


@dataclass(frozen=True)
class Cancel:
    """The nth of those that stand."""

    number: int


@dataclass(frozen=True)
class Wait:
    """Time goes on: holds run out, and what was ahead is past."""

    minutes: int


@dataclass(frozen=True)
class Except:
    """Another day than others on a schedule: closed from a quarter on, or on a date."""

    schedule: int
    kind: ExceptionKind
    day: int
    quarters: tuple[int, int] | None
    windows: tuple[Hours, ...]

    @property
    def on_date(self) -> date | None:
        by_day = self.quarters is None or self.kind is not ExceptionKind.CLOSED
        return MONDAY.date() + timedelta(days=self.day) if by_day else None

    @property
    def period(self) -> Period | None:
        if self.on_date is not None or self.quarters is None:
            return None
        first, count = self.quarters
        return Period.of(EIGHT + first * QUARTER, count * QUARTER)


@dataclass(frozen=True)
class TakeBack:
    """The nth exception that stands."""

    number: int


@dataclass(frozen=True)
class Lay:
    """Other rules for a schedule, on two days, and the slots that they want."""

    schedule: int
    rule: WeeklyRule


Step = Book | Cancel | Settings | Wait | Except | TakeBack | Lay


@dataclass(frozen=True)
class Plan:
    now: datetime
    settings: Settings
    practitioners: tuple[bool, ...]
    locations: tuple[tuple[bool, str], ...]
    patients: tuple[bool, ...]
    schedules: tuple[tuple[int, int, CalendarRules], ...]
    roles: tuple[PlannedRole, ...]
    slots: tuple[PlannedSlot, ...]
    steps: tuple[Step, ...]


MOSTLY = st.sampled_from((True,) * 14 + (False,))
DAYS = st.sampled_from((None, None, None, -1, 0, 1, 2, 3)).map(
    lambda days: None if days is None else MONDAY.date() + timedelta(days=days)
)


def settings() -> SearchStrategy[Settings]:
    return st.builds(
        Settings,
        buffer_minutes=st.sampled_from((0, 0, 5, 15, 40)),
        minimum_notice_minutes=st.sampled_from((0, 0, 30, 61)),
        horizon_days=st.sampled_from((90, 90, 2, 1, 0)),
        limits=st.builds(
            Limits,
            st.sampled_from((None, None, 1, 2)),
            st.sampled_from((None, None, None, 2)),
        ),
    )


def rules() -> SearchStrategy[CalendarRules]:
    none = st.none()
    return st.builds(
        CalendarRules,
        none | none | st.sampled_from((0, 1, 90)),
        none | none | st.sampled_from((0, 45, 90)),
        st.builds(
            CalendarLimits,
            none | none | none | st.sampled_from((0, 1, 2)),
            none | none | none | st.sampled_from((1, 2)),
        ),
    )


def roles() -> SearchStrategy[PlannedRole]:
    index = st.integers(0, 1)
    away = st.tuples(st.integers(-2, 12), st.sampled_from((1, 2, 6, 90)))
    return st.builds(
        PlannedRole,
        index,
        index,
        MOSTLY,
        DAYS,
        DAYS,
        st.none() | away.map(lambda one: (one[0], one[0] + one[1])),
    )


def exceptions(schedules: int) -> SearchStrategy[Except]:
    clock = st.integers(8, 11).map(time)
    hours = st.builds(
        Hours,
        start=clock,
        end=st.just(time(12)),
        slot_minutes=st.sampled_from((30, 45, 60)),
    )
    return st.builds(
        Except,
        schedule=st.integers(0, schedules - 1),
        kind=st.sampled_from((ExceptionKind.CLOSED, *ExceptionKind)),
        day=st.sampled_from((0, 0, 1, 2)),
        quarters=st.none() | st.tuples(st.integers(3, 11), st.integers(1, 6)),
        windows=st.tuples(hours),
    )


def weekly_rules() -> SearchStrategy[WeeklyRule]:
    return st.builds(
        WeeklyRule,
        start=st.integers(8, 11).map(time),
        end=st.just(time(12)),
        slot_minutes=st.sampled_from((30, 45, 60)),
        capacity=st.integers(1, 2),
        days=st.just(tuple(Day)),
        valid_from=st.just(MONDAY.date()),
        valid_to=st.just(MONDAY.date() + timedelta(days=1)),
    )


@st.composite
def plans(draw: DrawFn, *, steps: int = 12) -> Plan:
    index = st.integers(0, 1)
    schedules = draw(
        st.lists(st.tuples(index, index, rules()), min_size=1, max_size=3).map(tuple)
    )
    slots = draw(
        st.lists(
            st.builds(
                PlannedSlot,
                schedule=st.integers(0, len(schedules) - 1),
                # Mostly one busy morning; some the day after and the day after that.
                quarter=st.integers(4, 11) | st.sampled_from((0, 60, 64, 99, 192)),
                length=st.integers(1, 3),
                capacity=st.integers(1, 3),
                status=st.sampled_from((SlotStatus.FREE,) * 12 + tuple(SlotStatus)[2:]),
                obsolete=st.sampled_from((False,) * 12 + (True,)),
            ),
            min_size=4,
            max_size=8,
            unique_by=lambda slot: (slot.schedule, slot.quarter, slot.length),
        ).map(tuple)
    )
    booking = st.builds(
        Book,
        patient=st.integers(0, 2),
        slot=st.integers(0, len(slots) - 1),
        by_start=st.booleans(),
        room=st.sampled_from((None, None, 0, 1)),
        override=st.sampled_from((False, False, False, True)),
        hold_minutes=st.sampled_from((None, None, 1, 10)),
    )
    step: SearchStrategy[Step] = st.one_of(
        booking,
        booking,
        booking,
        st.builds(Cancel, number=st.integers(0, 5)),
        st.builds(Wait, minutes=st.sampled_from((1, 9, 10, 61))),
        settings(),
        exceptions(len(schedules)),
        st.builds(TakeBack, number=st.integers(0, 2)),
        st.builds(
            Lay, schedule=st.integers(0, len(schedules) - 1), rule=weekly_rules()
        ),
    )
    return Plan(
        now=EIGHT + draw(st.sampled_from((-60, 0, 15, 22, 60))) * timedelta(minutes=1),
        settings=draw(settings()),
        practitioners=draw(st.tuples(MOSTLY, MOSTLY)),
        locations=draw(
            st.tuples(*[st.tuples(MOSTLY, st.sampled_from(ZONES)) for _ in range(2)])
        ),
        patients=draw(st.tuples(MOSTLY, MOSTLY, MOSTLY)),
        schedules=schedules,
        roles=draw(st.lists(roles(), max_size=2).map(tuple)),
        slots=slots,
        steps=draw(st.lists(step, min_size=4, max_size=steps).map(tuple)),
    )


@dataclass(frozen=True)
class World:
    """A plan come true in storage."""

    caller: Caller
    practitioners: tuple[Practitioner, ...]
    locations: tuple[Location, ...]
    patients: tuple[Patient, ...]
    schedules: tuple[Schedule, ...]
    slots: tuple[Slot, ...]
    rooms: tuple[Resource, ...]


async def realise(begin: BeginWork, plan: Plan) -> World:
    practitioners = tuple(
        a_practitioner(active=active, **PUT) for active in plan.practitioners
    )
    locations = tuple(
        a_location(active=active, timezone=zone, **PUT)
        for active, zone in plan.locations
    )
    patients = tuple(a_patient(active=active, **PUT) for active in plan.patients)
    schedules = tuple(
        _schedule(practitioners[who], locations[where], rules)
        for who, where, rules in plan.schedules
    )
    slots = tuple(_slot(schedules[planned.schedule], planned) for planned in plan.slots)
    caller = a_caller()
    async with begin(caller) as work:
        work.settings.save(Settings().replaced_by(plan.settings, now=EIGHT))
        _save_all(work.practitioners, practitioners)
        _save_all(work.locations, locations)
        _save_all(work.patients, patients)
        _save_all(work.schedules, schedules)
        for role in plan.roles:
            work.practitioner_roles.save(
                a_role(
                    practitioners[role.practitioner].id,
                    locations[role.location].id,
                    active=role.active,
                    period_start=role.start,
                    period_end=role.end,
                    not_available=_away(role),
                    **PUT,
                )
            )
        for slot in slots:
            work.slots.add(slot)
    return World(
        caller,
        practitioners,
        locations,
        patients,
        schedules,
        slots,
        (a_room(), a_room()),
    )


def _save_all(shelf: Any, entries: Any) -> None:  # noqa: ANN401  # of several kinds
    for entry in entries:
        shelf.save(entry)


def _schedule(
    practitioner: Practitioner, location: Location, rules: CalendarRules
) -> Schedule:
    schedule = a_schedule(practitioner.id, location.id, timezone=location.timezone)
    return replace(
        schedule,
        horizon_days=rules.horizon_days,
        minimum_notice_minutes=rules.minimum_notice_minutes,
        limits=rules.limits,
    )


def _away(role: PlannedRole) -> tuple[NotAvailable, ...]:
    if role.away is None:
        return ()
    start, end = (EIGHT + quarter * QUARTER for quarter in role.away)
    return (NotAvailable(period=Period(start, end)),)


def _slot(schedule: Schedule, planned: PlannedSlot) -> Slot:
    period = Period.of(EIGHT + planned.quarter * QUARTER, planned.length * QUARTER)
    slot = Slot.opened(
        schedule, period, capacity=planned.capacity, service_types=(), now=EIGHT
    )
    gone = EIGHT if planned.obsolete else None
    return replace(slot, status=planned.status, obsolete_since=gone)

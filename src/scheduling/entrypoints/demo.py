"""The demo clinic group that `scheduling dev` starts with.

Everything goes through use cases and units of work, so that the events of it are in the
outbox too. What has an id is never made again: a second start adds nothing but the days
of slots that have come into sight since.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import chain, cycle, islice
from random import Random
from typing import NamedTuple
from uuid import UUID

import asyncpg

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.commands.generate_slots import GenerateSlots
from scheduling.application.commands.put_location import PutLocation
from scheduling.application.commands.put_patient import PutPatient
from scheduling.application.commands.put_practitioner import PutPractitioner
from scheduling.application.commands.put_practitioner_role import PutPractitionerRole
from scheduling.application.commands.put_settings import PutSettings
from scheduling.application.commands.take_over_appointment import TakeOverAppointment
from scheduling.application.ports.almanac import Almanac
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Scope
from scheduling.application.ports.unit_of_work import BeginWork, UnitOfWork
from scheduling.domain.appointment import CancelReason, Initiator
from scheduling.domain.booking_request import (
    BookingRequest,
    ByStart,
)
from scheduling.domain.directory import Location, Patient
from scheduling.domain.errors import NotBookable
from scheduling.domain.identifiers import AppointmentId, TenantId
from scheduling.domain.period import Period, day_in, local_day
from scheduling.domain.settings import Settings
from scheduling.domain.status import Status
from scheduling.domain.version import ExpectedVersion
from scheduling.entrypoints.attempts import settled
from scheduling.entrypoints.demo_group import (
    DEMO_TENANT,
    LOCATIONS,
    POSTS,
    Post,
    demo_id,
    patients,
)
from scheduling.entrypoints.wiring.almanac import open_almanac
from scheduling.entrypoints.wiring.storage import open_quiet_storage

DAYS_AHEAD = 30
DAYS_BACK = 7
DAYS_BOOKED = 10
CONNECTIONS = 6

_CALLER = Caller(
    tenant_id=TenantId(DEMO_TENANT),
    subject="demo",
    scopes=frozenset(Scope),
    patient_id=None,
    request_id="demo",
    traceparent=None,
)
_SETTINGS = Settings(
    horizon_days=DAYS_AHEAD,
    reminder_offsets_minutes=(24 * 60, 2 * 60),
    timezone=LOCATIONS[0].timezone,
)
_SEALED = AppointmentId(demo_id("appointment", "last"))
"""Booked when all else is there: who finds it, has nothing to make but new days."""


def _system_clock() -> datetime:
    return datetime.now(UTC)


async def open_tenant(database_url: str) -> UUID:
    """Make the demo's tenant, empty; nothing happens if there is one."""
    connection = await asyncpg.connect(
        database_url,
        server_settings={
            "role": "scheduling_api",
            "app.tenant_id": str(DEMO_TENANT),
        },
    )
    try:
        await connection.execute(
            "INSERT INTO tenants (tenant_id, created_at) VALUES ($1, $2) "
            "ON CONFLICT DO NOTHING",
            DEMO_TENANT,
            _system_clock(),
        )
    finally:
        await connection.close()
    return DEMO_TENANT


async def seed_demo(database_url: str, now: Clock = _system_clock) -> UUID:
    """Fill the demo's tenant, and see that slots reach DAYS_AHEAD."""
    almanac = open_almanac()
    async with open_quiet_storage(database_url, now, size=1) as begin:
        seeded, complete = await _standing(begin, now())
    if not (seeded and complete):
        async with open_quiet_storage(database_url, now, size=CONNECTIONS) as begin:
            if not seeded:
                await _put_directory(begin, now)
            if not complete:
                open_days = partial(_open_days, begin, now, almanac, history=not seeded)
                await _together(partial(open_days, post) for post in POSTS)
            if not seeded:
                await _book(begin, now)
    return DEMO_TENANT


async def _together(works: Iterator[Callable[[], Awaitable[None]]]) -> None:
    """Do them side by side, one on each connection."""
    lanes = asyncio.Semaphore(CONNECTIONS)

    async def one(work: Callable[[], Awaitable[None]]) -> None:
        async with lanes:
            await work()

    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(one(work))


async def _standing(begin: BeginWork, now: datetime) -> tuple[bool, bool]:
    """Return whether all was made once, and whether slots reach far enough."""
    async with begin(_CALLER) as work:
        seeded = await work.appointments.find(_SEALED) is not None
        complete = seeded and all(
            [await _reaches_far_enough(work, post, now) for post in POSTS]
        )
    return seeded, complete


async def _reaches_far_enough(work: UnitOfWork, post: Post, now: datetime) -> bool:
    """A run of today has made its slots follow whatever its rules are by now."""
    calendar = await work.schedules.of_role(post.role.id)
    if calendar is None:
        return False
    runs = await work.generation.runs(calendar.id, None, 1)
    today = local_day(now, calendar.timezone)
    return any(run.first_day >= today for run in runs)


def _joining(work: UnitOfWork) -> BeginWork:
    """Let use cases share one transaction: their writes go out in one statement."""

    @asynccontextmanager
    async def join(_caller: Caller) -> AsyncIterator[UnitOfWork]:
        yield work

    return join


async def _put_settings(begin: BeginWork, now: Clock) -> None:
    """What somebody has set since stays set."""
    async with begin(_CALLER) as work:
        if (await work.settings.get()).version == 0:
            await PutSettings(_joining(work), now)(_CALLER, _SETTINGS)


async def _put_directory(begin: BeginWork, now: Clock) -> None:
    await _put_settings(begin, now)
    async with begin(_CALLER) as work:
        joined = _joining(work)
        for location in LOCATIONS:
            await PutLocation(joined, now)(_CALLER, location)
        for post in POSTS:
            await PutPractitioner(joined, now)(_CALLER, post.practitioner)
        for patient in patients():
            await PutPatient(joined, now)(_CALLER, patient)
    async with begin(_CALLER) as work:
        for post in POSTS:
            await PutPractitionerRole(_joining(work), now)(_CALLER, post.role)


async def _open_days(
    begin: BeginWork, now: Clock, almanac: Almanac, post: Post, *, history: bool
) -> None:
    """Have the slots of a post follow its rules, as on each day since a week ago."""
    async with begin(_CALLER) as work:
        calendar = await work.schedules.of_role(post.role.id)
    if calendar is None:
        return
    today = local_day(now(), calendar.timezone)
    a_week_ago = day_in(calendar.timezone, today - timedelta(days=DAYS_BACK)).start
    generate = partial(GenerateSlots, begin, almanac=almanac)
    if history:
        await generate(now=lambda: a_week_ago)(
            _CALLER, calendar.id, source_event_id="demo:history"
        )
    await generate(now=now)(_CALLER, calendar.id, source_event_id=f"demo:{today}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A seat that the demo fills, and what became or becomes of it."""

    id: AppointmentId
    post: Post
    period: Period
    patient: Patient
    type: str
    status: Status


async def _book(begin: BeginWork, now: Clock) -> None:
    visits = sorted(planned_visits(now()), key=lambda visit: visit.period.start)
    await _together(partial(_keep, begin, now, visit) for visit in visits[:-1])
    last = replace(visits[-1], id=_SEALED, status=Status.BOOKED)
    await _keep(begin, now, last)


async def _keep(begin: BeginWork, now: Clock, visit: Visit) -> None:
    """A seat that somebody took after an earlier start broke off stays theirs."""
    with suppress(NotBookable):
        await settled(partial(_keep_once, begin, now, visit))


async def _keep_once(begin: BeginWork, now: Clock, visit: Visit) -> None:
    request = BookingRequest(
        id=visit.id,
        patient_id=visit.patient.id,
        when=ByStart(visit.post.practitioner.id, visit.post.location.id, visit.period),
        appointment_type=visit.type,
    )
    ahead = visit.period.start > now()
    async with begin(_CALLER) as work:
        if await work.appointments.find(visit.id) is not None:
            return
        joined = _joining(work)
        if ahead and visit.status in {Status.BOOKED, Status.CANCELLED}:
            await BookAppointment(joined, now)(_CALLER, request)
        else:
            earlier = min(now(), visit.period.start) - timedelta(days=3)
            await TakeOverAppointment(joined)(
                _CALLER, request, booked_at=earlier, status=visit.status
            )
    if ahead and visit.status is Status.CANCELLED:
        await CancelAppointment(begin, now)(
            _CALLER,
            visit.id,
            expected=ExpectedVersion(1),
            reason_code=CancelReason.PATIENT,
            initiated_by=Initiator.PATIENT,
            comment=None,
        )


_LONG_AGO = (
    *(Status.COMPLETED,) * 6,
    Status.NO_SHOW,
    Status.COMPLETED,
    Status.CANCELLED,
    Status.COMPLETED,
    Status.ENTERED_IN_ERROR,
    Status.NO_SHOW,
)
_JUST_NOW = (Status.COMPLETED, Status.IN_PROGRESS, Status.ARRIVED)
_SOON = (Status.ARRIVED, Status.CONFIRMED)
_LATER = (
    *(Status.BOOKED,) * 4,
    Status.CONFIRMED,
    Status.CANCELLED,
    Status.BOOKED,
    Status.PENDING,
    Status.CONFIRMED,
    Status.PROPOSED,
)


def _statuses(starts: Sequence[datetime], now: datetime) -> Iterator[Status]:
    """Return one for each visit of a clinic, in the order of their starts."""
    past = sum(start <= now for start in starts)
    long_ago = max(0, past - len(_JUST_NOW))
    yield from islice(cycle(_LONG_AGO), long_ago)
    yield from _JUST_NOW[: past - long_ago]
    yield from chain(_SOON, cycle(_LATER))


def planned_visits(now: datetime) -> Iterator[Visit]:
    """Fill some seats from a week ago to ten days ahead. Nobody is in two places: a
    patient goes to one clinic, once a day.
    """
    random = Random(now.date().toordinal())  # noqa: S311  # a demo
    everybody = patients()
    for place, location in enumerate(LOCATIONS):
        theirs = everybody[place :: len(LOCATIONS)]
        seats = list(_seats(location, now, random))
        statuses = _statuses([seat.period.start for seat in seats], now)
        coming: dict[date, list[Patient]] = {}
        for number, (seat, status) in enumerate(zip(seats, statuses, strict=False)):
            day = local_day(seat.period.start, location.timezone)
            if day not in coming:
                coming[day] = random.sample(theirs, k=len(theirs))
            if not coming[day]:
                continue
            yield Visit(
                id=AppointmentId(demo_id("appointment", location.code, number)),
                post=seat.post,
                period=seat.period,
                patient=coming[day].pop(),
                type=seat.type,
                status=status,
            )


class Seat(NamedTuple):
    post: Post
    period: Period
    type: str


def _seats(location: Location, now: datetime, random: Random) -> Iterator[Seat]:
    """Choose about every fifth slot, and most seats of a group session, by start."""
    today = local_day(now, location.timezone)
    first, last = (today + timedelta(days=n) for n in (-DAYS_BACK, DAYS_BOOKED))
    found = [
        (post, slot)
        for post in POSTS
        if post.location == location
        for slot in post.slots(first, last)
    ]
    found.sort(key=lambda one: (one[1].day, one[1].start))
    for post, slot in found:
        share = 0.7 if slot.capacity > 1 else 0.2
        for _ in range(slot.capacity):
            if random.random() < share:
                yield Seat(post, slot.period, slot.service_types[0])

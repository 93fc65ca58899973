"""Whom a change of a location, the settings or a role concerns, and who waits for whom
while it is told.
"""

import asyncio
from dataclasses import replace
from datetime import time
from typing import Any

import orjson
import pytest

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.commands.create_schedule import CreateSchedule
from scheduling.application.commands.delete_practitioner_role import (
    DeletePractitionerRole,
)
from scheduling.application.commands.hold_slot import HoldSlot
from scheduling.application.commands.put_location import PutLocation
from scheduling.application.commands.put_practitioner_role import PutPractitionerRole
from scheduling.application.commands.put_settings import PutSettings
from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.domain.appointment import CancelReason, Initiator
from scheduling.domain.calendar_news import Calendar
from scheduling.domain.directory import put
from scheduling.domain.events import CalendarChanged
from scheduling.domain.identifiers import LocationId
from scheduling.domain.schedule import (
    Day,
    PractitionerRole,
    Schedule,
    WeeklyRule,
    calendar_of,
)
from scheduling.domain.settings import CalendarLimits, Settings
from scheduling.domain.version import ExpectedVersion
from tests.builders import (
    EIGHT,
    Clinic,
    a_role,
    an_id,
    at,
    open_clinic,
    slots_from,
)
from tests.contracts.storages import PostgresStorage, Storage

MORNINGS = WeeklyRule(days=(Day.MON,), start=time(9), end=time(12), slot_minutes=30)


async def a_stored_role(
    storage: Storage,
    clinic: Clinic,
    **told: Any,  # noqa: ANN401
) -> tuple[PractitionerRole, Schedule]:
    wanted = a_role(clinic.practitioner.id, clinic.location.id, **told)
    assign = PutPractitionerRole(storage.begin, lambda: EIGHT)
    role = (await assign(clinic.caller, wanted)).role
    async with storage.begin(clinic.caller) as work:
        calendar = await work.schedules.of_role(role.id)
    assert calendar is not None
    return role, calendar


def as_it_tells(calendar: Calendar) -> CalendarChanged:
    return calendar.news(("exceptions",), now=EIGHT)


async def news(storage: Storage, clinic: Clinic) -> list[tuple[str, int, Any]]:
    """Return the calendars' news, with version and what changed."""
    told = [orjson.loads(one.body) for one in await storage.outbox(clinic.caller)]
    return [
        (
            one["data"].get("practitionerRoleId") or one["data"]["scheduleId"],
            one["aggregateversion"],
            tuple(one["data"]["changed"]),
        )
        for one in told
        if one["type"] in {"practitioner-role.changed", "schedule.changed"}
    ]


async def test_calendars_of_a_location_are_found_with_their_roles(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    role, calendar = await a_stored_role(everywhere, clinic, timezone="Africa/Cairo")
    idle, of_idle = await a_stored_role(everywhere, clinic, active=False)
    gone, _ = await a_stored_role(everywhere, clinic)
    delete = DeletePractitionerRole(everywhere.begin, lambda: EIGHT)
    await delete(clinic.caller, gone.id, expected=ExpectedVersion(1))
    await open_clinic(
        everywhere.begin, caller=clinic.caller, practitioner=clinic.practitioner
    )
    await open_clinic(everywhere.begin)
    async with everywhere.begin(clinic.caller) as work:
        found = await work.calendar_news.at_location(clinic.location.id)
        elsewhere = await work.calendar_news.at_location(LocationId(an_id()))
        one = await work.calendar_news.of(calendar)
        by_staff = await work.calendar_news.of(clinic.schedule)
    ids = [clinic.schedule.id, calendar.id, of_idle.id]
    assert [it.schedule_id for it in found] == sorted(ids)
    assert elsewhere == []
    known = {it.schedule_id: it for it in found}
    assert known[calendar.id] == one
    assert (
        known[clinic.schedule.id] == by_staff == Calendar.made_by_staff(clinic.schedule)
    )
    assert one.role is not None
    assert (one.role.id, one.role.version) == (role.id, 1)
    assert (one.role.active, one.role.has_own_zone) == (True, True)
    other = known[of_idle.id].role
    assert other is not None
    assert (other.id, other.active, other.has_own_zone) == (idle.id, False, False)


async def test_calendars_with_a_horizon_of_their_own_do_not_follow_the_organisations(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    _, calendar = await a_stored_role(everywhere, clinic)
    await CreateSchedule(everywhere.begin, lambda: EIGHT)(
        clinic.caller,
        practitioner_id=clinic.practitioner.id,
        location_id=clinic.location.id,
        timezone=None,
        availability=(),
        horizon_days=10,
        limits=CalendarLimits(),
    )
    async with everywhere.begin(clinic.caller) as work:
        found = await work.calendar_news.with_the_organisations_horizon()
    ids = sorted([clinic.schedule.id, calendar.id])
    assert [one.schedule_id for one in found] == ids


async def test_visits_ahead_are_those_that_take_time_of_the_calendar(
    everywhere: Storage,
) -> None:
    """Not what is cancelled, what has begun, or is of another calendar."""
    clinic = await open_clinic(
        everywhere.begin, *slots_from("09:00", count=4), patients=4
    )
    begin, caller = everywhere.begin, clinic.caller
    book = BookAppointment(begin, lambda: EIGHT)
    visits = [await book(caller, clinic.request(n, n)) for n in range(3)]
    await CancelAppointment(begin, lambda: EIGHT)(
        caller,
        visits[1].id,
        expected=ExpectedVersion(1),
        reason_code=CancelReason.PRACTICE,
        initiated_by=Initiator.STAFF,
        comment=None,
    )
    hold = await HoldSlot(begin, lambda: EIGHT)(caller, clinic.request(3, 3))
    _, another = await a_stored_role(everywhere, clinic)
    async with begin(caller) as work:
        ahead = await work.calendar_news.visits_ahead(clinic.schedule, EIGHT)
        begun = await work.calendar_news.visits_ahead(clinic.schedule, at("09:00"))
        assert await work.calendar_news.visits_ahead(another, EIGHT) == []
    assert [one.id for one in ahead] == [visits[0].id, visits[2].id, hold.id]
    first = ahead[0]
    assert (first.period, first.status) == (visits[0].period, visits[0].status)
    assert [one.id for one in begun] == [visits[2].id]


async def test_news_goes_out_with_the_transaction(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    calendar = Calendar.made_by_staff(clinic.schedule)
    async with everywhere.begin(clinic.caller) as work:
        work.calendar_news.announce([as_it_tells(calendar)])
    told = [(str(clinic.schedule.id), 1, ("exceptions",))]
    assert await news(everywhere, clinic) == told
    audit = await everywhere.audit(clinic.caller)
    assert not [row for row in audit if row.action == "schedule.changed"]


async def test_a_role_is_held_with_its_calendar(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    role, calendar = await a_stored_role(everywhere, clinic, availability=(MORNINGS,))
    async with everywhere.begin(clinic.caller) as work:
        assert await work.schedules.hold_of_role(role.id) == calendar
        assert await work.schedules.hold_of_role(a_role().id) is None
    async with everywhere.begin(clinic.caller) as work:
        held = await work.schedules.hold_of_role(role.id)
        assert held is not None
        changed = replace(role, timezone="Africa/Cairo")
        work.schedules.save(calendar_of(changed, held, timezone="UTC", now=EIGHT))
    async with everywhere.begin(clinic.caller) as work:
        assert (await work.schedules.get(calendar.id)).version == 2


async def linger(work: UnitOfWork) -> None:
    """Take longer than somebody who does not wait for us."""
    for _ in range(100):
        await work.settings.get()


async def test_who_changes_an_exception_and_who_changes_the_role_take_turns(
    everywhere: Storage,
) -> None:
    """Else the version that the exception tells might be older than one told before."""
    clinic = await open_clinic(everywhere.begin)
    role, calendar = await a_stored_role(everywhere, clinic)
    telling, changing = asyncio.Event(), asyncio.Event()

    async def tell() -> None:
        async with everywhere.begin(clinic.caller) as work:
            held = await work.schedule_exceptions.hold(calendar.id)
            standing = await work.calendar_news.of(held)
            telling.set()
            await changing.wait()
            await linger(work)
            work.calendar_news.announce([as_it_tells(standing)])

    async def change() -> None:
        await telling.wait()
        changing.set()
        change = PutPractitionerRole(everywhere.begin, lambda: EIGHT)
        await change(clinic.caller, replace(role, specialties=("x",)))

    await asyncio.gather(tell(), change())
    told = [
        (version, changed) for _, version, changed in await news(everywhere, clinic)
    ]
    assert told == [(1, ("created",)), (1, ("exceptions",)), (2, ("specialties",))]


async def test_who_changes_a_location_tells_a_calendar_that_is_just_being_made(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    role = replace(
        a_role(clinic.practitioner.id, clinic.location.id),
        version=1,
        created_at=EIGHT,
        updated_at=EIGHT,
    )
    making, moving = asyncio.Event(), asyncio.Event()

    async def make() -> None:
        async with everywhere.begin(clinic.caller) as work:
            await work.schedules.hold_of_role(role.id)
            location = await work.locations.find(clinic.location.id)
            assert location is not None
            making.set()
            await moving.wait()
            await linger(work)
            work.practitioner_roles.save(role)
            zone = location.timezone
            work.schedules.save(calendar_of(role, None, timezone=zone, now=EIGHT))

    async def move() -> None:
        await making.wait()
        moving.set()
        change = PutLocation(everywhere.begin, lambda: EIGHT)
        await change(clinic.caller, replace(clinic.location, timezone="Africa/Cairo"))

    await asyncio.gather(make(), move())
    assert await news(everywhere, clinic) == [(str(role.id), 1, ("location.timezone",))]


@pytest.mark.parametrize("by_staff", [True, False], ids=["schedule", "role"])
async def test_who_makes_a_calendar_waits_for_who_changes_its_location(
    everywhere: Storage,
    by_staff: bool,  # noqa: FBT001
) -> None:
    """It was not among those that are told: it must have been made with the new."""
    clinic = await open_clinic(everywhere.begin)
    moving, making = asyncio.Event(), asyncio.Event()

    async def move() -> None:
        async with everywhere.begin(clinic.caller) as work:
            before = await work.locations.find(clinic.location.id)
            assert before is not None
            await work.calendar_news.at_location(before.id)
            moving.set()
            await making.wait()
            await linger(work)
            wanted = replace(before, timezone="Africa/Cairo")
            work.locations.save(put(before, wanted, expected=None, now=EIGHT))

    async def make() -> Schedule:
        await moving.wait()
        making.set()
        if not by_staff:
            return (await a_stored_role(everywhere, clinic))[1]
        return await CreateSchedule(everywhere.begin, lambda: EIGHT)(
            clinic.caller,
            practitioner_id=clinic.practitioner.id,
            location_id=clinic.location.id,
            timezone=None,
            availability=(),
            horizon_days=None,
        )

    _, made = await asyncio.gather(move(), make())
    assert made.timezone == "Africa/Cairo"


async def test_a_changed_horizon_is_told_to_all_that_follow_it(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    role, _ = await a_stored_role(everywhere, clinic)
    change = PutSettings(everywhere.begin, lambda: EIGHT)
    for wanted in (
        Settings(horizon_days=20),
        Settings(horizon_days=20, hold_minutes=1),
    ):
        await change(clinic.caller, wanted)
    horizon = ("settings.horizonDays",)
    assert sorted((await news(everywhere, clinic))[1:]) == sorted(
        [(str(clinic.schedule.id), 1, horizon), (str(role.id), 1, horizon)]
    )


async def test_bookings_go_on_while_calendars_are_told(
    on_postgres: PostgresStorage,
) -> None:
    clinic = await open_clinic(on_postgres.begin)
    async with on_postgres.begin(clinic.caller) as work:
        await work.calendar_news.at_location(clinic.location.id)
        book = BookAppointment(on_postgres.begin, lambda: EIGHT)
        async with asyncio.timeout(10):
            await book(clinic.caller, clinic.request())

"""Whom a change of a location, the settings or a role concerns, and who waits for whom
while it is told.
"""

import asyncio
from dataclasses import replace
from datetime import time
from typing import Any

import orjson

from scheduling.application.commands.add_schedule_exception import AddScheduleException
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
from scheduling.domain.appointment import CancelReason, Initiator
from scheduling.domain.calendar_news import Calendar
from scheduling.domain.events import CalendarChanged
from scheduling.domain.identifiers import LocationId
from scheduling.domain.schedule import (
    Day,
    PractitionerRole,
    Schedule,
    WeeklyRule,
    calendar_of,
)
from scheduling.domain.schedule_exception import ExceptionKind
from scheduling.domain.settings import CalendarLimits, Settings
from scheduling.domain.version import ExpectedVersion
from scheduling.entrypoints.attempts import settled
from tests.builders import (
    EIGHT,
    Clinic,
    a_role,
    an_id,
    at,
    between,
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
    put = PutPractitionerRole(storage.begin, lambda: EIGHT)
    role = (await put(clinic.caller, wanted)).role
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


async def test_who_changes_an_exception_and_who_changes_the_role_take_turns(
    everywhere: Storage,
) -> None:
    """Else the version that the exception tells might be older than one told before."""
    clinic = await open_clinic(everywhere.begin)
    role, calendar = await a_stored_role(everywhere, clinic)
    close = AddScheduleException(everywhere.begin, lambda: EIGHT)
    put = PutPractitionerRole(everywhere.begin, lambda: EIGHT)

    async def say(n: int) -> None:
        await settled(
            lambda: close(
                clinic.caller,
                calendar.id,
                kind=ExceptionKind.CLOSED,
                on_date=None,
                period=between("09:00", "10:00", day=n),
                windows=(),
                service_types=(),
                reason=None,
            )
        )

    async def change(n: int) -> None:
        wanted = replace(role, specialties=(f"s{n}",), availability=(MORNINGS,) * n)
        await settled(lambda: put(clinic.caller, wanted))

    for n in range(1, 6):
        await asyncio.gather(say(n), change(n), say(n + 10))
    told = [version for _, version, _ in await news(everywhere, clinic)]
    assert told == sorted(told)
    assert (told[0], told[-1], len(told)) == (1, 6, 16)


async def test_no_calendar_is_made_unseen_by_who_changes_its_location(
    everywhere: Storage,
) -> None:
    """Either its role read the new zone, or the change tells the calendar of it."""
    clinic = await open_clinic(everywhere.begin)
    put = PutPractitionerRole(everywhere.begin, lambda: EIGHT)
    move = PutLocation(everywhere.begin, lambda: EIGHT)
    for zone in ("Africa/Cairo", "Asia/Beirut", "Asia/Kathmandu", "Europe/Berlin"):
        wanted = [a_role(clinic.practitioner.id, clinic.location.id) for _ in range(3)]
        before = len(await news(everywhere, clinic))
        await asyncio.gather(
            move(clinic.caller, replace(clinic.location, timezone=zone)),
            *(put(clinic.caller, one) for one in wanted),
        )
        told = (await news(everywhere, clinic))[before:]
        for one in wanted:
            async with everywhere.begin(clinic.caller) as work:
                calendar = await work.schedules.of_role(one.id)
            assert calendar is not None
            seen = [changed for id, _, changed in told if id == str(one.id)]
            if calendar.timezone == zone:
                assert seen == [("created",)]
            else:
                assert seen == [("created",), ("location.timezone",)]


async def test_who_makes_a_calendar_sees_what_all_were_told_of(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    telling, making = asyncio.Event(), asyncio.Event()

    async def tell() -> None:
        async with everywhere.begin(clinic.caller) as work:
            before = await work.settings.get()
            await work.calendar_news.with_the_organisations_horizon()
            telling.set()
            await making.wait()
            for _ in range(5):  # long enough for who would not wait
                await work.settings.get()
            wanted = replace(before, horizon_days=20)
            work.settings.save(before.replaced_by(wanted, now=EIGHT))

    async def make() -> int:
        await telling.wait()
        async with everywhere.begin(clinic.caller) as work:
            making.set()
            await work.calendar_news.let_nobody_change_location_or_settings()
            return (await work.settings.get()).horizon_days

    _, seen = await asyncio.gather(tell(), make())
    assert seen == 20


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

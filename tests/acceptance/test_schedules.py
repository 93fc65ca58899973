"""Calendars with rules of their own, nights, and hours of which a part is over."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from tests.acceptance.desk import TOMORROW, Desk, Thing, at, codes
from tests.acceptance.visits import made, where_it_is_noon

DATE = TOMORROW.date().isoformat()
BEYOND = (409, "OUTSIDE_BOOKING_WINDOW")


def window(start: str, end: str, minutes: int = 30, **told: object) -> Thing:
    return {"startTime": start, "endTime": end, "slotMinutes": minutes, **told}


async def a_schedule(desk: Desk, **told: object) -> Thing:
    given = {
        "practitionerId": await desk.a_practitioner(),
        "locationId": await desk.a_location(),
        **told,
    }
    return made(await desk.post("/v1/schedules", given), 201)


async def except_for(desk: Desk, schedule: Thing, **told: object) -> Thing:
    path = f"/v1/schedules/{schedule['id']}/exceptions"
    return made(await desk.post(path, {"date": DATE, **told}), 201)


async def starts(desk: Desk, schedule: Thing, **asked: Any) -> list[str]:  # noqa: ANN401
    """Return when its slots that can be had begin, as `dd hh:mm`."""
    free = await desk.free(practitionerId=schedule["practitionerId"], **asked)
    return [one["start"][8:16].replace("T", " ") for one in free]


def clock(text: str, days: int = 0) -> str:
    return at(text, days=days).strftime("%d %H:%M")


async def test_a_schedule_is_read_as_it_was_created(desk: Desk) -> None:
    rules = [
        {
            "daysOfWeek": ["sat"],
            "startTime": "22:00",
            "endTime": "06:00",
            "slotMinutes": 20,
            "capacity": 2,
            "serviceTypes": ["x-ray"],
            "validFrom": "2030-01-01",
            "validTo": "2030-12-31",
        },
        {
            "daysOfWeek": ["mon", "wed"],
            "startTime": "08:00",
            "endTime": "24:00",
            "slotMinutes": 30,
            "capacity": 1,
            "serviceTypes": [],
            "validFrom": None,
            "validTo": None,
        },
    ]
    told = {"timezone": "Asia/Kathmandu", "availability": rules, "horizonDays": 30}
    schedule = await a_schedule(desk, **told)
    assert {name: schedule[name] for name in told} == told
    read = await desk.get(f"/v1/schedules/{schedule['id']}")
    assert read.json() == schedule
    assert read.headers["etag"] == '"1"'
    where = await desk.a_location(timezone="America/Havana")
    assert (await a_schedule(desk, locationId=where))["timezone"] == "America/Havana"
    who = schedule["practitionerId"]
    for wrong, code in (
        ({"practitionerId": str(uuid4())}, "PRACTITIONER_NOT_FOUND"),
        ({"locationId": str(uuid4())}, "LOCATION_NOT_FOUND"),
    ):
        given = {"practitionerId": who, "locationId": where, **wrong}
        assert codes(await desk.post("/v1/schedules", given)) == [(404, code)]


async def test_a_schedules_own_rules_stand_over_the_organisations(desk: Desk) -> None:
    await desk.settings(minimumNoticeMinutes=0, horizonDays=90)
    own: Thing = {
        "horizonDays": 2,
        "minimumNoticeMinutes": 48 * 60,
        "limits": {"perDay": 1, "perWeek": None},
    }
    strict, plain = await a_schedule(desk, **own), await a_schedule(desk)
    soon, far = at("09:00"), at("09:00", days=3)
    until = {"to": at("00:00", days=5).isoformat()}
    for schedule, seen in ((strict, []), (plain, [clock("09:00"), clock("09:00", 3)])):
        slots = [await desk.a_slot(one, schedule=schedule) for one in (soon, far)]
        assert await starts(desk, schedule, **until) == seen
        for slot in slots:
            answer = await desk.book(slot)
            assert answer.status_code == (201 if seen else 409)
            assert seen or codes(answer) == [BEYOND]

    limited = await a_schedule(desk, limits={"perDay": 1})
    first, second, other_day = [
        await desk.a_slot(one, schedule=limited)
        for one in (soon, at("11:00"), at("09:00", days=1))
    ]
    await desk.booked(first)
    assert await starts(desk, limited) == [clock("09:00", 1)]
    assert codes(await desk.book(second)) == [(409, "BOOKING_LIMIT_REACHED")]
    assert (await desk.book(other_day)).status_code == 201


async def test_a_night_has_slots_on_both_dates_and_belongs_to_the_first(
    desk: Desk,
) -> None:
    schedule = await a_schedule(desk)
    night = window("22:00", "06:00", 120)
    extra = await except_for(desk, schedule, kind="extra", windows=[night])
    assert extra["slotsOpened"] == 4
    whole = [
        clock("22:00"),
        *(clock(one, 1) for one in ("00:00", "02:00", "04:00")),
    ]
    assert await starts(desk, schedule) == whole
    next_day = at("00:00", days=1).date().isoformat()
    closed = await except_for(desk, schedule, kind="closed", date=next_day)
    assert (closed["slotsBlocked"], await starts(desk, schedule)) == (0, whole)
    closed = await except_for(desk, schedule, kind="closed")
    assert (closed["slotsBlocked"], await starts(desk, schedule)) == (4, [])


async def test_a_visit_lasts_over_midnight_and_is_on_both_days(desk: Desk) -> None:
    schedule = await a_schedule(desk)
    over_midnight = window("23:45", "00:15")
    await except_for(desk, schedule, kind="extra", windows=[over_midnight])
    assert await starts(desk, schedule) == [clock("23:45")], "once"
    visit = made(await desk.book_from(at("23:45"), 30, schedule), 201)
    next_day = at("00:00", days=1).date().isoformat()
    for day in (DATE, next_day):
        path = f"/v1/locations/{schedule['locationId']}/slots"
        [slot] = made(await desk.get(path, params={"date": day}))["items"]
        assert [slot["id"]] == visit["slotIds"]

    await except_for(
        desk,
        schedule,
        kind="extra",
        date=next_day,
        windows=[window("23:00", "24:00")],
    )
    late = [clock("23:00", 1), clock("23:30", 1)]
    assert await starts(desk, schedule) == late


async def test_an_override_without_hours_closes_the_day(desk: Desk) -> None:
    schedule = await a_schedule(desk)
    for days in (0, 1):
        await desk.a_slot(at("09:00", days=days), schedule=schedule)
    replaced = await except_for(desk, schedule, kind="replace", windows=[])
    assert replaced["slotsBlocked"] == 1
    assert await starts(desk, schedule) == [clock("09:00", 1)]


async def test_hours_that_are_half_over_keep_their_rest(desk: Desk) -> None:
    """All of a day on which it is noon now."""
    zone = where_it_is_noon()
    place = await desk.a_location(timezone=zone)
    schedule = await a_schedule(desk, locationId=place)
    before = datetime.now(UTC)
    today = before.astimezone(ZoneInfo(zone)).date().isoformat()
    round_the_clock = window("00:00", "24:00", 20)
    extra = await except_for(
        desk, schedule, kind="extra", date=today, windows=[round_the_clock]
    )
    assert 20 < extra["slotsOpened"] < 50
    day = {"from": today, "to": _day_after(today), "timezone": zone}
    free = await desk.free(practitionerId=schedule["practitionerId"], **day)
    begins = [datetime.fromisoformat(one["start"]) for one in free]
    assert before < begins[0] < before + timedelta(minutes=25)
    assert len(begins) in {extra["slotsOpened"], extra["slotsOpened"] - 1}
    assert all(after - one == timedelta(minutes=20) for one, after in pairwise(begins))
    assert begins[0].minute % 20 == 0, "the grid is that of the whole"
    ends = datetime.fromisoformat(free[-1]["end"])
    assert (ends.hour, ends.minute) == (0, 0)


def _day_after(day: str) -> str:
    return (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()

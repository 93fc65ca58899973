"""Instants are the same wherever they are looked at from, and whatever the machine."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx2
import pytest

from tests.acceptance.conftest import ALL
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import Product, running_product
from tests.acceptance.visits import made

EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"
"""14 hours ahead and 11 behind."""


@pytest.mark.parametrize("zone", [EAST, WEST, "UTC", "Asia/Kathmandu"])
async def test_a_viewer_anywhere_is_offered_the_same_instants_on_their_own_days(
    desk: Desk, zone: str
) -> None:
    schedule = await desk.a_schedule()
    for clock in ("00:15", "09:59", "10:00", "10:59", "11:00", "18:15", "23:45"):
        await desk.a_slot(at(clock), minutes=1, schedule=schedule)
    home, away = await desk.free(), await desk.free(timezone=zone)
    assert len(home) == 7

    def instants(found: list[Thing]) -> list[tuple[str, datetime]]:
        starts = [datetime.fromisoformat(one["start"]) for one in found]
        return [(one["slotId"], s) for one, s in zip(found, starts, strict=True)]

    assert instants(away) == instants(home), "none lost, none doubled"
    for one in away:
        wall = datetime.fromisoformat(one["start"]).astimezone(ZoneInfo(zone))
        assert one["date"] == wall.date().isoformat()
        assert wall.utcoffset() == datetime.fromisoformat(one["start"]).utcoffset()

    # Day by day, as a viewer there turns the pages.
    days = sorted({one["date"] for one in away})
    after = at("00:00", days=2).date().isoformat()
    by_day = []
    for day, next_day in zip(days, [*days[1:], after], strict=True):
        span = {"from": day, "to": next_day}
        by_day += await desk.free(timezone=zone, **span)
    assert by_day == away


async def test_a_practitioner_works_in_two_zones_and_is_in_one_place_at_a_time(
    desk: Desk,
) -> None:
    """The same instant is nine o'clock in one place and another day in the other."""
    practitioner = await desk.a_practitioner()
    east, west = [
        await desk.a_schedule(practitioner, await desk.a_location(timezone=zone))
        for zone in (EAST, WEST)
    ]
    assert (east["timezone"], west["timezone"]) == (EAST, WEST)
    here = await desk.a_slot(at("10:30"), schedule=east)
    same_time = await desk.a_slot(at("10:30"), schedule=west)
    across = await desk.a_slot(at("10:45"), schedule=west)
    later = await desk.a_slot(at("11:00"), schedule=west)
    shown = await desk.free(practitionerId=practitioner)
    places = {one["slotId"]: (one["timezone"], one["date"]) for one in shown}
    tomorrow, next_day = [at("00:00", days=n).date().isoformat() for n in (0, 1)]
    today = at("00:00", days=-1).date().isoformat()
    assert places == {
        here["id"]: (EAST, next_day),
        same_time["id"]: (WEST, today),
        across["id"]: (WEST, today),
        later["id"]: (WEST, tomorrow),
    }
    await desk.booked(here)
    refused = [await desk.book(slot) for slot in (same_time, across)]
    assert codes(*refused) == [(409, "DOUBLE_BOOKING_DETECTED")] * 2
    free = await desk.free(practitionerId=practitioner)
    assert [one["slotId"] for one in free] == [later["id"]]
    assert (await desk.book(later)).status_code == 201


async def test_a_limit_of_a_day_counts_the_day_of_the_clinic_that_is_booked(
    desk: Desk,
) -> None:
    await desk.settings(limits={"perPractitionerDay": 1})
    schedule = await desk.a_schedule(location=await desk.a_location(timezone=EAST))
    # The day there begins at ten o'clock of UTC.
    before, first, second = [
        await desk.a_slot(at(clock), minutes=10, schedule=schedule)
        for clock in ("09:45", "10:00", "23:00")
    ]
    await desk.booked(first)
    assert codes(await desk.book(second)) == [(409, "BOOKING_LIMIT_REACHED")]
    assert (await desk.book(before)).status_code == 201


@asynccontextmanager
async def elsewhere(
    product: Product, folder: Path, tenant: UUID, machine: str
) -> AsyncIterator[Desk]:
    """The same database, by processes on a machine of another zone."""
    with running_product(
        product.database_url, product.nats_url, folder, TZ=machine
    ) as run:
        token = run.issuer.mint(tenant_id=tenant, scope=ALL, subject="reception")
        async with httpx2.AsyncClient(base_url=run.url, timeout=30) as http:
            yield Desk(http, token)


Look = Callable[[Desk], Awaitable[httpx2.Response]]


def looks_at(schedule: Thing, visit: Thing) -> dict[str, Look]:
    """Whatever has to do with days, hours and walls."""
    who, where = schedule["practitionerId"], schedule["locationId"]
    day = at("00:00").date().isoformat()
    days = {"from": day, "to": at("00:00", days=3).date().isoformat()}
    span = {"from": at("00:00").isoformat(), "to": at("00:00", days=3).isoformat()}

    def get(path: str, **asked: Any) -> Look:  # noqa: ANN401
        return lambda desk: desk.get(path, params=asked)

    pattern = {
        "availability": schedule["availability"],
        "timezone": "America/Havana",
        "from": "2030-03-09",
        "to": "2030-03-11",
    }
    return {
        "search": get("/v1/availability", **days, practitionerId=who),
        "search of another zone": get("/v1/availability", **days, timezone=WEST),
        "next": get("/v1/availability/next"),
        "explain": get("/v1/availability/explain", **days, practitionerId=who),
        "clinics": get("/v1/locations/available", date=day),
        "slots of who": get(f"/v1/practitioners/{who}/slots", date=day),
        "slots of where": get(f"/v1/locations/{where}/slots", date=day),
        "slots": get(f"/v1/schedules/{schedule['id']}/slots", **span),
        "schedule": get(f"/v1/schedules/{schedule['id']}"),
        "exceptions": get(f"/v1/schedules/{schedule['id']}/exceptions"),
        "appointment": get(f"/v1/appointments/{visit['id']}"),
        "today": get("/v1/appointments/today", locationId=where),
        "upcoming": get("/v1/appointments/upcoming", **days, summary="true"),
        "calendar": get("/v1/calendar", **days, locationId=where),
        "statistics": get("/v1/statistics", **days, locationId=where),
        "preview": lambda desk: desk.post("/v1/schedules/preview", pattern),
    }


async def test_the_machines_zone_changes_no_byte(
    desk: Desk, product: Product, tenant: UUID, tmp_path: Path
) -> None:
    place = await desk.a_location(timezone="America/Havana")
    rule = {
        "daysOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "startTime": "22:00",
        "endTime": "06:00",
        "slotMinutes": 60,
    }
    given = {
        "practitionerId": await desk.a_practitioner(),
        "locationId": place,
        "availability": [rule],
    }
    schedule = made(await desk.post("/v1/schedules", given), 201)
    clocks = ("00:30", "03:30", "04:30", "12:00", "23:30")
    slots = [await desk.a_slot(at(one), schedule=schedule) for one in clocks]
    visit = await desk.booked(slots[1])
    await desk.booked(slots[2])
    path = f"/v1/schedules/{schedule['id']}/exceptions"
    closed = {"kind": "closed", "date": at("00:00", days=2).date().isoformat()}
    made(await desk.post(path, closed), 201)

    looks = looks_at(schedule, visit)
    told = {name: (await look(desk)).content for name, look in looks.items()}
    async with elsewhere(product, tmp_path / "east", tenant, EAST) as east:
        for name, look in looks.items():
            answer = await look(east)
            assert answer.status_code in {200, 201}, answer.text
            assert answer.content == told[name], name
        # What is decided there is decided as here, too.
        again = {"kind": "closed", "date": at("00:00", days=5).date().isoformat()}
        there = made(await east.post(path, again), 201)
        here = made(await desk.post(path, again), 201)
        assert (there["start"], there["end"]) == (here["start"], here["end"])

"""In the morning each practitioner is told once whom they see, at each location."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
import pytest

from scheduling.application.commands.send_daily_schedules import SendDailySchedules
from scheduling.domain.identifiers import LocationId
from scheduling.domain.period import Period
from scheduling.domain.status import Status
from tests.builders import (
    EIGHT,
    Clinic,
    a_location,
    at,
    between,
    open_clinic,
)
from tests.contracts.put_there import a_visit, put_there
from tests.contracts.storages import Storage, postgres_storage
from tests.fakes.storage import MemoryStorage


@pytest.fixture(params=["memory", "postgres"])
async def everywhere(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """As crons work: under the role of the inbox."""
    if request.param == "memory":
        yield MemoryStorage()
        return
    url = request.getfixturevalue("shared_database_url")
    async with postgres_storage(url, size=4, role="scheduling_inbox") as storage:
        yield storage


async def send(storage: Storage, clinic: Clinic, now: datetime) -> int:
    sending = SendDailySchedules(storage.begin, lambda: now)
    return sum([told async for told in sending(clinic.caller)])


async def sheets(storage: Storage, clinic: Clinic) -> list[Mapping[str, Any]]:
    told = [orjson.loads(one.body) for one in await storage.outbox(clinic.caller)]
    return [one["data"] for one in told if one["type"] == "notification.requested"]


async def test_each_practitioner_with_visits_is_told_once_on_a_day(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    colleague = await open_clinic(
        everywhere.begin,
        caller=clinic.caller,
        location=clinic.location,
        patients=clinic.patients,
    )
    await open_clinic(  # has no visits
        everywhere.begin,
        caller=clinic.caller,
        location=clinic.location,
        patients=clinic.patients,
    )
    await put_there(
        everywhere,
        clinic,
        a_visit(clinic, between("10:00", "10:30")),
        a_visit(clinic, between("09:00", "09:30")),
        a_visit(clinic, between("09:00", "09:30"), status=Status.CANCELLED),
        a_visit(clinic, between("09:00", "09:30", day=1)),
        a_visit(colleague, between("14:00", "14:30")),
    )
    assert await send(everywhere, clinic, at("07:59")) == 0
    assert await send(everywhere, clinic, EIGHT) == 2
    assert await send(everywhere, clinic, at("08:01")) == 0
    told = await sheets(everywhere, clinic)
    assert {one["recipientId"]: one["references"]["appointments"] for one in told} == {
        str(clinic.practitioner.id): "2",
        str(colleague.practitioner.id): "1",
    }
    assert {one["template"] for one in told} == {"practitioner.daily-schedule"}
    assert await send(everywhere, clinic, at("08:00", day=1)) == 1


async def test_several_at_once_tell_it_once(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    await put_there(everywhere, clinic, a_visit(clinic, between("09:00", "09:30")))
    told = await asyncio.gather(*(send(everywhere, clinic, EIGHT) for _ in range(3)))
    assert sorted(told) == [0, 0, 1]
    assert len(await sheets(everywhere, clinic)) == 1


async def test_each_location_is_told_at_eight_of_its_own(everywhere: Storage) -> None:
    berlin = await open_clinic(everywhere.begin, timezone="Europe/Berlin")
    practitioner = berlin.practitioner
    tokyo = await open_clinic(
        everywhere.begin,
        caller=berlin.caller,
        practitioner=practitioner,
        patients=berlin.patients,
        timezone="Asia/Tokyo",
    )
    here = datetime(2030, 1, 7, 8, tzinfo=ZoneInfo("Europe/Berlin"))
    there = datetime(2030, 1, 7, 8, tzinfo=ZoneInfo("Asia/Tokyo"))
    await put_there(
        everywhere,
        berlin,
        a_visit(berlin, Period(here.replace(hour=9), here.replace(hour=10))),
        a_visit(tokyo, Period(there.replace(hour=9), there.replace(hour=10))),
    )
    assert await send(everywhere, berlin, there) == 1
    assert await send(everywhere, berlin, here) == 1
    told = [one["references"] for one in await sheets(everywhere, berlin)]
    assert [one["locationId"] for one in told] == [
        str(tokyo.location.id),
        str(berlin.location.id),
    ]
    assert {one["practitionerId"] for one in told} == {str(practitioner.id)}


async def test_a_location_that_fails_keeps_no_other_from_its_morning(
    everywhere: Storage,
) -> None:
    first, second = LocationId(UUID(int=1)), LocationId(UUID(int=2))
    broken = await open_clinic(
        everywhere.begin, location=a_location(id=first, timezone="Not/Known")
    )
    clinic = await open_clinic(
        everywhere.begin, caller=broken.caller, location=a_location(id=second)
    )
    await put_there(everywhere, clinic, a_visit(clinic, between("09:00", "09:30")))
    told = []
    sending = SendDailySchedules(everywhere.begin, lambda: EIGHT)
    with pytest.RaisesGroup(ZoneInfoNotFoundError):
        async for one in sending(clinic.caller):
            told.append(one)  # noqa: PERF401  # all that came before it failed
    assert sum(told) == 1


async def test_a_location_that_is_closed_for_good_tells_nobody(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(
        everywhere.begin, location=replace(a_location(), active=False)
    )
    await put_there(everywhere, clinic, a_visit(clinic, between("09:00", "09:30")))
    assert await send(everywhere, clinic, EIGHT) == 0


async def test_more_visits_than_one_page_are_counted_all(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    many = [a_visit(clinic, between("09:00", "09:30")) for _ in range(501)]
    await put_there(everywhere, clinic, *many)
    assert await send(everywhere, clinic, EIGHT) == 1
    (sheet,) = await sheets(everywhere, clinic)
    assert sheet["references"]["appointments"] == "501"

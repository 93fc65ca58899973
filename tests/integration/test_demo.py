"""The demo clinic group on a real database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import asyncpg
import pytest

from scheduling.domain.identifiers import TenantId
from scheduling.domain.status import Status
from scheduling.entrypoints.demo import seed_demo
from scheduling.entrypoints.demo_group import DEMO_TENANT, patients
from tests.builders import a_caller
from tests.contracts.storages import postgres_storage
from tests.contracts.test_searching_patients import found

# In the week after Europe, and before the United States, left summer time.
NOW = datetime(2029, 10, 31, 15, 10, tzinfo=UTC)

TABLES = (
    "settings",
    "practitioners",
    "locations",
    "patients",
    "practitioner_roles",
    "schedules",
    "slots",
    "appointments",
    "claims",
    "reminders",
    "outbox",
    "audit",
)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(
        database_url,
        server_settings={"role": "scheduling_api", "app.tenant_id": str(DEMO_TENANT)},
    )
    yield connection
    await connection.close()


async def _rows(reader: Connection) -> dict[str, int]:
    return {
        table: await reader.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
        for table in TABLES
    }


async def test_a_first_start_makes_the_group_and_a_second_adds_nothing(
    database_url: str, reader: Connection
) -> None:
    await seed_demo(database_url, lambda: NOW)

    first = await _rows(reader)
    zones = await reader.fetch("SELECT DISTINCT timezone FROM locations")
    statuses = await reader.fetch("SELECT DISTINCT status FROM appointments")
    sizes = await reader.fetch("SELECT DISTINCT capacity FROM slots ORDER BY 1")
    assert first["locations"] == len(zones) == 2
    assert first["practitioners"] == first["practitioner_roles"] == 8
    assert first["schedules"] == 8
    assert first["patients"] == 300
    assert 250 < first["appointments"] < 1000
    assert {row["status"] for row in statuses} == set(Status)
    assert [row["capacity"] for row in sizes] == [1, 10]

    await seed_demo(database_url, lambda: NOW + timedelta(hours=2))

    assert await _rows(reader) == first


async def test_nobody_is_in_two_places_and_no_slot_is_overfull(
    database_url: str, reader: Connection
) -> None:
    await seed_demo(database_url, lambda: NOW)

    overlapping = await reader.fetchval(
        "SELECT count(*) FROM claims a JOIN claims b USING (actor_kind, actor_id) "
        "WHERE a.share_id <> b.share_id AND a.taken && b.taken"
    )
    overfull = await reader.fetchval(
        "SELECT count(*) FROM slots WHERE booked > capacity"
    )
    miscounted = await reader.fetchval(
        "SELECT count(*) FROM slots s WHERE booked <> (SELECT count(*) FROM "
        "appointments a WHERE s.id = ANY (a.slot_ids) AND a.status IN ('pending', "
        "'booked', 'confirmed', 'arrived', 'in-progress', 'completed'))"
    )
    assert (overlapping, overfull, miscounted) == (0, 0, 0)


async def test_every_appointment_tells_that_it_was_created_once(
    database_url: str, reader: Connection
) -> None:
    await seed_demo(database_url, lambda: NOW)

    told = await reader.fetch(
        "SELECT a.id, count(o.id) FROM appointments a LEFT JOIN outbox o "
        "ON o.aggregate_id = a.id AND o.aggregate_version = 1 "
        "AND o.subject ~ 'appointment[.](created|proposed)$' GROUP BY a.id"
    )
    assert {row["count"] for row in told} == {1}


async def test_slots_keep_their_wall_clock_hours_when_the_clocks_change(
    database_url: str, reader: Connection
) -> None:
    await seed_demo(database_url, lambda: NOW)

    hours = await reader.fetch(
        "SELECT DISTINCT l.code, min((s.starts_at AT TIME ZONE s.timezone)::time) "
        "OVER (PARTITION BY l.code, (s.starts_at AT TIME ZONE s.timezone)::date) "
        "AS first FROM slots s JOIN locations l ON l.id = s.location_id"
    )
    assert {(row["code"], str(row["first"])) for row in hours} == {
        ("BER", "08:00:00"),
        ("NYC", "08:00:00"),
    }


async def test_a_later_start_tops_slots_up_to_thirty_days_ahead(
    database_url: str, reader: Connection
) -> None:
    await seed_demo(database_url, lambda: NOW)
    before = await _rows(reader)
    later = NOW + timedelta(days=5)

    await seed_demo(database_url, lambda: later)

    after = await _rows(reader)
    last = await reader.fetchval(
        "SELECT max((starts_at AT TIME ZONE timezone)::date) FROM slots"
    )
    assert after["slots"] > before["slots"]
    assert after["appointments"] == before["appointments"]
    assert after["settings"] == before["settings"]
    assert last == (later + timedelta(days=30)).date()


async def test_the_demo_s_patients_are_found_by_name_number_phone_and_mail(
    database_url: str,
) -> None:
    await seed_demo(database_url, lambda: NOW)
    asked = patients()[0]
    given, family = asked.name.split()
    async with postgres_storage(database_url, size=1) as storage:
        caller = a_caller(TenantId(DEMO_TENANT))
        for query in (
            f"{family[:3]} {given}",
            asked.file_number,
            asked.email,
            "".join(filter(str.isdigit, asked.phone or ""))[-7:],
        ):
            assert query
            ids = [one.id for one in await found(storage, caller, query, limit=200)]
            assert asked.id in ids, query
            assert len(ids) < len(patients()) / 2

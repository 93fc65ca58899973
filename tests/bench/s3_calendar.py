"""S3: `GET /v1/calendar` of one clinic's day against pgbench doing the same select.

The clinic has 20 practitioners with 32 slots a day each, of which about 300 are booked.
Every request asks for one of 60 days. The reference runs the statement that the product
prepares, for a tenant that is set once; what the product does besides (the token, the
audit of the read) is its own affair.
"""

import asyncio
import json
import random
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid4

import asyncpg

from scheduling.adapters.postgres.calendar import reading_calendar
from scheduling.adapters.postgres.sessions import SESSION
from tests.bench.pgbench import filled, pgbench, write_script
from tests.bench.report import Result
from tests.bench.stack import Stack, running_stack
from tests.bench.world import let_postgres_look, made_of

CONNECTIONS = 16
PRACTITIONERS, SLOTS_A_DAY, DAYS = 20, 32, 60
FIRST_DAY = datetime(2030, 1, 1, tzinfo=UTC)
LOCATION = made_of(3, 0)


async def measure(folder: Path, *, rounds: int = 7, seconds: int = 3) -> Result:
    """Take short turns and compare each with its neighbour, as S1 does."""
    ours: list[float] = []
    reference: list[float] = []
    loads: list[Mapping[str, Any]] = []
    async with running_stack(folder) as stack:
        tenant = uuid4()
        booked = await _fill(stack.database_url, tenant)
        await _ours(stack, tenant, seconds=3)
        for _ in range(rounds):
            reference.append(await _reference(stack, tenant, seconds))
            loads.append(await _ours(stack, tenant, seconds=seconds))
            ours.append(loads[-1]["per_second"])
    latency = {
        name: median(load[name] for load in loads) for name in ("p50_ms", "p99_ms")
    }
    ratios = [mine / other for mine, other in zip(ours, reference, strict=True)]
    return Result(
        id="S3",
        work=f"`GET /v1/calendar`, a clinic's day, {PRACTITIONERS} practitioners, "
        f"{PRACTITIONERS * SLOTS_A_DAY} slots, {booked:.0f} appointments",
        ours=f"{median(ours):,.0f}/s (p50 {latency['p50_ms']:.1f} ms,"
        f" p99 {latency['p99_ms']:.1f} ms)",
        reference=f"{median(reference):,.0f}/s (pgbench, the same select)",
        value=median(ratios),
        bar=0.35,
        aim=0.60,
        unit="of the reference",
        remark=f"the rounds lie between {min(ratios):.2f} and {max(ratios):.2f}",
        raw={"ours": ours, "reference": reference, "loads": loads},
    )


async def _fill(database_url: str, tenant: UUID) -> float:
    """Lay 60 days of 32 slots for each of 20, and book 47 of 100 of them; return how
    many are booked a day.
    """
    connection = await asyncpg.connect(
        database_url, server_settings={"role": "scheduling_api"}
    )
    async with connection.transaction():
        await connection.execute(
            "SELECT set_config('app.tenant_id', $1, true)", str(tenant)
        )
        await connection.execute(_MADE_OF)
        for statement in _WORLD:
            await connection.execute(statement, tenant)
        count: int = await connection.fetchval("SELECT count(*) FROM appointments")
    await connection.close()
    await let_postgres_look(database_url)
    return count / DAYS


_MADE_OF = """
CREATE FUNCTION pg_temp.made_of(kind integer, n integer) RETURNS uuid LANGUAGE sql
RETURN (lpad(to_hex(kind), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))
    ::uuid
"""
_WORLD = (
    "INSERT INTO tenants VALUES ($1, now())",
    """
    INSERT INTO locations VALUES ($1, pg_temp.made_of(3, 0), 'Clinic Centro', 'B',
        'UTC', NULL, NULL, true, 1, now(), now())
    """,
    """
    INSERT INTO practitioners SELECT $1, pg_temp.made_of(2, n), 'Dr. Ana Souza ' || n,
        true, '{}', 1, now(), now() FROM generate_series(0, 19) n
    """,
    """
    INSERT INTO patients SELECT $1, pg_temp.made_of(4, n), 'Maria Silva ' || n, true,
        NULL, NULL, NULL, false, true, false, 1, now(), now()
    FROM generate_series(0, 4095) n
    """,
    """
    INSERT INTO schedules (tenant_id, id, practitioner_id, location_id, timezone,
        availability, version, created_at, updated_at)
    SELECT $1, pg_temp.made_of(5, n), pg_temp.made_of(2, n), pg_temp.made_of(3, 0),
        'UTC', '[]', 1, now(), now() FROM generate_series(0, 19) n
    """,
    """
    INSERT INTO slots (tenant_id, id, schedule_id, practitioner_id, location_id,
        starts_at, ends_at, timezone, status, capacity, booked, service_types, version)
    SELECT $1, pg_temp.made_of(6, n), pg_temp.made_of(5, n % 20),
        pg_temp.made_of(2, n % 20), pg_temp.made_of(3, 0), start,
        start + interval '15 min', 'UTC', CASE WHEN booked THEN 'busy' ELSE 'free' END,
        1, booked::integer, '{consultation}', 1
    FROM generate_series(0, 60 * 32 * 20 - 1) n,
        LATERAL (SELECT (hashint4(n) & 1023) < 481 AS booked, timestamptz '2030-01-01Z'
            + make_interval(days => n / 640, hours => 8, mins => n / 20 % 32 * 15)
            AS start) s
    """,
    """
    INSERT INTO appointments (tenant_id, id, patient_id, practitioner_id, location_id,
        schedule_id, slot_ids, starts_at, ends_at, timezone, appointment_type, status,
        resources, overbooked, created_at, updated_at, version)
    SELECT $1, pg_temp.made_of(7, row_number() OVER ()::integer),
        pg_temp.made_of(4, hashtext(id::text) & 4095), practitioner_id, location_id,
        schedule_id, ARRAY[id], starts_at, ends_at, timezone, 'consultation', 'booked',
        '[]', false, now(), now(), 1
    FROM slots WHERE booked = 1
    """,
)


async def _ours(stack: Stack, tenant: UUID, *, seconds: float) -> Mapping[str, Any]:
    place = urlsplit(stack.api_url)
    head = (
        f"Host: {place.netloc}\r\nAuthorization: Bearer {stack.token(tenant)}\r\n\r\n"
    )
    lines = []
    for _ in range(int(seconds * 4000)):
        day = FIRST_DAY.date() + timedelta(days=random.randrange(DAYS))  # noqa: S311  # no secret
        query = f"from={day}&to={day + timedelta(days=1)}&locationId={LOCATION}"
        lines.append(
            json.dumps(f"GET /v1/calendar?{query}&timezone=UTC HTTP/1.1\r\n{head}")
        )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.bench.http_load"),
        *(str(place.hostname), str(place.port), str(CONNECTIONS), str(seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate("\n".join(lines).encode())
    result: Mapping[str, Any] = json.loads(out)
    if set(result["statuses"]) != {"200"}:
        raise RuntimeError(f"not every day was shown: {result['statuses']}")
    return result


async def _reference(stack: Stack, tenant: UUID, seconds: int) -> float:
    settings = {**SESSION, "role": "scheduling_api", "app.tenant_id": str(tenant)}
    options = quote(" ".join(f"-c {name}={value}" for name, value in settings.items()))
    with tempfile.TemporaryDirectory() as folder:
        script = write_script(Path(folder), calendar_script(tenant))
        return await pgbench(
            f"{stack.database_url}?options={options}",
            *("-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "1"),
            *("-T", str(seconds), "-f", str(script)),
        )


def calendar_script(tenant: UUID) -> str:
    """Return the select for pgbench, of a day by chance."""
    first = int(FIRST_DAY.timestamp())

    def day(number: str) -> str:
        return f"to_timestamp({first} + ({number})::bigint * 86400)"

    values = {
        "tenant_id": f"'{tenant}'",
        "location_id": f"'{LOCATION}'",
        "start": day(":day"),
        "end": day(":day + 1"),
        "first": f"{day(':day')}::date",
        "now": "now()",
        "most": "20001",
        "since": f"ARRAY[{day('-2')}]",
        "ahead": "ARRAY['0'::interval]",
    }
    statement = reading_calendar(frozenset({"location_id"}), cancelled=False)
    return f"\\set day random(0, {DAYS - 1})\n{filled(statement, values)};"

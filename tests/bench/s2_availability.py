"""S2: `GET /v1/availability` of one practitioner's week against pgbench doing the same
select.

Each of 20 practitioners has 36 slots a day, of which about 100 a week are free. Every
request asks for the week of one of them. The reference runs the statement that the
product prepares, for a tenant that is set once.
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

from scheduling.adapters.postgres.searching import searching
from scheduling.adapters.postgres.sessions import SESSION
from tests.bench.pgbench import filled, pgbench, write_script
from tests.bench.report import Result
from tests.bench.stack import Stack, running_stack
from tests.bench.world import let_postgres_look, made_of

CONNECTIONS = 16
PRACTITIONERS, SLOTS_A_DAY, DAYS = 20, 36, 14
FIRST_DAY = datetime.now(UTC).replace(
    hour=0, minute=0, second=0, microsecond=0
) + timedelta(days=2)
WEEK = timedelta(days=7)


async def measure(folder: Path, *, rounds: int = 7, seconds: int = 3) -> Result:
    """Take short turns and compare each with its neighbour, as S1 does."""
    ours: list[float] = []
    reference: list[float] = []
    loads: list[Mapping[str, Any]] = []
    async with running_stack(folder) as stack:
        tenant = uuid4()
        free = await fill(stack.database_url, tenant)
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
        id="S2",
        work="`GET /v1/availability`, a practitioner's week, "
        f"{SLOTS_A_DAY * 7} slots, {free:.0f} of them free",
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


async def fill(database_url: str, tenant: UUID) -> float:
    """Lay the slots and book 60 of 100; return how many are free a week of each."""
    connection = await asyncpg.connect(
        database_url, server_settings={"role": "scheduling_api"}
    )
    async with connection.transaction():
        await connection.execute(
            "SELECT set_config('app.tenant_id', $1, true)", str(tenant)
        )
        await connection.execute(_MADE_OF)
        await connection.execute(_WORLD[0], tenant)
        for statement in _WORLD[1:-1]:
            await connection.execute(statement, tenant)
        await connection.execute(_WORLD[-1], tenant, FIRST_DAY)
        for statement in _BOOKED:
            await connection.execute(statement, tenant)
        free: int = await connection.fetchval(
            "SELECT count(*) FROM slots WHERE booked = 0"
        )
    await connection.close()
    await let_postgres_look(database_url)
    return free / PRACTITIONERS / DAYS * 7


_MADE_OF = """
CREATE FUNCTION pg_temp.made_of(kind integer, n integer) RETURNS uuid LANGUAGE sql
RETURN (lpad(to_hex(kind), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))
    ::uuid
"""
_WORLD = (
    "INSERT INTO tenants VALUES ($1, now())",
    """
    INSERT INTO locations VALUES ($1, pg_temp.made_of(3, 0), 'Clinic Centro', 'B',
        'America/Sao_Paulo', NULL, NULL, true, 1, now(), now())
    """,
    """
    INSERT INTO practitioners SELECT $1, pg_temp.made_of(2, n), 'Dr. Ana Souza ' || n,
        true, '{}', 1, now(), now() FROM generate_series(0, 19) n
    """,
    """
    INSERT INTO patients VALUES ($1, pg_temp.made_of(4, 0), 'Maria Silva', true,
        NULL, NULL, NULL, false, true, false, 1, now(), now())
    """,
    """
    INSERT INTO practitioner_roles SELECT $1, pg_temp.made_of(8, n),
        pg_temp.made_of(2, n), pg_temp.made_of(3, 0), true, '{}', '{}', NULL, NULL,
        NULL, '[]', '[]', 1, now(), now() FROM generate_series(0, 19) n
    """,
    """
    INSERT INTO schedules (tenant_id, id, practitioner_id, location_id, timezone,
        practitioner_role_id, availability, version, created_at, updated_at)
    SELECT $1, pg_temp.made_of(5, n), pg_temp.made_of(2, n), pg_temp.made_of(3, 0),
        'America/Sao_Paulo', pg_temp.made_of(8, n), '[]', 1, now(), now()
    FROM generate_series(0, 19) n
    """,
    """
    INSERT INTO slots (tenant_id, id, schedule_id, practitioner_id, location_id,
        starts_at, ends_at, timezone, status, capacity, booked, service_types, version)
    SELECT $1, pg_temp.made_of(6, n), pg_temp.made_of(5, n % 20),
        pg_temp.made_of(2, n % 20), pg_temp.made_of(3, 0), start,
        start + interval '15 min', 'America/Sao_Paulo',
        CASE WHEN booked THEN 'busy' ELSE 'free' END,
        1, booked::integer, '{consultation}', 1
    FROM generate_series(0, 14 * 36 * 20 - 1) n,
        LATERAL (SELECT (hashint4(n) & 1023) < 614 AS booked, $2::timestamptz
            + make_interval(days => n / 720, hours => 8, mins => n / 20 % 36 * 15)
            AS start) s
    """,
)
_BOOKED = (
    """
    INSERT INTO appointments (tenant_id, id, patient_id, practitioner_id, location_id,
        schedule_id, slot_ids, starts_at, ends_at, timezone, appointment_type, status,
        resources, overbooked, created_at, updated_at, version)
    SELECT $1, pg_temp.made_of(7, row_number() OVER ()::integer),
        pg_temp.made_of(4, 0), practitioner_id, location_id, schedule_id, ARRAY[id],
        starts_at, ends_at, timezone, 'consultation', 'booked', '[]', false, now(),
        now(), 1
    FROM slots WHERE booked = 1
    """,
    """
    INSERT INTO claims (tenant_id, appointment_id, actor_kind, actor_id, share_id,
        starts_at, ends_at, until, taken, overbooked)
    SELECT $1, id, 1, practitioner_id, slot_ids[1], starts_at, ends_at, ends_at,
        tstzrange(starts_at, ends_at), false
    FROM appointments
    """,
)


async def _ours(stack: Stack, tenant: UUID, *, seconds: float) -> Mapping[str, Any]:
    place = urlsplit(stack.api_url)
    head = (
        f"Host: {place.netloc}\r\nAuthorization: Bearer {stack.token(tenant)}\r\n\r\n"
    )
    start, end = (quote(f"{at:%Y-%m-%dT%H:%M:%SZ}") for at in (FIRST_DAY, _END))
    lines = []
    for _ in range(int(seconds * 4000)):
        who = made_of(2, random.randrange(PRACTITIONERS))  # noqa: S311  # no secret
        query = f"practitionerId={who}&from={start}&to={end}"
        lines.append(json.dumps(f"GET /v1/availability?{query} HTTP/1.1\r\n{head}"))
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
        raise RuntimeError(f"not every week was shown: {result['statuses']}")
    return result


_END = FIRST_DAY + WEEK


async def _reference(stack: Stack, tenant: UUID, seconds: int) -> float:
    settings = {**SESSION, "role": "scheduling_api", "app.tenant_id": str(tenant)}
    options = quote(" ".join(f"-c {name}={value}" for name, value in settings.items()))
    with tempfile.TemporaryDirectory() as folder:
        script = write_script(Path(folder), search_script(tenant))
        return await pgbench(
            f"{stack.database_url}?options={options}",
            *("-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "1"),
            *("-T", str(seconds), "-f", str(script)),
        )


def search_script(tenant: UUID) -> str:
    """Return the select for pgbench, of a practitioner by chance."""
    someone = (
        "ARRAY[('00000002-0000-4000-8000-'"
        "||lpad(to_hex((:who)::bigint), 12, '0'))::uuid]"
    )
    values = {
        "tenant_id": f"'{tenant}'",
        "practitioners": someone,
        "start": f"to_timestamp({int(FIRST_DAY.timestamp())})",
        "end": f"to_timestamp({int(_END.timestamp())})",
        "now": "now()",
        "buffer": "'0'",
        "notice": "'0'",
        "horizon": "90",
        "limit": "201",
    }
    statement = searching(
        frozenset({"practitioners"}), limited=False, for_patient=False
    )
    return f"\\set who random(0, {PRACTITIONERS - 1})\n{filled(statement, values)};"

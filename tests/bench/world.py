"""A tenant with many practitioners, patients and free slots, brought in by COPY.

Ids are made of numbers, so that pgbench can make them too: slot `n` is of practitioner
`n % PRACTITIONERS` and the `n // PRACTITIONERS`-th of the SLOTS_A_DAY quarters of an
hour of a practitioner's days; patient `n % PATIENTS` asks for it, who has nothing else
at that time.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

PRACTITIONERS = 50
PATIENTS = 5000
QUARTER = timedelta(minutes=15)
SLOTS_A_DAY = 36
BASE = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(
    days=2
)


def made_of(kind: int, n: int) -> UUID:
    """`kind` and `n` in hexadecimal: 0000000k-0000-4000-8000-nnnnnnnnnnnn."""
    return UUID(f"{kind:08x}-0000-4000-8000-{n:012x}")


@dataclass(frozen=True, slots=True)
class World:
    tenant: UUID
    slots: int

    def practitioner(self, n: int) -> UUID:
        return made_of(2, n % PRACTITIONERS)

    def patient(self, n: int) -> UUID:
        return made_of(4, n % PATIENTS)

    def schedule(self, n: int) -> UUID:
        return made_of(5, n % PRACTITIONERS)

    def slot(self, n: int) -> UUID:
        return made_of(6, n)

    def start(self, n: int) -> datetime:
        days, quarters = divmod(n // PRACTITIONERS, SLOTS_A_DAY)
        return BASE + timedelta(days=days) + QUARTER * quarters

    @property
    def location(self) -> UUID:
        return made_of(3, 0)


async def make_world(database_url: str, tenant: UUID, *, slots: int) -> World:
    """Fill the tables and let PostgreSQL look at them."""
    world = World(tenant, slots)
    now = datetime.now(UTC)
    connection = await asyncpg.connect(
        database_url, server_settings={"role": "scheduling_api"}
    )
    async with connection.transaction():
        await connection.execute(
            "SELECT set_config('app.tenant_id', $1, true)", str(tenant)
        )
        await connection.execute("INSERT INTO tenants VALUES ($1, $2)", tenant, now)
        await connection.execute(
            "INSERT INTO settings VALUES ($1, 0, 0, 3650, 10, '{1440,120}', 30, NULL,"
            " NULL, 'UTC', 1, $2)",
            tenant,
            now,
        )
        await connection.execute(
            "INSERT INTO locations VALUES ($1, $2, 'Bench', 'B', 'UTC', NULL, NULL,"
            " true, 1, $3, $3)",
            tenant,
            world.location,
            now,
        )
        for n in range(PRACTITIONERS):
            await connection.execute(
                "INSERT INTO practitioners VALUES ($1, $2, 'P', true, '{}', 1, $3, $3)",
                tenant,
                world.practitioner(n),
                now,
            )
            await connection.execute(
                "INSERT INTO schedules VALUES ($1, $2, $3, $4, NULL, 'UTC', '[]', NULL,"
                " 1, $5, $5)",
                tenant,
                world.schedule(n),
                world.practitioner(n),
                world.location,
                now,
            )
        await connection.executemany(
            "INSERT INTO patients VALUES ($1, $2, 'P', true, NULL, NULL, NULL, false,"
            " true, false, 1, $3, $3)",
            [(tenant, world.patient(n), now) for n in range(PATIENTS)],
        )
        await _lay_slots(connection, world)
    await connection.close()
    await let_postgres_look(database_url)
    return world


async def let_postgres_look(database_url: str) -> None:
    """Do what autovacuum does within the first minutes of any database."""
    connection = await asyncpg.connect(
        database_url, server_settings={"role": "scheduling_owner"}
    )
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def _lay_slots(connection: asyncpg.Connection, world: World) -> None:
    # COPY does not go through row level security; a set of rows in one INSERT does.
    for first in range(0, world.slots, 10_000):
        numbers = range(first, min(first + 10_000, world.slots))
        await connection.execute(
            "INSERT INTO slots (tenant_id, id, schedule_id, practitioner_id,"
            " location_id, starts_at, ends_at, timezone, status, capacity, booked,"
            " service_types, version) SELECT $1, s.id, s.schedule, s.practitioner, $2,"
            " s.start, s.start + interval '15 min', 'UTC', 'free', 1, 0, '{}', 1"
            " FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[])"
            " AS s(id, schedule, practitioner, start)",
            world.tenant,
            world.location,
            [world.slot(n) for n in numbers],
            [world.schedule(n) for n in numbers],
            [world.practitioner(n) for n in numbers],
            [world.start(n) for n in numbers],
        )

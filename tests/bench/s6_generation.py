"""S6 and S7: the slots of many roles are made, and found to be right once more."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from uuid import uuid4

import asyncpg

from scheduling.adapters.almanac import HolidaysAlmanac
from scheduling.adapters.embedded.postgres import EmbeddedPostgres
from scheduling.adapters.embedded.program import running
from scheduling.adapters.postgres.migrating import migrate
from scheduling.adapters.postgres.sessions import open_pool
from scheduling.adapters.postgres.unit_of_work import begin_work
from scheduling.application.commands.generate_slots import GenerateSlots
from scheduling.application.commands.put_location import PutLocation
from scheduling.application.commands.put_practitioner import PutPractitioner
from scheduling.application.commands.put_practitioner_role import PutPractitionerRole
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.identifiers import ScheduleId
from tests.bench.report import Result
from tests.bench.world import let_postgres_look
from tests.builders import a_caller, a_location, a_practitioner, a_role
from tests.patterns import a_rule

IN_FLIGHT = 4
SLOTS_A_DAY = 16
# The horizon is today's rest and 90 days; at this hour nothing of today is past.
NOW = datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0) + timedelta(
    days=1
)
DAYS = 91


@dataclass(frozen=True)
class Organisation:
    begin: BeginWork
    schedules: tuple[ScheduleId, ...]
    generate: GenerateSlots
    caller: object


async def measure(folder: Path, *, roles: int = 200, rounds: int = 3) -> list[Result]:
    """In turn: all slots are made, checked once more, and copied by themselves."""
    first: list[float] = []
    second: list[float] = []
    copied: list[float] = []
    postgres = EmbeddedPostgres.on_free_port(folder)
    async with running(postgres.program()) as server:
        await server.ready()
        await migrate(postgres.database_url)
        owner = postgres.superuser_url.rsplit("/", 1)[0] + "/scheduling"
        for _ in range(rounds):
            async with _organisation(postgres.database_url, roles) as organisation:
                first.append(await _generate(organisation))
                second.append(await _generate(organisation))
                copied.append(await _copy(owner, folder / "slots.copy", roles))
    rows = roles * DAYS * SLOTS_A_DAY
    return [
        Result(
            id="S6",
            work=f"slot generation, {roles} roles, {DAYS} days of {SLOTS_A_DAY} slots,"
            f" one process, {IN_FLIGHT} runs at once",
            ours=f"{rows / median(first):,.0f} slots/s",
            reference=f"{rows / median(copied):,.0f} rows/s (COPY of the same rows)",
            value=median(copied) / median(first),
            bar=0.25,
            aim=0.50,
            unit="of the reference",
            raw={"seconds": first, "copy": copied},
        ),
        Result(
            id="S7",
            work="the same again, nothing has changed",
            ours=f"{median(second):.2f} s ({median(second) / roles * 1000:.1f} ms a"
            " role)",
            reference=f"{median(first):.2f} s (the first run)",
            value=median(b / a for a, b in zip(first, second, strict=True)),
            bar=0.15,
            aim=0.05,
            unit="of the first run",
            at_most=True,
            raw={"seconds": second},
        ),
    ]


@asynccontextmanager
async def _organisation(
    database_url: str, roles: int
) -> AsyncGenerator[Organisation, None]:
    """Roles as their owners put them, without slots; under the role of the inbox."""
    pool = await open_pool(database_url, role="scheduling_inbox", size=IN_FLIGHT)
    begin = partial(begin_work, pool, lambda: None, lambda: NOW)
    caller = a_caller()
    location = a_location(timezone="Europe/Berlin")
    await PutLocation(begin, lambda: NOW)(caller, location)
    schedules = []
    for _ in range(roles):
        practitioner = a_practitioner()
        await PutPractitioner(begin, lambda: NOW)(caller, practitioner)
        role = a_role(
            practitioner.id, location.id, availability=(a_rule("09:00", "17:00"),)
        )
        await PutPractitionerRole(begin, lambda: NOW)(caller, role)
        async with begin(caller) as work:
            calendar = await work.schedules.of_role(role.id)
        if calendar is None:
            raise RuntimeError("a role was put without a calendar")
        schedules.append(calendar.id)
    await let_postgres_look(database_url)
    generate = GenerateSlots(begin, lambda: NOW, HolidaysAlmanac())
    try:
        yield Organisation(begin, tuple(schedules), generate, caller)
    finally:
        await pool.close()


async def _generate(organisation: Organisation) -> float:
    waiting = list(organisation.schedules)
    runs = []

    async def worker() -> None:
        while waiting:
            run = await organisation.generate(
                organisation.caller,  # type: ignore[arg-type]
                waiting.pop(),
                source_event_id=str(uuid4()),
            )
            runs.append(run)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    took = time.perf_counter() - began
    if {run.desired for run in runs} != {DAYS * SLOTS_A_DAY}:
        raise RuntimeError("not all slots were made")
    return took


async def _copy(owner_url: str, file: Path, roles: int) -> float:
    """Copy the rows into a table like theirs, with the same indexes and references, by
    whom row level security does not look at: COPY has to be. Then clear both.
    """
    connection = await asyncpg.connect(owner_url)
    await connection.execute(
        "CREATE TABLE slots_copied (LIKE slots INCLUDING ALL) WITH (fillfactor = 85)"
    )
    for table in ("schedules", "practitioners", "locations"):
        await connection.execute(
            f"ALTER TABLE slots_copied ADD FOREIGN KEY (tenant_id, {table[:-1]}_id)"
            f" REFERENCES {table} (tenant_id, id)"
        )
    await connection.copy_from_table("slots", output=file, format="binary")
    await connection.execute("CHECKPOINT")
    began = time.perf_counter()
    told = await connection.copy_to_table("slots_copied", source=file, format="binary")
    took = time.perf_counter() - began
    if told != f"COPY {roles * DAYS * SLOTS_A_DAY}":
        raise RuntimeError(f"the reference copied something else: {told}")
    await connection.execute("DROP TABLE slots_copied")
    await connection.execute("TRUNCATE slots")
    await connection.execute("CHECKPOINT")
    await connection.close()
    return took

"""S8: a sweep of reminders that are due, against the bare writing of the same rows."""

import asyncio
import time
from functools import partial
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

import asyncpg

from scheduling.adapters.embedded.postgres import EmbeddedPostgres
from scheduling.adapters.embedded.program import running
from scheduling.adapters.postgres.migrating import migrate
from scheduling.adapters.postgres.reminders import tenants_with_due_reminders
from scheduling.adapters.postgres.sessions import open_pool
from scheduling.adapters.postgres.unit_of_work import begin_work
from scheduling.adapters.reminders.events import RemindersAsEvents
from scheduling.application.commands.dispatch_due_reminders import (
    DispatchDueReminders,
)
from scheduling.entrypoints.wiring.storage import system_clock
from tests.bench.report import Result

BATCH = 500
PER_PATIENT = 10


async def measure(folder: Path, *, reminders: int = 100_000, rounds: int = 3) -> Result:
    """Both in turn, each time over the same reminders, due an hour ago."""
    postgres = EmbeddedPostgres.on_free_port(folder)
    async with running(postgres.program()) as server:
        await server.ready()
        await migrate(postgres.database_url)
        desk = await asyncpg.connect(
            postgres.superuser_url.rsplit("/", 1)[0] + "/scheduling"
        )
        tenant = await _fill(desk, reminders)
        swept, raw = [], []
        try:
            for _ in range(rounds):
                await _due_again(desk)
                swept.append(reminders / await _sweep(postgres.database_url))
                rows = await desk.fetch(_ROWS)
                await _due_again(desk)
                raw.append(reminders / await _write(desk, tenant, rows))
        finally:
            await desk.close()
    return Result(
        id="S8",
        work=f"reminder sweep, {reminders:,} due, as events, one process",
        ours=f"{median(swept):,.0f}/s",
        reference=f"{median(raw):,.0f}/s (UPDATE … RETURNING of the same rows and "
        f"INSERT of the same events, {BATCH} reminders a transaction)",
        value=median(swept) / median(raw),
        bar=0.35,
        aim=0.60,
        unit="of the reference",
        raw={"ours": swept, "reference": raw},
    )


async def _fill(desk: "asyncpg.Connection[asyncpg.Record]", reminders: int) -> UUID:
    """As superuser, set by set: a clinic whose visits begin in an hour."""
    tenant, practitioner, location, schedule = (uuid4() for _ in range(4))
    patients = reminders // PER_PATIENT
    await desk.execute("INSERT INTO tenants VALUES ($1, now())", tenant)
    await desk.execute(
        "INSERT INTO practitioners (tenant_id, id, name, active, specialties, version, "
        "created_at, updated_at) VALUES ($1, $2, 'P', true, '{}', 1, now(), now())",
        tenant,
        practitioner,
    )
    await desk.execute(
        "INSERT INTO locations (tenant_id, id, name, code, timezone, active, version, "
        "created_at, updated_at, observes_public_holidays, closed_days) VALUES "
        "($1, $2, 'Clinic', 'C', 'Europe/Berlin', true, 1, now(), now(), false, '{}')",
        tenant,
        location,
    )
    await desk.execute(
        "INSERT INTO patients (tenant_id, id, name, active, phone, prefers_whatsapp, "
        "prefers_sms, prefers_email, version, created_at, updated_at) "
        "SELECT $1, gen_random_uuid(), 'P', true, '+49 30 1', false, true, false, 1, "
        "now(), now() FROM generate_series(1, $2)",
        tenant,
        patients,
    )
    await desk.execute(
        "INSERT INTO schedules (tenant_id, id, practitioner_id, location_id, timezone, "
        "availability, version, created_at, updated_at) "
        "VALUES ($1, $2, $3, $4, 'Europe/Berlin', '[]', 1, now(), now())",
        tenant,
        schedule,
        practitioner,
        location,
    )
    await desk.execute(
        "INSERT INTO appointments (tenant_id, id, patient_id, practitioner_id, "
        "location_id, schedule_id, slot_ids, starts_at, ends_at, timezone, "
        "appointment_type, status, resources, overbooked, created_at, updated_at, "
        "version) SELECT $1, gen_random_uuid(), p.id, $2, $3, $4, '{}', "
        "now() + interval '20 hours', now() + interval '21 hours', 'Europe/Berlin', "
        "'follow-up', 'booked', '[]', false, now(), now(), 1 "
        "FROM patients p, generate_series(1, $5)",
        tenant,
        practitioner,
        location,
        schedule,
        PER_PATIENT,
    )
    await desk.execute(
        "INSERT INTO reminders (tenant_id, id, appointment_id, appointment_version, "
        "offset_minutes, channel, due_at, status, attempts) SELECT $1, "
        "gen_random_uuid(), a.id, 1, 1440, 'sms', now() - interval '1 hour' + "
        "random() * interval '10 minutes', 'SCHEDULED', 0 FROM appointments a",
        tenant,
    )
    await desk.execute("VACUUM ANALYZE")
    return tenant


async def _due_again(desk: "asyncpg.Connection[asyncpg.Record]") -> None:
    await desk.execute("TRUNCATE outbox")
    await desk.execute(
        "UPDATE reminders SET status = 'SCHEDULED', attempts = 0, sent_at = NULL"
    )
    await desk.execute("VACUUM FULL reminders")
    await desk.execute("ANALYZE reminders")
    await desk.execute("CHECKPOINT")


async def _sweep(url: str) -> float:
    """Return the seconds that it took, with connections as a cron process has them."""
    sweeping = await open_pool(url, role="scheduling_cron", size=2)
    working = await open_pool(url, role="scheduling_inbox", size=6)
    sweep = DispatchDueReminders(
        partial(begin_work, working, lambda: None, system_clock),
        partial(tenants_with_due_reminders, sweeping),
        RemindersAsEvents(),
        batch=BATCH,
    )
    try:
        began = time.perf_counter()
        async for _ in sweep():
            pass
        return time.perf_counter() - began
    finally:
        await asyncio.gather(sweeping.close(), working.close())


_ROWS = (
    "SELECT event_id, partition, aggregate_id, aggregate_version, subject, body, "
    "created_at FROM outbox ORDER BY id"
)
_MARK = (
    "UPDATE reminders SET status = 'SENT', attempts = 1, sent_at = now() "
    "WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM reminders WHERE "
    "tenant_id = $1 AND status = 'SCHEDULED' AND "
    "COALESCE(attempt_at, due_at) <= now() "
    "ORDER BY COALESCE(attempt_at, due_at), id LIMIT $2) RETURNING *"
)
_TELL = (
    "INSERT INTO outbox (tenant_id, event_id, partition, aggregate_id, "
    "aggregate_version, subject, body, created_at) SELECT $1, * FROM unnest($2::uuid[],"
    " $3::smallint[], $4::uuid[], $5::int[], $6::text[], $7::bytea[], "
    "$8::timestamptz[])"
)


async def _write(
    desk: "asyncpg.Connection[asyncpg.Record]",
    tenant: UUID,
    rows: list[asyncpg.Record],
) -> float:
    """The same rows of both tables, by one connection; the events are made already."""
    mark, tell = await desk.prepare(_MARK), await desk.prepare(_TELL)
    events = 2 * BATCH
    batches = [
        [list(column) for column in zip(*rows[n : n + events], strict=True)]
        for n in range(0, len(rows), events)
    ]
    began = time.perf_counter()
    for batch in batches:
        async with desk.transaction():
            await mark.fetch(tenant, BATCH)
            await tell.fetch(tenant, *batch)
    return time.perf_counter() - began

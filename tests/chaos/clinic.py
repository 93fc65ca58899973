"""A clinic put into the tables by plain SQL, as a superuser: the product has no hand in
what it is tried on.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg

QUARTER = timedelta(minutes=15)
SLOTS_A_DAY = 36
"""Quarters of an hour from 08:00 UTC."""


@dataclass(frozen=True, slots=True)
class Clinic:
    tenant: UUID
    location: str
    practitioners: list[str]
    patients: list[str]
    slots: dict[str, list[str]]
    """Of each practitioner, in order: slot n begins at `start(n)`."""
    begins: datetime

    def start(self, n: int) -> datetime:
        days, quarters = divmod(n, SLOTS_A_DAY)
        return self.begins + timedelta(days=days) + QUARTER * quarters


async def open_clinic(
    superuser_url: str,
    *,
    practitioners: int,
    patients: int,
    slots: int,
    capacity: int = 1,
) -> Clinic:
    """Return a tenant of its own, without buffer, notice or limits; from tomorrow on,
    every practitioner has `slots` slots, SLOTS_A_DAY a day.
    """
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    clinic = Clinic(
        tenant=uuid4(),
        location=str(uuid4()),
        practitioners=[str(uuid4()) for _ in range(practitioners)],
        patients=[str(uuid4()) for _ in range(patients)],
        slots={},
        begins=tomorrow.replace(hour=8, minute=0, second=0, microsecond=0),
    )
    connection = await asyncpg.connect(superuser_url)
    try:
        async with connection.transaction():
            await _directory(connection, clinic)
            for practitioner in clinic.practitioners:
                clinic.slots[practitioner] = await _calendar(
                    connection, clinic, practitioner, slots, capacity
                )
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    return clinic


async def _directory(connection: asyncpg.Connection, clinic: Clinic) -> None:
    tenant = clinic.tenant
    await connection.execute("INSERT INTO tenants VALUES ($1, now())", tenant)
    await connection.execute(
        "INSERT INTO settings (tenant_id, buffer_minutes, minimum_notice_minutes,"
        " horizon_days, hold_minutes, reminder_offsets_minutes, no_show_grace_minutes,"
        " timezone, version, updated_at)"
        " VALUES ($1, 0, 0, 3650, 10, '{1440,120}', 30, 'UTC', 1, now())",
        tenant,
    )
    await connection.execute(
        "INSERT INTO locations (tenant_id, id, name, code, timezone, active, version,"
        " created_at, updated_at)"
        " VALUES ($1, $2, 'Clinic', 'CHAOS', 'UTC', true, 1, now(), now())",
        *(tenant, clinic.location),
    )
    await connection.executemany(
        "INSERT INTO practitioners (tenant_id, id, name, active, specialties, version,"
        " created_at, updated_at) VALUES ($1, $2, 'Dr', true, '{}', 1, now(), now())",
        [(tenant, id) for id in clinic.practitioners],
    )
    await connection.executemany(
        "INSERT INTO patients (tenant_id, id, name, active, prefers_whatsapp,"
        " prefers_sms, prefers_email, version, created_at, updated_at)"
        " VALUES ($1, $2, 'Somebody', true, false, true, false, 1, now(), now())",
        [(tenant, id) for id in clinic.patients],
    )


async def _calendar(
    connection: asyncpg.Connection,
    clinic: Clinic,
    practitioner: str,
    slots: int,
    capacity: int,
) -> list[str]:
    schedule = str(uuid4())
    await connection.execute(
        "INSERT INTO schedules (tenant_id, id, practitioner_id, location_id, timezone,"
        " availability, version, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, 'UTC', '[]', 1, now(), now())",
        *(clinic.tenant, schedule, practitioner, clinic.location),
    )
    ids = [str(uuid4()) for _ in range(slots)]
    starts = [clinic.start(n) for n in range(slots)]
    await connection.executemany(
        "INSERT INTO slots (tenant_id, id, schedule_id, practitioner_id, location_id,"
        " starts_at, ends_at, timezone, status, capacity, booked, service_types,"
        " version) VALUES ($1, $2, $3, $4, $5, $6, $7, 'UTC', 'free', $8, 0, '{}', 1)",
        [
            (
                *(clinic.tenant, id, schedule, practitioner, clinic.location),
                *(start, start + QUARTER, capacity),
            )
            for id, start in zip(ids, starts, strict=True)
        ],
    )
    return ids

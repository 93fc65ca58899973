"""A migration that is taken back and made again, in a database that is in use."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg

from scheduling.adapters.postgres.migrating import migrate
from scheduling.adapters.postgres.revisions import newest_revision

OF_0010 = (
    "sub_files",
    "sub_file_counters",
    "notifications",
    "waitlist_offers",
    "cron_runs",
)
PARENTS: dict[str, Mapping[str, object]] = {
    "tenants": {},
    "practitioners": {},
    "locations": {},
    "schedules": {},
}
STAYING: dict[str, Mapping[str, object]] = {
    "settings": {"waitlist_offers": True},
    "patients": {"language": "my"},
    "appointments": {"status": "booked", "ends_at": datetime(2030, 1, 8, tzinfo=UTC)},
    "waitlist_entries": {
        "status": "waiting",
        "latest": datetime(2030, 1, 8, tzinfo=UTC),
    },
    "reminders": {
        "status": "SCHEDULED",
        "attempt_at": datetime(2030, 1, 7, tzinfo=UTC),
        "sending_since": datetime(2030, 1, 7, tzinfo=UTC),
    },
}
STATUSES: Mapping[str, Mapping[str, object]] = {
    "sub_files": {"status": "open"},
    "waitlist_offers": {"status": "offered"},
    "cron_runs": {"outcome": "done"},
}
ID = uuid4()
"""Of everything, so that each row belongs to all others."""

ANY_VALUE: Mapping[str, Any] = {
    "uuid": ID,
    "text": "x",
    "boolean": True,
    "integer": 1,
    "timestamp with time zone": datetime(2030, 1, 7, tzinfo=UTC),
    "jsonb": "{}",
    "ARRAY": [],
}


async def fill(
    connection: "asyncpg.Connection[asyncpg.Record]", table: str, **told: object
) -> None:
    """Insert a row with anything in what may not be null."""
    needed = await connection.fetch(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = $1 AND is_nullable = 'NO'",
        table,
    )
    row = {name: ANY_VALUE[kind] for name, kind in needed} | told
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await connection.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})",  # noqa: S608  # ours
        *row.values(),
    )


async def test_reminders_and_crons_go_down_and_up_with_rows_in_all_their_tables(
    empty_database_url: str,
) -> None:
    url = empty_database_url
    await migrate(url, "0010")
    session = {"role": "scheduling_owner", "app.tenant_id": str(ID)}
    connection = await asyncpg.connect(url, server_settings=session)
    try:
        for table, columns in (PARENTS | STAYING).items():
            await fill(connection, table, **columns)
        for table in OF_0010:
            await fill(connection, table, **STATUSES.get(table, {}))

        await migrate(url, "0009")
        for table in STAYING:
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 1  # noqa: S608  # ours
        assert await migrate(url, "0010") == "0010"
        for table in OF_0010:
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608  # ours
        [reminder] = await connection.fetch("TABLE reminders")
        assert (reminder["status"], reminder["attempt_at"]) == ("SCHEDULED", None)
        [patient] = await connection.fetch("TABLE patients")
        assert patient["language"] is None
        [settings] = await connection.fetch("TABLE settings")
        assert settings["waitlist_offers"] is False
    finally:
        await connection.close()
    assert await migrate(url) == newest_revision()

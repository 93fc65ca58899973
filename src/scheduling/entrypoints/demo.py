"""The demo clinic group that `scheduling dev` starts with."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg

DEMO_TENANT = UUID("019a9d3e-0000-7000-8000-00000000d390")
"""The same everywhere, so that documents can show commands that work as they stand."""


async def open_tenant(database_url: str) -> UUID:
    """Make the demo's tenant, empty; nothing happens if there is one."""
    connection = await asyncpg.connect(
        database_url,
        server_settings={
            "role": "scheduling_api",
            "app.tenant_id": str(DEMO_TENANT),
        },
    )
    try:
        await connection.execute(
            "INSERT INTO tenants (tenant_id, created_at) VALUES ($1, $2) "
            "ON CONFLICT DO NOTHING",
            DEMO_TENANT,
            datetime.now(UTC),
        )
    finally:
        await connection.close()
    return DEMO_TENANT


async def seed_demo(database_url: str) -> UUID:
    """Fill the demo's tenant, once: a second call changes nothing."""
    return await open_tenant(database_url)

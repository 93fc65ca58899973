"""An answer is found by whoever gets the lock after it was given, at any instant."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg

KEYS = 400
WATCHERS = 5
RECALL = "SELECT alone, fingerprint FROM recall_answer($1, $2, 'desk', $3)"
KEEP = (
    "INSERT INTO idempotency_keys"
    " VALUES ($1, 'desk', $2, 'print', 201, '{}', '', now())"
)


async def connected(database_url: str, tenant: UUID) -> Any:  # noqa: ANN401
    return await asyncpg.connect(
        database_url,
        server_settings={"role": "scheduling_api", "app.tenant_id": str(tenant)},
    )


async def watch(connection: Any, lock: int, tenant: UUID, key: str) -> bool:  # noqa: ANN401
    """Ask again and again; return whether the lock was ever had without the answer."""
    while True:
        found = await connection.fetchrow(RECALL, lock, tenant, key)
        if found["fingerprint"] is not None:
            return False
        if found["alone"]:
            return True


async def test_who_gets_the_lock_sees_the_answer_of_who_let_go_of_it(
    database_url: str,
) -> None:
    tenant = uuid4()
    clerk, *others = [
        await connected(database_url, tenant) for _ in range(WATCHERS + 1)
    ]
    missed = 0
    for lock in range(KEYS):
        key = f"key-{lock}"
        async with clerk.transaction():
            assert (await clerk.fetchrow(RECALL, lock, tenant, key))["alone"]
            watching = [
                asyncio.create_task(watch(other, lock, tenant, key)) for other in others
            ]
            await clerk.execute(KEEP, tenant, key)
        missed += sum(await asyncio.gather(*watching))
    for connection in (clerk, *others):
        await connection.close()
    assert missed == 0

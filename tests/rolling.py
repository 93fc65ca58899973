"""A process that makes the slots of all calendars of a tenant, to be killed: `python -m
tests.rolling DATABASE_URL TENANT`. It says a line for each calendar that is done.
"""

import asyncio
import sys
from functools import partial
from uuid import UUID

from scheduling.adapters.postgres.sessions import open_pool
from scheduling.adapters.postgres.unit_of_work import begin_work
from scheduling.application.commands.roll_horizon_forward import RollHorizonForward
from scheduling.domain.identifiers import TenantId
from tests.builders import EIGHT, a_caller
from tests.generating import KnownHolidays


async def roll(database_url: str, tenant: TenantId) -> None:
    pool = await open_pool(database_url, role="scheduling_inbox", size=2)
    begin = partial(begin_work, pool, lambda: None, lambda: EIGHT)
    rolling = RollHorizonForward(begin, lambda: EIGHT, KnownHolidays())
    async for done in rolling(a_caller(tenant)):
        if done.run is None:
            raise RuntimeError("a calendar has failed") from done.failure
        print("again" if done.run.repeated else "done", flush=True)  # noqa: T201
    await pool.close()


if __name__ == "__main__":
    asyncio.run(roll(sys.argv[1], TenantId(UUID(sys.argv[2]))))

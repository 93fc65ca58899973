"""`python -m tests.sweeper`: sweeps reminders over and over until it is killed, without
taking turns, as the settings in its environment say. Batches are small, so that there
are many moments to be killed at.
"""

import asyncio

from scheduling.application.commands.dispatch_due_reminders import (
    DispatchDueReminders,
)
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.wiring.cron import open_cron_storage


async def main() -> None:
    async with open_cron_storage(Settings()) as storage:
        sweep = DispatchDueReminders(
            storage.begin,
            storage.with_due_reminders,
            storage.reminders,
            batch=5,
            lanes=3,
        )
        while True:
            async for _ in sweep():
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(main())

"""Whether anything may be taken: while the database answers."""

import asyncio

import structlog

from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.entrypoints.wiring.storage import WorkerStorage

PROBE_EVERY = 0.5

log = structlog.get_logger()


class Gate:
    """Open until it is shut, and again as soon as the database answers."""

    def __init__(self, storage: WorkerStorage) -> None:
        self._storage = storage
        self._open = asyncio.Event()
        self._open.set()
        self._shut = asyncio.Event()

    def shut(self) -> None:
        self._open.clear()
        self._shut.set()

    async def passed(self) -> None:
        await self._open.wait()

    async def keep(self) -> None:
        while True:
            await self._shut.wait()
            log.warning("the database is away; nothing is taken")
            while not await self._answers():  # noqa: ASYNC110  # another's process
                await asyncio.sleep(PROBE_EVERY)
            self._shut.clear()
            self._open.set()
            log.info("the database is back")

    async def _answers(self) -> bool:
        try:
            await self._storage.schema()
        except DatabaseUnavailable:
            return False
        return True

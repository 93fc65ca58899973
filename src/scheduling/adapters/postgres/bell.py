"""The bell that wakes the relay: NOTIFY, but not in every transaction that writes.

A NOTIFY inside the writing transactions takes a lock that they all queue for (31 k →
7.5 k transactions a second). So it is sent beside them, and seldom: at once when it has
been quiet, then at most every few milliseconds. It is a courtesy. Whoever misses it is
helped by the relay's poll.
"""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

import asyncpg

OUTBOX_CHANNEL = "scheduling_outbox"

REPLAYED = "replayed"
"""The payload that says: events below your floors wait again."""

LOST = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    # A session that is ended while it is idle: asyncpg has read the server's last word,
    # has not closed yet, and takes our next one for a mistake of its own.
    asyncpg.InternalClientError,
)
"""What a session can end in; whatever it was, a new one is the answer."""

QUIET = 0.005
BUSY = 0.05
"""Seconds between two NOTIFYs. A lone event is on its way at once; where they come in
numbers, waiting a little lets the relay send them as one batch and not one by one,
which costs the machine a tenth.
"""

LONGEST_PAUSE = 2.0


class OutboxBell:
    """Rung by whoever has committed an event; `async with` runs its own connection."""

    def __init__(
        self, database_url: str, *, role: str | None = None, quiet: float = QUIET
    ) -> None:
        self._database_url = database_url
        self._role = role
        self._quiet = quiet
        self._rung = asyncio.Event()
        self._rings = 0
        self._ringer: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Return at once, whatever the database does; many rings become one."""
        self._rings += 1
        self._rung.set()

    async def __aenter__(self) -> Self:
        self._ringer = asyncio.create_task(self._keep_ringing(), name="outbox bell")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._ringer is not None:
            self._ringer.cancel()
            with suppress(asyncio.CancelledError):
                await self._ringer

    async def _keep_ringing(self) -> None:
        pause = self._quiet
        while True:
            try:
                connection = await self._connect()
            except LOST:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause = self._quiet
            try:
                await self._ring_on(connection)
            except LOST:
                self._rung.set()  # that one may not have been heard
            finally:
                connection.terminate()

    async def _ring_on(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        while True:
            await self._rung.wait()
            self._rung.clear()
            rings, self._rings = self._rings, 0
            await connection.execute(f"NOTIFY {OUTBOX_CHANNEL}")
            await asyncio.sleep(self._quiet if rings == 1 else max(self._quiet, BUSY))

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        settings = {
            "application_name": "scheduling outbox bell",
            # NOTIFY takes a transaction id; nothing is lost with its commit record.
            "synchronous_commit": "off",
        }
        if self._role is not None:
            settings["role"] = self._role
        return await asyncpg.connect(
            self._database_url,
            server_settings=settings,
            timeout=5,
            command_timeout=5,
        )

"""Settings kept in the process, and dropped as soon as anybody changes them.

A trigger tells with each committed change whose settings it was (NOTIFY). What is kept
is only as good as that: while nobody listens, nothing is kept and all is read; and when
listening begins again, what was kept before is gone. Bookings never ask here: they read
the stored settings in the statement that reads all their facts.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import asyncpg

from scheduling.adapters.postgres.bell import LOST
from scheduling.application.ports.availability import ReadSettings
from scheduling.application.ports.identity import Caller
from scheduling.domain.settings import Settings

SETTINGS_CHANNEL = "scheduling_settings"

KEPT = 60.0
"""Seconds. A belt besides the braces: should a change ever go unheard."""

MOST_TENANTS = 10_000

HEARTBEAT = 5.0
"""Seconds between two looks whether the session is still there: one that the network
has swallowed hears nothing, and does not say so.
"""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 2.0


class SettingsCache(ReadSettings):
    """`async with` runs its own connection, on which it listens."""

    def __init__(
        self,
        read: ReadSettings,
        database_url: str,
        *,
        role: str | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._read = read
        self._database_url = database_url
        self._role = role
        self._clock = clock
        self._kept: dict[UUID, tuple[Settings, float]] = {}
        self._changes = 0
        self._listener: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()

    async def __call__(self, caller: Caller, /) -> Settings:
        kept = self._kept.get(caller.tenant_id)
        if kept is not None and self._clock() < kept[1]:
            return kept[0]
        before = self._changes
        settings = await self._read(caller)
        # Whatever was heard meanwhile may have been of what was just read.
        if self.listening.is_set() and self._changes == before:
            if len(self._kept) >= MOST_TENANTS:
                self._kept.clear()
            self._kept[caller.tenant_id] = (settings, self._clock() + KEPT)
        return settings

    def forget(self, tenant_id: UUID | None = None) -> None:
        """Drop one organisation's settings, or all."""
        self._changes += 1
        if tenant_id is None:
            self._kept.clear()
        else:
            self._kept.pop(tenant_id, None)

    async def __aenter__(self) -> Self:
        self._listener = asyncio.create_task(self._keep_listening(), name="settings")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._listener is not None:
            self._listener.cancel()
            with suppress(asyncio.CancelledError):
                await self._listener

    async def _keep_listening(self) -> None:
        pause = SHORTEST_PAUSE
        while True:
            try:
                connection = await self._connect()
            except LOST:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            try:
                await self._listen_on(connection)
                pause = SHORTEST_PAUSE
            except LOST:
                await asyncio.sleep(pause)
            finally:
                self._deafen()
                connection.terminate()

    async def _listen_on(
        self, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        """Return or raise when the session is over."""
        over = asyncio.Event()

        def end(_connection: object) -> None:
            self._deafen()
            over.set()

        connection.add_termination_listener(end)
        await connection.add_listener(SETTINGS_CHANNEL, self._hear)
        self.forget()
        self.listening.set()
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), HEARTBEAT)
            if not over.is_set():
                await connection.execute("SELECT 1")

    def _hear(self, _connection: object, _pid: int, _channel: str, told: Any) -> None:  # noqa: ANN401  # asyncpg's signature
        self.forget(UUID(told))

    def _deafen(self) -> None:
        self.listening.clear()
        self.forget()

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        settings = {"application_name": "scheduling settings"}
        if self._role is not None:
            settings["role"] = self._role
        return await asyncpg.connect(
            self._database_url, server_settings=settings, timeout=5, command_timeout=5
        )

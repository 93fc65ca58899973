"""What can happen to relays or inboxes, and to the servers between which they stand.

Each trouble ends with all of it running again: how long it lasts is drawn.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from tests.chaos.faults import terminate_sessions
from tests.chaos.proxy import Proxy, a_proxy
from tests.chaos.stage import Stage

SESSIONS = {"relay": "scheduling relay", "inbox": "%"}
"""How they are called, as patterns."""
SOON = (0.2, 2.0)
"""Seconds that most of it lasts."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """All of one kind of process reach both servers by lines that can be bad."""

    stage: Stage
    kind: str
    broker_line: Proxy
    database_line: Proxy

    async def a_killed_process(self, chance: Random) -> None:
        await self.stage.restart(self._one(chance))

    async def a_stopped_process(self, chance: Random) -> None:
        await self.stage.restart_gently(self._one(chance))

    async def a_hung_process(self, chance: Random) -> None:
        await self._hang(self._one(chance), chance)

    async def one_that_wakes_too_late(self, chance: Random) -> None:
        """It sleeps with its hands full; others take its work, then it wakes."""
        name = self._one(chance)
        self.stage.pause(name)
        try:
            await self._end_sessions(SESSIONS[self.kind])
            await asyncio.sleep(chance.uniform(*SOON))
        finally:
            self.stage.resume(name)

    async def ended_sessions(self, _chance: Random) -> None:
        await self._end_sessions(SESSIONS[self.kind])

    async def ended_sessions_of_all(self, _chance: Random) -> None:
        await self._end_sessions("%")

    async def lost_answers_of_the_broker(self, chance: Random) -> None:
        """It stores, and nobody learns of it."""
        await self._lose_answers(self.broker_line, chance)

    async def lost_acknowledgements(self, chance: Random) -> None:
        """Whatever either side says meanwhile never arrives."""
        self.broker_line.blackhole()
        await asyncio.sleep(chance.uniform(*SOON))
        self.broker_line.cut()
        self.broker_line.mend()

    async def lost_answers_of_the_database(self, chance: Random) -> None:
        await self._lose_answers(self.database_line, chance)

    async def a_cut_line_to_the_broker(self, _chance: Random) -> None:
        self.broker_line.cut()

    async def a_killed_broker(self, chance: Random) -> None:
        await self._kill("nats", chance)

    async def a_hung_broker(self, chance: Random) -> None:
        await self._hang("nats", chance)

    async def a_killed_database(self, chance: Random) -> None:
        await self._kill("postgres", chance)

    async def a_restarted_database(self, _chance: Random) -> None:
        await self.stage.restart_gently("postgres")

    async def a_killed_api(self, chance: Random) -> None:
        await self.stage.restart(chance.choice(self.stage.names("api")))

    def _one(self, chance: Random) -> str:
        return chance.choice(self.stage.names(self.kind))

    async def _end_sessions(self, like: str) -> None:
        await terminate_sessions(
            self.stage.servers.superuser_url, like, self.stage.faults
        )

    async def _kill(self, server: str, chance: Random) -> None:
        await self.stage.kill(server)
        await asyncio.sleep(chance.uniform(*SOON))
        await self.stage.start(server)

    async def _hang(self, name: str, chance: Random) -> None:
        self.stage.pause(name)
        try:
            await asyncio.sleep(chance.uniform(*SOON))
        finally:
            self.stage.resume(name)

    async def _lose_answers(self, line: Proxy, chance: Random) -> None:
        line.half_open()
        await asyncio.sleep(chance.uniform(*SOON))
        line.cut()
        line.mend()


Kind = Callable[[Trouble, Random], Awaitable[None]]


@asynccontextmanager
async def in_trouble(
    stage: Stage, kind: str, count: int, **settings: str
) -> AsyncIterator[Trouble]:
    """Add `relay`s or `inbox`es, not yet started, that ask by lines of their own."""
    async with AsyncExitStack() as closing:
        lines = {}
        for name, url in (
            ("broker", stage.servers.nats_url),
            ("database", stage.servers.database_url),
        ):
            parts = urlsplit(url)
            lines[name] = await closing.enter_async_context(
                a_proxy(
                    parts.hostname or "127.0.0.1",
                    parts.port or 0,
                    stage.faults,
                    name=f"the line to the {name}",
                )
            )
        for number in range(1, count + 1):
            stage.add(
                kind,
                number,
                **settings,
                SCHEDULING_NATS_URL=by(lines["broker"], stage.servers.nats_url),
                SCHEDULING_DATABASE_URL=by(
                    lines["database"], stage.servers.database_url
                ),
            )
        yield Trouble(stage, kind, lines["broker"], lines["database"])


def by(line: Proxy, url: str) -> str:
    """Return the address of the same thing by that line."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login}{at}127.0.0.1:{line.port}").geturl()

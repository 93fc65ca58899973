"""One connection for all who ask: opened for the first, and anew after a fault."""

import asyncio
from contextlib import AsyncExitStack, suppress

from scheduling.adapters.nats.connection import Connection, open_connection
from scheduling.application.ports.messaging import BrokerUnavailable


class SharedConnection:
    def __init__(self, nats_url: str, *, name: str) -> None:
        self._nats_url = nats_url
        self._name = name
        self._held = AsyncExitStack()
        self._opening: asyncio.Task[Connection] | None = None

    async def get(self) -> Connection:
        """Who asks while it is being opened waits for that, and gives up for itself
        alone. Raise BrokerUnavailable.
        """
        if self._opening is None or _is_over(self._opening):
            ended, self._held = self._held, AsyncExitStack()
            self._opening = asyncio.create_task(self._open(ended, self._held))
            self._opening.add_done_callback(_heard)
        return await asyncio.shield(self._opening)

    async def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        await self._held.aclose()

    async def _open(self, ended: AsyncExitStack, held: AsyncExitStack) -> Connection:
        await ended.aclose()
        return await held.enter_async_context(
            open_connection(self._nats_url, name=self._name)
        )


def _is_over(opening: asyncio.Task[Connection]) -> bool:
    if not opening.done():
        return False
    if opening.cancelled() or opening.exception() is not None:
        return True
    return opening.result().closed.done()


def _heard(opening: asyncio.Task[Connection]) -> None:
    """A failure is told to those who wait; asyncio would print it where nobody does."""
    if not opening.cancelled():
        with suppress(BrokerUnavailable):
            opening.result()

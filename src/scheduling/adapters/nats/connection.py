"""One connection to NATS that is used until its first fault and then thrown away.

The client's own reconnecting is switched off: across one it sends what was buffered
before ("ghosts"), and leaks the slots of what it had not heard back from.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from scheduling.application.ports.messaging import BrokerUnavailable

FAILURES = (NatsError, OSError)
ANSWER_WITHIN = 10.0


class Connection:
    def __init__(self, client: Client, closed: asyncio.Future[None]) -> None:
        self.client = client
        self.closed = closed
        """Done as soon as the connection has ended."""

    async def request(
        self,
        subject: str,
        body: bytes,
        *,
        headers: dict[str, str] | None = None,
        within: float = ANSWER_WITHIN,
    ) -> Msg:
        """Return the answer. Raise BrokerUnavailable where none comes within so many
        seconds, at once where the connection ends: the client would let us wait.
        """
        asking: asyncio.Future[Msg] = asyncio.ensure_future(
            self.client.request(subject, body, timeout=within, headers=headers)
        )
        try:
            either: set[asyncio.Future[Any]] = {asking, self.closed}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise BrokerUnavailable("the connection has ended")
            return asking.result()
        except FAILURES as error:
            raise BrokerUnavailable(type(error).__name__) from error
        finally:
            await give_up(asking)

    async def publish(self, subject: str, body: bytes, *, reply: str = "") -> None:
        """Send without waiting for anything. Raise BrokerUnavailable."""
        try:
            await self.client.publish(subject, body, reply=reply)
        except FAILURES as error:
            raise BrokerUnavailable(type(error).__name__) from error


class _Client(Client):
    """One that a message of whatever bytes does not deafen.

    Who may publish may do so under a subject that is no text; the client's reading
    would end with an error that nobody is told.
    """

    def _build_message(
        self,
        sid: int,
        subject: bytes,
        reply: bytes,
        data: bytes,
        headers: dict[str, str] | None,
    ) -> Msg:
        readable = subject.decode(errors="replace").encode()
        message: Msg = super()._build_message(sid, readable, reply, data, headers)
        return message


@asynccontextmanager
async def open_connection(nats_url: str, *, name: str) -> AsyncIterator[Connection]:
    """Connect to one of the servers in `nats_url` (several: with commas between).

    Raise BrokerUnavailable where none is to be had.
    """
    closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def on_closed() -> None:
        if not closed.done():
            closed.set_result(None)

    async def on_error(_error: Exception) -> None:
        """Whoever waits for an answer is told; the client would print it as well."""

    client = _Client()
    try:
        await client.connect(
            servers=[url.strip() for url in nats_url.split(",")],
            name=name,
            allow_reconnect=False,
            # Of the first connection too: each server twice at once, then we are told.
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=5,
            # What goes out is ours, or judged by the publisher before.
            skip_subject_validation=True,
            ping_interval=10,
            max_outstanding_pings=2,
            error_cb=on_error,
            disconnected_cb=on_closed,
            closed_cb=on_closed,
        )
    except BaseException as error:
        with suppress(*FAILURES):
            await client.close()
        if isinstance(error, FAILURES):
            raise BrokerUnavailable(type(error).__name__) from error
        raise
    try:
        yield Connection(client, closed)
    finally:
        with suppress(*FAILURES):
            await client.close()


async def give_up(asking: asyncio.Future[Any]) -> None:
    """Leave nothing behind of a question whose answer nobody waits for any more."""
    if not asking.done():
        asking.cancel()
        await asyncio.wait([asking])
        if not asking.cancelled():
            asking.exception()

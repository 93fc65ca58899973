"""A durable pull consumer, shared by many processes: each asks for what it can work on.

A fault of any kind ends it; whoever reads connects anew. What was taken and not
answered for is delivered again, here or elsewhere.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson
from nats.aio.msg import Msg

from scheduling.adapters.nats.connection import FAILURES, Connection
from scheduling.adapters.nats.consumers import NANO, ConsumerPlan
from scheduling.application.ports.messaging import BrokerUnavailable

BATCH = 32
REQUEST_LIVES = 20.0
"""Seconds after which the server answers a request for news, with none if need be."""

ANSWER_WITHIN = 10.0
ENDED = frozenset({"404", "408"})
BROUGHT_ALL = frozenset({"Batch Completed", "Message Size Exceeds MaxBytes"})
"""Of status 409, and no fault; the others of it are."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredMessage:
    """One message. `sequence` is its place in `stream`, `count` how often it was
    delivered by now.
    """

    subject: str
    headers: Mapping[str, str]
    body: bytes
    stream: str
    sequence: int
    stored_at: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Delivery(StoredMessage):
    """A message, and the ways to answer for it. All of them raise BrokerUnavailable
    where nobody knows whether it was heard.
    """

    _reply: str
    _connection: Connection = field(repr=False)
    _open: "set[Delivery]" = field(repr=False)

    async def done(self) -> None:
        """Return once the broker knows that it needs no other delivery."""
        await self._answer(b"+ACK")

    async def give_up(self) -> None:
        """The same, for what can never be followed."""
        await self._answer(b"+TERM")

    async def again(self, delay: float) -> None:
        """Have it delivered once more, not before so many seconds."""
        self._open.discard(self)
        wish = orjson.dumps({"delay": int(delay * NANO)})
        await self._connection.publish(self._reply, b"-NAK " + wish)

    async def still_at_it(self) -> None:
        await self._connection.publish(self._reply, b"+WPI")

    async def _answer(self, word: bytes) -> None:
        self._open.discard(self)
        await self._connection.request(self._reply, word)


class PullSubscription:
    """Made by `open_subscription`."""

    def __init__(self, connection: Connection, plan: ConsumerPlan, inbox: str) -> None:
        self._connection = connection
        self._plan = plan
        self._request = f"$JS.API.CONSUMER.MSG.NEXT.{plan.stream}.{plan.name}"
        self._inbox = inbox
        self._asked = 0
        self._expected = 0
        """Messages that the request under way may still bring."""
        self._answered_by = 0.0
        self._arrived: asyncio.Queue[Delivery | Msg | None] = asyncio.Queue()
        self.open: set[Delivery] = set()
        """What we have, read or not, and did not answer for yet."""

    async def heard(self, message: Msg) -> None:
        # Headers do not tell: whoever publishes may call one of his "Status".
        is_told_us = message.subject.startswith(f"{self._inbox}.")
        self._arrived.put_nowait(message if is_told_us else self._delivery(message))

    def broke(self, _closed: asyncio.Future[None]) -> None:
        self._arrived.put_nowait(None)

    async def next(self) -> Delivery:
        """Wait for the next message, for ever. Raise BrokerUnavailable."""
        loop = asyncio.get_running_loop()
        while True:
            if self._expected == 0 and self._arrived.empty():
                await self._ask_for_more()
            try:
                async with asyncio.timeout_at(
                    self._answered_by if self._arrived.empty() else None
                ):
                    message = await self._arrived.get()
            except TimeoutError as error:
                if loop.time() < self._answered_by:
                    raise
                raise BrokerUnavailable("a request was not answered") from error
            if message is None:
                raise BrokerUnavailable("the connection has ended")
            if isinstance(message, Delivery):
                self._expected = max(self._expected - 1, 0)
                return message
            self._request_ended(message)

    def unread(self) -> list[Delivery]:
        """Return what arrived and nobody asked for any more."""
        found = []
        while not self._arrived.empty():
            message = self._arrived.get_nowait()
            if isinstance(message, Delivery):
                found.append(message)
        return found

    async def still_at_it(self) -> None:
        """Keep the broker from delivering elsewhere what we have."""
        for delivery in [*self.open]:
            await delivery.still_at_it()

    def _delivery(self, message: Msg) -> Delivery:
        told = message.metadata
        delivery = Delivery(
            subject=message.subject,
            headers=dict(message.headers or {}),
            body=message.data,
            stream=self._plan.stream,
            sequence=told.sequence.stream,
            stored_at=_stored_at(message.reply),
            count=told.num_delivered,
            _reply=message.reply,
            _connection=self._connection,
            _open=self.open,
        )
        self.open.add(delivery)
        return delivery

    async def _ask_for_more(self) -> None:
        self._asked += 1
        wish = {"batch": BATCH, "expires": int(REQUEST_LIVES * NANO)}
        await self._connection.publish(
            self._request, orjson.dumps(wish), reply=f"{self._inbox}.{self._asked}"
        )
        self._expected = BATCH
        now = asyncio.get_running_loop().time()
        self._answered_by = now + REQUEST_LIVES + ANSWER_WITHIN

    def _request_ended(self, message: Msg) -> None:
        # Each request has its own address, to tell the end of one from the next's.
        if message.subject != f"{self._inbox}.{self._asked}":
            return
        told = message.headers or {}
        status, description = told["Status"], told.get("Description", "")
        if status not in ENDED and description not in BROUGHT_ALL:
            raise BrokerUnavailable(f"{status} {description}")
        self._expected = 0


def _stored_at(reply: str) -> datetime:
    """Cut, as the stream's own instants are when they are read: the client rounds."""
    tokens = reply.split(".")
    nanoseconds = int(tokens[7] if len(tokens) == _OF_OLD_SERVERS else tokens[9])
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_OLD_SERVERS = 9


@asynccontextmanager
async def open_subscription(
    connection: Connection, plan: ConsumerPlan
) -> AsyncIterator[PullSubscription]:
    """Raise BrokerUnavailable. What was not read in the end goes to others at once."""
    inbox = connection.client.new_inbox()
    subscription = PullSubscription(connection, plan, inbox)
    try:
        hearing = await connection.client.subscribe(f"{inbox}.*", cb=subscription.heard)
    except FAILURES as error:
        raise BrokerUnavailable(type(error).__name__) from error
    connection.closed.add_done_callback(subscription.broke)
    try:
        yield subscription
    finally:
        connection.closed.remove_done_callback(subscription.broke)
        with suppress(BrokerUnavailable, *FAILURES):
            await hearing.unsubscribe()
            for delivery in subscription.unread():
                await delivery.again(0)

"""The stream as it arrives, for whoever watches."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from scheduling.adapters.nats.connection import (
    FAILURES,
    Connection,
    give_up,
    open_connection,
)
from scheduling.adapters.nats.streams import SCHEDULING
from scheduling.application.ports.messaging import BrokerUnavailable

PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Arrival:
    sequence: int
    stored_at: datetime
    subject: str
    body: bytes


async def tail(
    nats_url: str, *, subject: str, since: datetime | None = None
) -> AsyncGenerator[Arrival, None]:
    """Yield what is stored from `since` on (None: from now on), for ever and in order.

    Waits for a stream that is not made yet, and goes on where it was after a broken
    connection. Raise BrokerUnavailable where the first connection fails.
    """
    begin = _begin(since)
    connected_at: datetime | None = None
    while True:
        try:
            async with open_connection(nats_url, name="scheduling tail") as broker:
                connected_at = connected_at or datetime.now(UTC)
                async with aclosing(_read(broker, subject, begin)) as messages:
                    async for message in messages:
                        arrival = _arrival(message)
                        yield arrival
                        begin = ConsumerConfig(
                            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                            opt_start_seq=arrival.sequence + 1,
                        )
        except BrokerUnavailable:
            if connected_at is None:
                raise
        if begin.deliver_policy is DeliverPolicy.NEW:
            begin = _begin(connected_at)  # "now" was then
        await asyncio.sleep(PAUSE)


async def _read(
    broker: Connection, subject: str, begin: ConsumerConfig
) -> AsyncGenerator[Msg, None]:
    """End with the connection, or at once where there is no stream."""
    try:
        subscription = await broker.client.jetstream().subscribe(
            subject, stream=SCHEDULING, ordered_consumer=True, config=begin
        )
    except NotFoundError:
        return
    except FAILURES as error:
        raise BrokerUnavailable(type(error).__name__) from error
    while True:
        asking = asyncio.ensure_future(subscription.next_msg(timeout=None))
        either: set[asyncio.Future[Any]] = {asking, broker.closed}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                return
            message = asking.result()
        except FAILURES:
            return
        finally:
            await give_up(asking)
        yield message


def _begin(since: datetime | None) -> ConsumerConfig:
    if since is None:
        return ConsumerConfig(deliver_policy=DeliverPolicy.NEW)
    return ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_TIME, opt_start_time=since
    )


def _arrival(message: Msg) -> Arrival:
    told = message.metadata
    return Arrival(
        sequence=told.sequence.stream,
        stored_at=told.timestamp,
        subject=message.subject,
        body=message.data,
    )

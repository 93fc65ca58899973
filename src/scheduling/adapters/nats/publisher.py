"""Events into the stream, a thousand in one atomic batch or one by one.

A batch is ordinary messages with three more headers; only the last one is answered. It
is stored whole, under one fsync, or not at all: 3 k a second one by one, 70 k so.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import orjson
from nats.aio.msg import Msg

from scheduling.adapters.nats.connection import FAILURES, Connection, give_up
from scheduling.application.ports.messaging import (
    BatchRefused,
    BrokerUnavailable,
    EventPublisher,
    RefusedForGood,
    WaitingEvent,
)

CONTENT_TYPE = "application/cloudevents+json"
HEADERS_AT_MOST = 512
"""Bytes that our headers may take of the server's `max_payload`."""

ANSWER_TIMEOUT = 10.0
IN_FLIGHT = 256

SUBJECT = re.compile(r"scheduling(\.[^\s.*>\x00-\x20\x7f]+)+")
SUBJECT_AT_MOST = 1000

MESSAGE_TOO_LARGE = 10054
HEADERS_TOO_LARGE = 10097
OF_THE_MESSAGE = frozenset({MESSAGE_TOO_LARGE, HEADERS_TOO_LARGE})
"""Refusals that the same message will meet for ever; all others are of the server."""

OF_THE_BATCH = OF_THE_MESSAGE | {
    10174,  # atomic publishing is switched off
    10175,  # no sequence
    10176,  # incomplete: one of its messages was refused
    10177,  # a header that cannot be in a batch
    10179,  # not an id
    10199,  # too large for the server's limits
    10200,  # not a commit
    10201,  # one of its ids is in the stream, or in it twice
    10210,  # too many batches under way
}
"""Nothing of it was stored; one by one its messages will be, or say why not."""


class JetStreamPublisher(EventPublisher):
    def __init__(self, connection: Connection) -> None:
        self._client = connection.client
        self._closed = connection.closed
        self._body_at_most = self._client.max_payload - HEADERS_AT_MOST
        self._places = asyncio.Semaphore(IN_FLIGHT)

    async def publish_together(self, events: Sequence[WaitingEvent]) -> None:
        self._refuse_poison(events)
        batch = uuid4().hex
        *before, last = events
        try:
            for sequence, event in enumerate(before, 1):
                await self._client.publish(
                    event.subject,
                    event.body,
                    headers={
                        "Nats-Msg-Id": str(event.event_id),
                        "Content-Type": CONTENT_TYPE,
                        "Nats-Batch-Id": batch,
                        "Nats-Batch-Sequence": str(sequence),
                    },
                )
        except FAILURES as error:
            raise BrokerUnavailable(type(error).__name__) from error
        code = await self._store(
            last,
            {
                "Nats-Batch-Id": batch,
                "Nats-Batch-Sequence": str(len(events)),
                "Nats-Batch-Commit": "1",
            },
        )
        if code in OF_THE_BATCH:
            raise BatchRefused(f"JetStream error {code}")
        if code:
            raise BrokerUnavailable(f"JetStream error {code}")

    async def publish(self, event: WaitingEvent) -> None:
        self._refuse_poison([event])
        async with self._places:
            code = await self._store(event, {})
        if code in OF_THE_MESSAGE:
            raise RefusedForGood({event.event_id: f"JetStream error {code}"})
        if code:
            raise BrokerUnavailable(f"JetStream error {code}")

    async def _store(self, event: WaitingEvent, headers: dict[str, str]) -> int:
        """Return 0 once it is stored, else the server's error code."""
        asking: asyncio.Future[Msg] = asyncio.ensure_future(
            self._client.request(
                event.subject,
                event.body,
                timeout=ANSWER_TIMEOUT,
                headers={
                    "Nats-Msg-Id": str(event.event_id),
                    "Content-Type": CONTENT_TYPE,
                    **headers,
                },
            )
        )
        try:
            # The client would let us wait for an answer on a connection that is gone.
            either: set[asyncio.Future[Any]] = {asking, self._closed}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise BrokerUnavailable("the connection has ended")
            answer = orjson.loads(asking.result().data)
        except FAILURES as error:
            raise BrokerUnavailable(type(error).__name__) from error
        except orjson.JSONDecodeError as error:
            raise BrokerUnavailable("an answer that is not JetStream's") from error
        finally:
            await give_up(asking)
        if "error" not in answer:
            return 0
        return int(answer["error"].get("err_code") or answer["error"]["code"])

    def _refuse_poison(self, events: Sequence[WaitingEvent]) -> None:
        """Before anything is sent: the server would close the connection for these."""
        reasons: dict[UUID, str] = {}
        for event in events:
            if len(event.body) > self._body_at_most:
                reasons[event.event_id] = (
                    f"{len(event.body)} bytes, at most {self._body_at_most} can go"
                )
            elif len(event.subject) > SUBJECT_AT_MOST or not SUBJECT.fullmatch(
                event.subject
            ):
                reasons[event.event_id] = "the subject is not one that can be published"
        if reasons:
            raise RefusedForGood(reasons)

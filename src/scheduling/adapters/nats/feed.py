"""The stream as a feed: one pull consumer for each follower, on one connection.

What a follower has not asked for stays in the server: at most `BATCH` events of it wait
here. A fault of any kind ends the following; the follower begins again where it was.

The consumer acknowledges nothing, lives in the server's memory, and is gone soon after
its follower, however that one ended.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import orjson
from nats.aio.msg import Msg

from scheduling.adapters.cloud_events.outgoing import concerns
from scheduling.adapters.nats.connection import FAILURES, Connection
from scheduling.adapters.nats.shared import SharedConnection
from scheduling.adapters.nats.streams import SCHEDULING, accept, ask
from scheduling.application.ports.event_feed import (
    EventFeed,
    EventFilter,
    FeedUnavailable,
    Following,
    Happening,
    Position,
)
from scheduling.application.ports.messaging import BrokerUnavailable
from scheduling.domain.identifiers import TenantId

BATCH = 100
REQUEST_LIVES = 20.0
"""Seconds after which the server answers a request for events, with none if need be."""

RAN_OUT = frozenset({"404", "408"})
BROUGHT_ALL = frozenset({"Batch Completed", "Message Size Exceeds MaxBytes"})
"""Of status 409, and no fault; the others of it are."""

ANSWER_TIMEOUT = 5.0
CONSUMER_OUTLIVES = 60.0
"""Seconds that the server keeps a consumer that nobody asks."""

NANO = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NatsEventFeed(EventFeed):
    def __init__(
        self, connection: SharedConnection, *, request_lives: float = REQUEST_LIVES
    ) -> None:
        self._connection = connection
        self._request_lives = request_lives

    @asynccontextmanager
    async def follow(
        self, tenant_id: TenantId, wanted: EventFilter, *, after: Position | None
    ) -> AsyncIterator[Following]:
        consumer = f"follower-{uuid4().hex}"
        try:
            broker = await self._connection.get()
            kept = await _kept(broker)
            is_whole = after is None or kept.has_all_after(after)
            start = after if after is not None and is_whole else kept.end
            following = _NatsFollowing(
                broker, consumer, wanted, self._request_lives, is_whole=is_whole
            )
            inbox = broker.client.new_inbox()
            hearing = await broker.client.subscribe(f"{inbox}.*", cb=following.heard)
        except (BrokerUnavailable, *FAILURES) as error:
            raise FeedUnavailable(str(error)) from error
        broker.closed.add_done_callback(following.broke)
        try:
            waiting = await _consume(broker, consumer, tenant_id, start)
            # None of the tenant's up to the end that we saw before: we are there.
            following.begin(inbox, start if waiting else kept.end)
            yield following
        except BrokerUnavailable as error:
            raise FeedUnavailable(str(error)) from error
        finally:
            broker.closed.remove_done_callback(following.broke)
            with suppress(*FAILURES):
                await hearing.unsubscribe()
                # Nobody waits for the answer: what is not deleted now is soon.
                await broker.client.publish(
                    f"$JS.API.CONSUMER.DELETE.{SCHEDULING}.{consumer}"
                )


@dataclass(frozen=True, slots=True)
class _Kept:
    """The stream as it stands: `first` is the sequence of what it still has."""

    first: int
    end: Position

    def has_all_after(self, position: Position) -> bool:
        return (
            position.feed == self.end.feed
            and self.first <= position.sequence + 1 <= self.end.sequence + 1
        )


async def _kept(broker: Connection) -> _Kept:
    told = accept(
        await ask(broker, f"STREAM.INFO.{SCHEDULING}", {}, within=ANSWER_TIMEOUT)
    )
    made_at = datetime.fromisoformat(told["created"]) - _EPOCH
    state = told["state"]
    return _Kept(
        first=state["first_seq"],
        end=Position(made_at // timedelta(microseconds=1), state["last_seq"]),
    )


async def _consume(
    broker: Connection, consumer: str, tenant_id: TenantId, start: Position
) -> int:
    """Make the consumer; return how many events wait for it already."""
    subjects = f"scheduling.{tenant_id}.>"
    config = {
        "name": consumer,
        "filter_subject": subjects,
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": start.sequence + 1,
        "ack_policy": "none",
        "inactive_threshold": int(CONSUMER_OUTLIVES * NANO),
        "mem_storage": True,
        "num_replicas": 1,
    }
    made = accept(
        await ask(
            broker,
            f"CONSUMER.CREATE.{SCHEDULING}.{consumer}.{subjects}",
            {"stream_name": SCHEDULING, "config": config, "action": "create"},
            within=ANSWER_TIMEOUT,
        )
    )
    waiting: int = made["num_pending"]
    return waiting


class _NatsFollowing(Following):
    def __init__(
        self,
        broker: Connection,
        consumer: str,
        wanted: EventFilter,
        request_lives: float,
        *,
        is_whole: bool,
    ) -> None:
        self._client = broker.client
        self._request = f"$JS.API.CONSUMER.MSG.NEXT.{SCHEDULING}.{consumer}"
        self._wanted = wanted
        self._request_lives = request_lives
        self._is_whole = is_whole
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._expected = 0
        """Events that the request under way may still bring."""
        self._answered_by = 0.0
        self._delivered = 0
        self._inbox = ""
        self._asked = 0
        self._position = Position(0, 0)
        # A request is answered up to this size, or with one event that is larger.
        self._bytes_at_most = 2 * self._client.max_payload

    @property
    def is_whole(self) -> bool:
        return self._is_whole

    @property
    def position(self) -> Position:
        return self._position

    def begin(self, inbox: str, position: Position) -> None:
        self._inbox, self._position = inbox, position

    async def heard(self, message: Msg) -> None:
        self._arrived.put_nowait(message)

    def broke(self, _closed: asyncio.Future[None]) -> None:
        self._arrived.put_nowait(None)

    async def more(self, within: float) -> Sequence[Happening]:
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        happened: list[Happening] = []
        begun_at = self._position
        while self._position == begun_at:
            if self._expected == 0:
                await self._ask_for_more()
            try:
                async with asyncio.timeout_at(min(until, self._answered_by)):
                    message = await self._arrived.get()
            except TimeoutError as error:
                if loop.time() >= self._answered_by:
                    raise FeedUnavailable("a request was not answered") from error
                return happened
            self._take(message, happened)
        while not self._arrived.empty() and len(happened) < BATCH:
            self._take(self._arrived.get_nowait(), happened)
        return happened

    @property
    def _reply(self) -> str:
        """Each request has its own, to tell the end of one from that of the next."""
        return f"{self._inbox}.{self._asked}"

    async def _ask_for_more(self) -> None:
        wish = {
            "batch": BATCH,
            "max_bytes": self._bytes_at_most,
            "expires": int(self._request_lives * NANO),
        }
        self._asked += 1
        try:
            await self._client.publish(
                self._request, orjson.dumps(wish), reply=self._reply
            )
        except FAILURES as error:
            raise FeedUnavailable(type(error).__name__) from error
        self._expected = BATCH
        now = asyncio.get_running_loop().time()
        self._answered_by = now + self._request_lives + ANSWER_TIMEOUT

    def _take(self, message: Msg | None, happened: list[Happening]) -> None:
        if message is None:
            raise FeedUnavailable("the connection has ended")
        if "Status" in (message.headers or {}):
            self._request_ended(message)
            return
        sequence = message.metadata.sequence
        if sequence.consumer != self._delivered + 1:
            raise FeedUnavailable("an event was lost on its way")
        self._delivered += 1
        self._expected -= 1
        position = Position(self._position.feed, sequence.stream)
        if concerns(
            message.data,
            location_ids=self._wanted.location_ids,
            practitioner_ids=self._wanted.practitioner_ids,
        ):
            type = message.subject.split(".", 2)[2]
            happened.append(Happening(position, type, message.data))
        self._position = position

    def _request_ended(self, message: Msg) -> None:
        if message.subject != self._reply:
            return
        told = message.headers or {}
        status, description = told["Status"], told.get("Description", "")
        if status not in RAN_OUT and description not in BROUGHT_ALL:
            raise FeedUnavailable(f"{status} {description}")
        self._expected = 0

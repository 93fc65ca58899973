"""The relay's side of the outbox: one session that holds partitions and reads them.

Locks, claims, marks and the bell share one connection on purpose. When it breaks,
PostgreSQL frees the locks, and every way to work on is gone with it.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import groupby, pairwise
from operator import attrgetter

import asyncpg

from scheduling.adapters.postgres import outbox_statements as sql
from scheduling.adapters.postgres.bell import LOST, OUTBOX_CHANNEL, REPLAYED
from scheduling.adapters.postgres.outbox_floors import Horizon, Partition
from scheduling.adapters.postgres.statements import Statement
from scheduling.adapters.postgres.tables import OUTBOX_PARTITIONS
from scheduling.application.ports.messaging import (
    AggregateKey,
    Outbox,
    OutboxLost,
    WaitingEvent,
)

SESSION = {
    "application_name": "scheduling relay",
    "jit": "off",
    # Whatever the statistics say of a table that was empty a minute ago: these
    # statements walk the index of pending rows.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # A dead peer must not keep its partitions for the two hours that are the default.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
COMMAND_TIMEOUT = 15.0
FULL_READ_EVERY = 30.0


class PostgresOutbox(Outbox):
    """Made by `open_outbox`. Partitions are shared among relays by `share`."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection
        self._turn = asyncio.Lock()
        # In the order of service: the first has waited longest for its turn.
        self._held: dict[int, Partition] = {}
        self._busy: set[int] = set()
        self._stopped: dict[int, set[AggregateKey]] = {}
        self._horizon = Horizon()
        self._seen = 0
        self._stale = False
        self._loop = asyncio.get_running_loop()
        self._full_read_at = self._loop.time() + FULL_READ_EVERY
        self.lost: asyncio.Future[None] = self._loop.create_future()
        """Done as soon as the session has ended."""
        connection.add_termination_listener(self._on_end)

    @property
    def partitions(self) -> frozenset[int]:
        return frozenset(self._held)

    def floor(self, partition: int) -> int:
        """The lowest id that the next claim will look at, for whoever wonders."""
        return self._held[partition].floor

    @asynccontextmanager
    async def claim(self, limit: int) -> AsyncIterator[Sequence[WaitingEvent]]:
        async with self._turn:
            if self._stale:
                await self._start_over()
            events = await self._read(limit)
        taken = {event.partition for event in events}
        try:
            yield _by_version(events)
        finally:
            for number in taken:
                self._busy.discard(number)
                self._held[number].released()

    async def mark_published(self, events: Sequence[WaitingEvent]) -> None:
        async with self._turn:
            await self._fetch(
                sql.MARK_PUBLISHED,
                partitions=[event.partition for event in events],
                ids=[event.id for event in events],
            )
        for number, count in Counter(event.partition for event in events).items():
            self._held[number].unfinished -= count

    async def block(self, event: WaitingEvent, reason: str) -> None:
        async with self._turn:
            await self._fetch(
                sql.BLOCK,
                reason=reason,
                of_partition=event.partition,
                of_id=event.id,
            )
            self._stopped.setdefault(event.partition, set()).add(event.aggregate)

    async def share(self) -> None:
        """Hold the part of the partitions that is ours among the relays of now.

        To be called every second or so: it also learns how far floors may rise.
        """
        async with self._turn:
            seen = self._seen
            writers = {row[0] for row in await self._fetch(sql.WRITERS)}
            self._horizon.observe(seen, writers)
            holders = await self._fetch(sql.HOLDERS)
            relays = sum(row["is_member"] for row in holders)
            taken = {row["partition"] for row in holders if not row["is_member"]}
            ours = -(-OUTBOX_PARTITIONS // max(relays, 1))
            await self._give(len(self._held) - ours)
            await self._take(ours - len(self._held), taken)
            if self._loop.time() >= self._full_read_at:
                # Floors are exact; this mends what somebody did to rows by hand.
                self._full_read_at = self._loop.time() + FULL_READ_EVERY
                self._stale = True

    def start_over(self) -> None:
        """Read all partitions from their beginning again, at the next claim."""
        self._stale = True

    async def count(self) -> tuple[int, float, int]:
        """Pending events, their lag in seconds, blocked aggregates: of what we hold."""
        async with self._turn:
            rows = await self._fetch(sql.PENDING)
        ours = [row for row in rows if row["partition"] in self._held]
        return (
            sum(row["pending"] for row in ours),
            max((row["lag"].total_seconds() for row in ours), default=0.0),
            sum(map(len, self._stopped.values())),
        )

    async def listen(self, ring: Callable[[], None]) -> None:
        """Call `ring` at every NOTIFY of the bell."""

        def on_notify(
            _connection: object, _pid: int, _channel: str, payload: object
        ) -> None:
            if payload == REPLAYED:
                self.start_over()
            ring()

        async with self._turn, self._telling_loss():
            await self._connection.add_listener(OUTBOX_CHANNEL, on_notify)

    async def _read(self, limit: int) -> list[WaitingEvent]:
        order = [number for number in self._held if number not in self._busy]
        if not order:
            return []
        settled = self._horizon.settled
        stopped = [key for number in order for key in self._stopped.get(number, ())]
        rows = await self._fetch(
            sql.CLAIM,
            partitions=order,
            floors=[self._held[number].floor for number in order],
            tenants=[tenant for tenant, _ in stopped],
            aggregates=[aggregate for _, aggregate in stopped],
            rows=limit,
        )
        events = [WaitingEvent._make(row) for row in rows]
        found: list[int] = []
        for number, group in groupby(events, attrgetter("partition")):
            ids = [event.id for event in group]
            found.append(number)
            self._busy.add(number)
            self._seen = max(self._seen, ids[-1])
            partition = self._held.pop(number)
            self._held[number] = partition  # behind the others, which have waited
            # An event that is held back lies below others: its floor stays.
            bound = 0 if self._stopped.get(number) else settled
            partition.claimed(ids, settled=bound)
        _check_order(found, order)
        if len(events) < limit:
            for number in set(order).difference(found):
                if not self._stopped.get(number):
                    self._held[number].found_empty(settled=settled)
        return events

    async def _start_over(self) -> None:
        for partition in self._held.values():
            partition.start_over()
        await self._learn_stopped(list(self._held))
        self._stale = False

    async def _learn_stopped(self, numbers: list[int]) -> None:
        stopped: dict[int, set[AggregateKey]] = {number: set() for number in numbers}
        for number, *key in await self._fetch(
            sql.BLOCKED_AGGREGATES, partitions=numbers
        ):
            stopped[number].add((key[0], key[1]))
        self._stopped.update(stopped)

    async def _give(self, surplus: int) -> None:
        idle = [number for number in self._held if number not in self._busy]
        given = idle[: max(surplus, 0)]
        if given:
            for number in given:
                del self._held[number]
                self._stopped.pop(number, None)
            await self._fetch(sql.UNLOCK, partitions=given)

    async def _take(self, wanting: int, taken: set[int]) -> None:
        free = [n for n in range(OUTBOX_PARTITIONS) if n not in taken]
        # By chance, so that two relays that start together seldom ask for the same.
        asked = random.sample(free, min(max(wanting, 0), len(free)))
        if not asked:
            return
        won = [row[0] for row in await self._fetch(sql.TRY_LOCK, partitions=asked)]
        await self._learn_stopped(won)
        self._held.update((number, Partition()) for number in won)

    async def _fetch(
        self, statement: Statement, **values: object
    ) -> list[asyncpg.Record]:
        async with self._telling_loss():
            return await self._connection.fetch(
                statement.sql, *statement.arguments(**values)
            )

    @asynccontextmanager
    async def _telling_loss(self) -> AsyncIterator[None]:
        try:
            yield
        except LOST as error:
            # Nothing is known of the session now; without it others may take over.
            self._connection.terminate()
            raise OutboxLost(type(error).__name__) from error

    def _on_end(self, _connection: object) -> None:
        if not self.lost.done():
            self.lost.set_result(None)


@asynccontextmanager
async def open_outbox(
    database_url: str, *, role: str | None = "scheduling_relay"
) -> AsyncIterator[PostgresOutbox]:
    """Open a session as one more relay; leaving gives its partitions to the others.

    Raise OutboxLost where no session is to be had.
    """
    settings = SESSION | ({"role": role} if role else {})
    try:
        connection = await asyncpg.connect(
            database_url,
            server_settings=settings,
            timeout=10,
            command_timeout=COMMAND_TIMEOUT,
        )
    except LOST as error:
        raise OutboxLost(type(error).__name__) from error
    try:
        outbox = PostgresOutbox(connection)
        try:
            await connection.fetch(sql.JOIN_RELAYS.sql)
        except LOST as error:
            raise OutboxLost(type(error).__name__) from error
        await outbox.share()
        yield outbox
    finally:
        with suppress(*LOST):
            await connection.close(timeout=2)


def _check_order(found: list[int], asked: list[int]) -> None:
    """The claim's outer limit is right for streamed partitions only."""
    places = {number: place for place, number in enumerate(asked)}
    came = [places[number] for number in found]
    if any(later <= earlier for earlier, later in pairwise(came)):
        raise RuntimeError("PostgreSQL did not stream the claim partition by partition")


def _by_version(events: list[WaitingEvent]) -> Sequence[WaitingEvent]:
    """Ids rise with versions where a writer read the version before; make it sure."""
    last: dict[AggregateKey, int] = {}
    for event in events:
        key = (event.tenant_id, event.aggregate_id)
        if last.get(key, 0) > event.aggregate_version:
            return sorted(
                events,
                key=attrgetter(
                    "partition", "tenant_id", "aggregate_id", "aggregate_version", "id"
                ),
            )
        last[key] = event.aggregate_version
    return events

"""Everything that an inbox process does on one connection to the broker."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack

from scheduling.adapters.nats.connection import Connection
from scheduling.adapters.nats.consumers import ConsumerPlan
from scheduling.adapters.nats.streams import accept, ask
from scheduling.adapters.nats.subscription import (
    Delivery,
    PullSubscription,
    open_subscription,
)
from scheduling.application.ports.messaging import BrokerUnavailable
from scheduling.entrypoints.inbox.figures import InboxFigures
from scheduling.entrypoints.inbox.following import Follower
from scheduling.entrypoints.inbox.gate import Gate
from scheduling.entrypoints.inbox.given_up import AdvisoryFollower
from scheduling.entrypoints.inbox.lines import Lines
from scheduling.entrypoints.inbox.received import Received
from scheduling.entrypoints.lifetime import every

IN_FLIGHT = 32
"""Messages of one consumer that are worked on or wait for others of their aggregate."""

COUNT_EVERY = 5.0
GRACE = 20.0
"""Seconds that messages under way have to be finished when we are told to stop."""

Left = Callable[[], None]
Take = Callable[[Delivery, Left], None]


async def work_until(
    stop: asyncio.Event,
    *,
    broker: Connection,
    gate: Gate,
    follower: Follower,
    news: Sequence[ConsumerPlan],
    advisories: ConsumerPlan,
    at_once: int,
    figures: InboxFigures,
) -> None:
    """Follow `news`, and put aside what `advisories` say; finish what is under way.

    `at_once`: how many messages are worked on. Raise BrokerUnavailable, in a group.
    """
    streams = {plan.stream for plan in news}
    given_up = AdvisoryFollower(broker=broker, follower=follower, streams=streams)

    async with AsyncExitStack() as held, asyncio.TaskGroup() as tasks:
        followed = [
            await held.enter_async_context(open_subscription(broker, plan))
            for plan in news
        ]
        advised = await held.enter_async_context(open_subscription(broker, advisories))
        lines = Lines(tasks, at_once=at_once)
        # Slots of a thousand calendars may follow one change: others do not wait.
        for_ours = asyncio.Semaphore(at_once - at_once // 3)

        def follow(delivery: Delivery, left: Left) -> None:
            received = Received.of(delivery)
            room = for_ours if received.is_ours else None
            lines.take(lambda: follower(received, delivery), received.line, left, room)

        def put_aside(delivery: Delivery, left: Left) -> None:
            lines.take(lambda: given_up(delivery), None, left)

        async def count() -> None:
            figures.in_flight(len(lines.under_way))
            for plan in news:
                figures.waiting(plan.name, await _waiting(broker, plan))

        helpers = [
            *(
                tasks.create_task(every(plan.ack_wait / 3, subscription.still_at_it))
                for plan, subscription in zip(
                    (*news, advisories), (*followed, advised), strict=True
                )
            ),
            tasks.create_task(_tell_loss(broker)),
            tasks.create_task(gate.keep()),
            tasks.create_task(every(COUNT_EVERY, count)),
        ]
        lanes = [
            *(tasks.create_task(_lane(gate, one, follow)) for one in followed),
            tasks.create_task(_lane(gate, advised, put_aside)),
        ]
        await stop.wait()
        await _end(lanes)
        if lines.under_way:
            await asyncio.wait([*lines.under_way], timeout=GRACE)
        await _end([*helpers, *lines.under_way])


async def _lane(gate: Gate, subscription: PullSubscription, take: Take) -> None:
    """Take what arrives, so much at a time; `take` says when it has left."""
    places = asyncio.Semaphore(IN_FLIGHT)
    while True:
        await gate.passed()
        await places.acquire()
        take(await subscription.next(), places.release)


async def _tell_loss(broker: Connection) -> None:
    # Whoever else waits for it must not lose it with us.
    await asyncio.shield(broker.closed)
    raise BrokerUnavailable("the connection has ended")


async def _waiting(broker: Connection, plan: ConsumerPlan) -> int:
    told = accept(await ask(broker, f"CONSUMER.INFO.{plan.stream}.{plan.name}", {}))
    waiting: int = told["num_pending"] + told["num_ack_pending"]
    return waiting


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    ended = [*tasks]
    for task in ended:
        task.cancel()
    if ended:
        await asyncio.wait(ended)

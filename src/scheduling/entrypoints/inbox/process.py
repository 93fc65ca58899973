"""`scheduling inbox`: follows what is in the streams until it is told to stop.

Everything hangs on one connection to the broker and a pool to the database. When the
broker's breaks, all is thrown away and begun anew; while the database does not answer,
nothing is taken. Nothing is remembered that the database does not know.
"""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import structlog
from prometheus_client import start_http_server

from scheduling.adapters.cloud_events.messages import OWN
from scheduling.adapters.nats.connection import Connection, open_connection
from scheduling.adapters.nats.consumers import (
    FOREIGN_NEWS,
    ConsumerPlan,
    ensure_consumer,
    foreign_news,
    given_up,
    reactions,
)
from scheduling.adapters.nats.streams import UnsafeStream, accept, ask, ensure_stream
from scheduling.adapters.nats.subscription import (
    Delivery,
    PullSubscription,
    open_subscription,
)
from scheduling.application.commands.keep_dead_letter import KeepDeadLetter
from scheduling.application.commands.receive_event import Reactions, ReceiveEvent
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.messaging import BrokerUnavailable
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.entrypoints.inbox.figures import InboxFigures
from scheduling.entrypoints.inbox.following import FIRST_PAUSE, Follower, Received
from scheduling.entrypoints.inbox.lines import Lines
from scheduling.entrypoints.inbox.reactions import reactions_over
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.telemetry import configure_logging, open_metrics
from scheduling.entrypoints.wiring.storage import WorkerStorage, open_worker_storage

IN_FLIGHT = 32
"""Messages of one consumer that are worked on or wait for others of their aggregate."""

COUNT_EVERY = 5.0
PROBE_EVERY = 0.5
SHORTEST_PAUSE = 0.05
LONGEST_PAUSE = 2.0
GRACE = 20.0
"""Seconds that messages under way have to be finished when we are told to stop."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Inbox:
    settings: Settings
    reactions: Callable[[BeginWork, Clock], Reactions] = reactions_over
    first_pause: float = FIRST_PAUSE
    """Seconds before what failed is delivered again; then twice as many, and so on."""

    def consumers(self) -> tuple[ConsumerPlan, ConsumerPlan]:
        pace = {
            "ack_wait": self.settings.inbox_ack_wait,
            "max_deliver": self.settings.inbox_max_deliver,
        }
        return foreign_news(**pace), reactions([*OWN], **pace)


async def run(settings: Settings) -> None:
    """Follow until SIGTERM or SIGINT; what is under way is finished.

    Raise SystemExit where settings are missing or a stream is not fit for events.
    """
    if settings.database_url is None or settings.nats_url is None:
        raise SystemExit("set SCHEDULING_DATABASE_URL and SCHEDULING_NATS_URL")
    configure_logging(settings.log_level)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    metrics = open_metrics()
    figures = InboxFigures(metrics.registry)
    with contextlib.ExitStack() as served:
        if settings.inbox_metrics_port is not None:
            server, thread = start_http_server(
                settings.inbox_metrics_port, registry=metrics.registry
            )
            served.callback(thread.join)
            served.callback(server.shutdown)
        try:
            await follow_until(stop, Inbox(settings), figures)
        except UnsafeStream as unsafe:
            raise SystemExit(str(unsafe)) from unsafe


async def follow_until(
    stop: asyncio.Event, inbox: Inbox, figures: InboxFigures
) -> None:
    """Connect, work, and after any fault begin again, until `stop` is set.

    Raise UnsafeStream where a stream is not fit for events.
    """
    settings = inbox.settings
    nats_url = settings.nats_url.get_secret_value() if settings.nats_url else ""
    pause = SHORTEST_PAUSE
    while not stop.is_set():
        began = asyncio.get_running_loop().time()
        try:
            async with (
                open_worker_storage(settings) as storage,
                open_connection(nats_url, name="scheduling inbox") as broker,
            ):
                mended = await _ensure(broker, inbox)
                log.info("inbox working", settings_mended=mended)
                await _work(stop, broker, storage, inbox, figures)
        except* (DatabaseUnavailable, BrokerUnavailable) as faults:
            lasted = asyncio.get_running_loop().time() - began
            pause = SHORTEST_PAUSE if lasted > LONGEST_PAUSE else pause * 2
            pause = min(pause, LONGEST_PAUSE)
            figures.fault()
            log.warning("inbox begins anew", faults=_told(faults), pause=pause)
        if not stop.is_set():
            await _unless(stop, pause)
    log.info("inbox stopped")


async def _ensure(broker: Connection, inbox: Inbox) -> dict[str, list[str]]:
    """Make or mend what we stand on; return what was changed, by name."""
    replicas = inbox.settings.stream_replicas
    consumers = inbox.consumers()
    mended = {}
    await ensure_stream(broker, replicas=replicas)
    for stream in (FOREIGN_NEWS, given_up(consumers)):
        mended[stream.name] = await ensure_stream(broker, stream, replicas=replicas)
    for consumer in consumers:
        mended[consumer.name] = await ensure_consumer(broker, consumer)
    return {name: changes for name, changes in mended.items() if changes}


class Gate:
    """Open while the database answers."""

    def __init__(self, storage: WorkerStorage) -> None:
        self._storage = storage
        self._open = asyncio.Event()
        self._open.set()
        self._closed = asyncio.Event()

    def shut(self) -> None:
        self._open.clear()
        self._closed.set()

    async def passed(self) -> None:
        await self._open.wait()

    async def keep(self) -> None:
        """Open it again as soon as the database answers, for ever."""
        while True:
            await self._closed.wait()
            log.warning("the database is away; nothing is taken")
            while not await self._answers():  # noqa: ASYNC110  # another's process
                await asyncio.sleep(PROBE_EVERY)
            self._closed.clear()
            self._open.set()

    async def _answers(self) -> bool:
        try:
            await self._storage.schema()
        except DatabaseUnavailable:
            return False
        return True


async def _work(
    stop: asyncio.Event,
    broker: Connection,
    storage: WorkerStorage,
    inbox: Inbox,
    figures: InboxFigures,
) -> None:
    gate = Gate(storage)
    follower = Follower(
        receive=ReceiveEvent(
            storage.begin,
            storage.now,
            lambda begin: inbox.reactions(begin, storage.now),
        ),
        keep=KeepDeadLetter(storage.begin),
        now=storage.now,
        figures=figures,
        away=gate.shut,
        first_pause=inbox.first_pause,
    )

    async def tell_loss() -> None:
        await broker.closed
        raise BrokerUnavailable("the connection has ended")

    async with contextlib.AsyncExitStack() as held, asyncio.TaskGroup() as tasks:
        plans = inbox.consumers()
        subscriptions = [
            await held.enter_async_context(open_subscription(broker, plan))
            for plan in plans
        ]
        lines = Lines(tasks, at_once=inbox.settings.database_pool_size)

        async def still_at_it() -> None:
            for subscription in subscriptions:
                await subscription.still_at_it()

        async def count() -> None:
            for plan in plans:
                figures.waiting(plan.name, await _waiting(broker, plan))

        helpers = [
            tasks.create_task(work)
            for work in (
                tell_loss(),
                gate.keep(),
                _every(inbox.settings.inbox_ack_wait / 3, still_at_it),
                _every(COUNT_EVERY, count),
            )
        ]
        lanes = [
            tasks.create_task(_lane(gate, subscription, lines, follower, figures))
            for subscription in subscriptions
        ]
        await stop.wait()
        for lane in lanes:
            lane.cancel()
        await asyncio.wait(lanes)
        if lines.under_way:
            await asyncio.wait([*lines.under_way], timeout=GRACE)
        for task in (*helpers, *lines.under_way):
            task.cancel()


async def _lane(
    gate: Gate,
    subscription: PullSubscription,
    lines: Lines,
    follower: Follower,
    figures: InboxFigures,
) -> None:
    places = asyncio.Semaphore(IN_FLIGHT)

    def left() -> None:
        figures.left()
        places.release()

    def take(delivery: Delivery) -> None:
        received = Received.of(delivery)
        figures.took()
        lines.take(lambda: follower(received), line=received.in_line, left=left)

    while True:
        await gate.passed()
        await places.acquire()
        take(await subscription.next())


async def _waiting(broker: Connection, plan: ConsumerPlan) -> int:
    told = accept(await ask(broker, f"CONSUMER.INFO.{plan.stream}.{plan.name}", {}))
    waiting: int = told["num_pending"] + told["num_ack_pending"]
    return waiting


async def _unless(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await work()
        await asyncio.sleep(seconds)


def _told(faults: BaseExceptionGroup[BaseException]) -> list[str]:
    return [f"{type(fault).__name__}: {fault}" for fault in _leaves(faults)]


def _leaves(fault: BaseException) -> Iterator[BaseException]:
    if isinstance(fault, BaseExceptionGroup):
        for inner in fault.exceptions:
            yield from _leaves(inner)
    else:
        yield fault

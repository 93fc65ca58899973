"""`scheduling relay`: takes the outbox to JetStream until it is told to stop.

Everything here hangs on two connections, one to each side. When either breaks, both are
thrown away and all begins anew: nothing is remembered that the database does not know.
"""

import asyncio
import random
from dataclasses import dataclass

import structlog

from scheduling.adapters.nats.connection import Connection, open_connection
from scheduling.adapters.nats.publisher import JetStreamPublisher
from scheduling.adapters.nats.streams import UnsafeStream, ensure_stream
from scheduling.adapters.postgres.outbox import PostgresOutbox, open_outbox
from scheduling.application.commands.relay_outbox import RelayOutbox
from scheduling.application.ports.messaging import (
    BrokerUnavailable,
    OutboxLost,
)
from scheduling.entrypoints.lifetime import (
    Pauses,
    every,
    faults_in,
    serving_metrics,
    stop_when_told,
    unless,
)
from scheduling.entrypoints.relay_figures import RelayFigures
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.telemetry import configure_logging, open_metrics

LANES = 2
"""Claims under way at a time: one is published while the next is read or marked."""

PLENTY = 256
"""Events of one claim from which on there may be more at once: the most of a partition.
Below that the bell is worth waiting for, so that a busy stretch goes out in batches.
"""

POLL = (0.25, 0.5)
"""Seconds between two looks without a bell, by chance in between."""

SHARE_EVERY = 1.0
COUNT_EVERY = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Relay:
    database_url: str
    nats_url: str
    database_role: str = "scheduling_relay"
    stream_replicas: int = 1


async def run(settings: Settings) -> None:
    """Relay until SIGTERM or SIGINT; what is in flight is finished and marked.

    Raise SystemExit where settings are missing or the stream is not fit for events.
    """
    if settings.database_url is None or settings.nats_url is None:
        raise SystemExit("set SCHEDULING_DATABASE_URL and SCHEDULING_NATS_URL")
    configure_logging(settings.log_level)
    relay = Relay(
        settings.database_url.get_secret_value(),
        settings.nats_url.get_secret_value(),
        settings.database_role or "scheduling_relay",
        settings.stream_replicas,
    )
    stop = stop_when_told()
    metrics = open_metrics()
    figures = RelayFigures(metrics.registry)
    with serving_metrics(metrics, settings.relay_metrics_port):
        try:
            await relay_until(stop, relay, figures)
        except UnsafeStream as unsafe:
            raise SystemExit(str(unsafe)) from unsafe


async def relay_until(stop: asyncio.Event, relay: Relay, figures: RelayFigures) -> None:
    """Connect, work, and after any fault begin again, until `stop` is set.

    Raise UnsafeStream where the stream is not fit for events.
    """
    pauses = Pauses()
    while not stop.is_set():
        pauses.begin()
        try:
            async with (
                open_connection(relay.nats_url, name="scheduling relay") as broker,
                open_outbox(relay.database_url, role=relay.database_role) as outbox,
            ):
                mended = await ensure_stream(broker, replicas=relay.stream_replicas)
                log.info("relay working", stream_settings_mended=mended)
                await _work(stop, broker, outbox, figures)
        except* (OutboxLost, BrokerUnavailable) as faults:
            pause = pauses.after_a_fault()
            figures.fault()
            log.warning("relay begins anew", faults=faults_in(faults), pause=pause)
            await unless(stop, pause)
    log.info("relay stopped")


async def _work(
    stop: asyncio.Event,
    broker: Connection,
    outbox: PostgresOutbox,
    figures: RelayFigures,
) -> None:
    loop = asyncio.get_running_loop()
    wake = Wake()
    await outbox.listen(wake.ring)
    relay = RelayOutbox(outbox, JetStreamPublisher(broker), figures)

    async def share() -> None:
        held = len(outbox.partitions)
        await outbox.share()
        if len(outbox.partitions) != held:
            wake.ring()
        figures.partitions(len(outbox.partitions))

    async def count() -> None:
        began = loop.time()
        figures.waiting(*await outbox.count())
        # Counting a large backlog must not be what keeps it large.
        await asyncio.sleep(20 * (loop.time() - began))

    async def tell_loss() -> None:
        either: set[asyncio.Future[None]] = {broker.closed, outbox.lost}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if outbox.lost.done():
            raise OutboxLost("the session has ended")
        raise BrokerUnavailable("the connection has ended")

    async def tell_stop() -> None:
        await stop.wait()
        wake.ring()

    async with asyncio.TaskGroup() as tasks:
        helpers = [
            tasks.create_task(work)
            for work in (
                every(SHARE_EVERY, share),
                every(COUNT_EVERY, count),
                tell_loss(),
                tell_stop(),
            )
        ]
        lanes = [tasks.create_task(_lane(stop, relay, wake)) for _ in range(LANES)]
        await asyncio.wait(lanes)
        for helper in helpers:
            helper.cancel()


async def _lane(stop: asyncio.Event, relay: RelayOutbox, wake: "Wake") -> None:
    while not stop.is_set():
        rings = wake.rings
        if await relay() < PLENTY:
            await wake.after(rings, random.uniform(*POLL))  # noqa: S311  # no secret


class Wake:
    """A bell that is heard also by who was busy when it rang."""

    def __init__(self) -> None:
        self.rings = 0
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self.rings += 1
        self._rung.set()
        self._rung = asyncio.Event()

    async def after(self, rings: int, seconds: float) -> None:
        """Return at the first ring after that many, or when the time is over."""
        if self.rings == rings:
            await unless(self._rung, seconds)

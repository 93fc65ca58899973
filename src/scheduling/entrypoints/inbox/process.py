"""`scheduling inbox`: follows what is in the streams until it is told to stop.

Everything hangs on one connection to the broker and a pool to the database. When the
broker's breaks, all is thrown away and begun anew; while the database does not answer,
nothing is taken. Nothing is remembered that the database does not know.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import structlog

from scheduling.adapters.almanac import HolidaysAlmanac
from scheduling.adapters.cloud_events.own_messages import OWN
from scheduling.adapters.nats.connection import Connection, open_connection
from scheduling.adapters.nats.consumers import (
    FOREIGN_NEWS,
    ConsumerPlan,
    advisories,
    ensure_consumer,
    foreign_news,
    given_up,
    own_news,
)
from scheduling.adapters.nats.streams import UnsafeStream, ensure_stream
from scheduling.application.commands.keep_dead_letter import KeepDeadLetter
from scheduling.application.commands.receive_event import Reactions, ReceiveEvent
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.messaging import BrokerUnavailable
from scheduling.application.ports.registry import PatientRegistry
from scheduling.application.ports.sub_files import Alarms
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.entrypoints.inbox.figures import InboxFigures
from scheduling.entrypoints.inbox.following import Follower
from scheduling.entrypoints.inbox.gate import Gate
from scheduling.entrypoints.inbox.reactions import reactions_over
from scheduling.entrypoints.inbox.working import work_until
from scheduling.entrypoints.lifetime import (
    Pauses,
    faults_in,
    serving_metrics,
    stop_when_told,
    unless,
)
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.telemetry import configure_logging, open_metrics
from scheduling.entrypoints.wiring.registry import (
    open_patient_registry,
    patient_cache,
)
from scheduling.entrypoints.wiring.storage import WorkerStorage, open_worker_storage

FIRST_PAUSE = 1.0
"""Seconds before what failed is delivered again; then twice as many, and so on."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Inbox:
    settings: Settings
    reactions: Callable[[BeginWork, Clock, Alarms], Reactions] = field(
        default_factory=lambda: partial(reactions_over, almanac=HolidaysAlmanac())
    )
    first_pause: float = FIRST_PAUSE
    registry: PatientRegistry | None = None

    @property
    def news(self) -> tuple[ConsumerPlan, ...]:
        wait, most = self.settings.inbox_ack_wait, self.settings.inbox_max_deliver
        return foreign_news(wait, most), own_news(OWN, wait, most)

    @property
    def advisories(self) -> ConsumerPlan:
        return advisories(self.settings.inbox_ack_wait)


async def run(settings: Settings) -> None:
    """Follow until SIGTERM or SIGINT; what is under way is finished.

    Raise SystemExit where settings are missing or a stream is not fit for events.
    """
    if settings.database_url is None or settings.nats_url is None:
        raise SystemExit("set SCHEDULING_DATABASE_URL and SCHEDULING_NATS_URL")
    configure_logging(settings.log_level)
    stop = stop_when_told()
    metrics = open_metrics()
    figures = InboxFigures(metrics.registry)
    with serving_metrics(metrics, settings.inbox_metrics_port):
        try:
            async with open_patient_registry(settings, metrics) as registry:
                await follow_until(stop, Inbox(settings, registry=registry), figures)
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
    pauses = Pauses()
    while not stop.is_set():
        pauses.begin()
        try:
            async with (
                open_worker_storage(settings) as storage,
                open_connection(nats_url, name="scheduling inbox") as broker,
            ):
                mended = await _ensure(broker, inbox)
                log.info("inbox working", settings_mended=mended)
                gate = Gate(storage)
                await work_until(
                    stop,
                    broker=broker,
                    gate=gate,
                    follower=_follower(inbox, storage, gate, figures),
                    news=inbox.news,
                    advisories=inbox.advisories,
                    # As many as there are connections: nobody waits for one so long
                    # that the database seems to be away.
                    at_once=settings.database_pool_size,
                    figures=figures,
                )
        except* (DatabaseUnavailable, BrokerUnavailable) as faults:
            pause = pauses.after_a_fault()
            figures.fault()
            log.warning("inbox begins anew", faults=faults_in(faults), pause=pause)
            await unless(stop, pause)
    log.info("inbox stopped")


async def _ensure(broker: Connection, inbox: Inbox) -> dict[str, list[str]]:
    """Make or mend what we stand on; return what was changed, by name."""
    replicas = inbox.settings.stream_replicas
    mended = {}
    await ensure_stream(broker, replicas=replicas)
    for stream in (FOREIGN_NEWS, given_up(inbox.news)):
        mended[stream.name] = await ensure_stream(broker, stream, replicas=replicas)
    for consumer in (*inbox.news, inbox.advisories):
        mended[consumer.name] = await ensure_consumer(broker, consumer)
    return {name: changes for name, changes in mended.items() if changes}


def _follower(
    inbox: Inbox, storage: WorkerStorage, gate: Gate, figures: InboxFigures
) -> Follower:
    return Follower(
        receive=ReceiveEvent(
            storage.begin,
            storage.now,
            lambda begin: inbox.reactions(begin, storage.now, figures),
        ),
        keep=KeepDeadLetter(storage.begin),
        now=storage.now,
        figures=figures,
        patients=patient_cache(inbox.registry, storage.begin, storage.now),
        away=gate.shut,
        first_pause=inbox.first_pause,
        max_deliver=inbox.settings.inbox_max_deliver,
    )

"""S4: a relay process drains the outbox, against the raw publishing of the same."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

import asyncpg

from scheduling.adapters.cloud_events.outgoing import to_envelope
from scheduling.adapters.embedded.nats import EmbeddedNats
from scheduling.adapters.embedded.postgres import EmbeddedPostgres
from scheduling.adapters.embedded.program import Program, running
from scheduling.adapters.nats.connection import open_connection
from scheduling.adapters.nats.publisher import JetStreamPublisher
from scheduling.adapters.nats.streams import ensure_stream
from scheduling.adapters.postgres.migrating import migrate
from scheduling.adapters.postgres.tables import OUTBOX_PARTITIONS
from scheduling.application.ports.messaging import WaitingEvent
from scheduling.domain.events import AppointmentCreated
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    SlotId,
    TenantId,
)
from scheduling.domain.period import Period
from tests.bench.report import Result
from tests.bench.world import BASE, QUARTER

BATCH = 1000
STREAM = "SCHEDULING"


async def measure(folder: Path, *, events: int = 200_000, rounds: int = 3) -> Result:
    """Both in turn, each time into an empty stream."""
    drained, raw = [], []
    async with _servers(folder) as (postgres, nats):
        waiting = _events(events)
        for _ in range(rounds):
            raw.append(await _publish(nats.url, waiting))
            drained.append(await _drain(postgres, nats.url, waiting))
    return Result(
        id="S4",
        work=f"relay drains {events:,} events, one process, `sync_interval: always`",
        ours=f"{median(drained):,.0f}/s",
        reference=f"{median(raw):,.0f}/s (atomic batches of {BATCH:,}, nothing else)",
        value=median(drained) / median(raw),
        bar=0.35,
        aim=0.60,
        unit="of the reference",
        raw={"ours": drained, "reference": raw},
    )


@asynccontextmanager
async def _servers(
    folder: Path,
) -> AsyncGenerator[tuple[EmbeddedPostgres, EmbeddedNats], None]:
    postgres = EmbeddedPostgres.on_free_port(folder)
    nats = EmbeddedNats.on_free_port(folder)
    async with running(postgres.program()) as one, running(nats.program()) as other:
        await asyncio.gather(one.ready(), other.ready())
        await migrate(postgres.database_url)
        yield postgres, nats


def _events(count: int) -> list[WaitingEvent]:
    tenant = TenantId(uuid4())
    return [_event(n, tenant) for n in range(count)]


def _event(n: int, tenant: TenantId) -> WaitingEvent:
    envelope = to_envelope(
        AppointmentCreated(
            occurred_at=datetime.now(UTC),
            version=1,
            appointment_id=AppointmentId(uuid4()),
            patient_id=PatientId(uuid4()),
            practitioner_id=PractitionerId(uuid4()),
            location_id=LocationId(uuid4()),
            slot_ids=(SlotId(uuid4()),),
            period=Period.of(BASE, QUARTER),
            timezone="Europe/Berlin",
            appointment_type="follow-up",
            status="booked",
            overbooked=False,
        ),
        tenant,
        None,
    )
    return WaitingEvent(
        id=n,
        tenant_id=tenant,
        partition=envelope.aggregate_id.int % OUTBOX_PARTITIONS,
        aggregate_id=envelope.aggregate_id,
        aggregate_version=1,
        event_id=envelope.event_id,
        subject=envelope.subject,
        body=envelope.body,
    )


async def _publish(nats_url: str, waiting: list[WaitingEvent]) -> float:
    async with open_connection(nats_url, name="bench") as broker:
        await _empty_stream(nats_url)
        publisher = JetStreamPublisher(broker)
        began = time.perf_counter()
        for first in range(0, len(waiting), BATCH):
            await publisher.publish_together(waiting[first : first + BATCH])
        return len(waiting) / (time.perf_counter() - began)


async def _empty_stream(nats_url: str) -> None:
    """Delete it: purging would keep the ids that were seen."""
    async with open_connection(nats_url, name="bench") as broker:
        jetstream = broker.client.jetstream()
        await ensure_stream(broker, replicas=1)
        await jetstream.delete_stream(STREAM)
        await ensure_stream(broker, replicas=1)


async def _drain(
    postgres: EmbeddedPostgres, nats_url: str, waiting: list[WaitingEvent]
) -> float:
    await _empty_stream(nats_url)
    await _fill(postgres, waiting)
    relay = Program(
        name="relay",
        command=(sys.executable, "-m", "scheduling", "relay"),
        environment={
            **os.environ,
            "SCHEDULING_DATABASE_URL": postgres.database_url,
            "SCHEDULING_NATS_URL": nats_url,
        },
        log=postgres.data_dir / "relay.log",
    )
    async with running(relay), open_connection(nats_url, name="bench") as broker:
        jetstream = broker.client.jetstream()

        async def stored() -> int:
            return (await jetstream.stream_info(STREAM)).state.messages

        while await stored() == 0:  # noqa: ASYNC110  # the server has to be asked
            await asyncio.sleep(0.005)
        began, already = time.perf_counter(), await stored()
        while await stored() < len(waiting):  # noqa: ASYNC110  # the same
            await asyncio.sleep(0.02)
        return (len(waiting) - already) / (time.perf_counter() - began)


async def _fill(postgres: EmbeddedPostgres, waiting: list[WaitingEvent]) -> None:
    """As superuser: COPY does not go through row level security."""
    connection = await asyncpg.connect(
        postgres.superuser_url.rsplit("/", 1)[0] + "/scheduling"
    )
    now = datetime.now(UTC)
    rows: list[tuple[UUID, UUID, int, UUID, int, str, bytes, datetime]] = [
        (
            event.tenant_id,
            event.event_id,
            event.partition,
            event.aggregate_id,
            event.aggregate_version,
            event.subject,
            event.body,
            now,
        )
        for event in waiting
    ]
    await connection.execute("TRUNCATE outbox")
    await connection.copy_records_to_table(
        "outbox",
        records=rows,
        columns=[
            "tenant_id",
            "event_id",
            "partition",
            "aggregate_id",
            "aggregate_version",
            "subject",
            "body",
            "created_at",
        ],
    )
    await connection.execute("CHECKPOINT")
    await connection.close()

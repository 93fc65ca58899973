"""S5: from the commit of a booking to the event at a subscriber, on an idle system."""

import asyncio
import json
import time
from pathlib import Path
from uuid import UUID, uuid4

import nats
from nats.aio.msg import Msg
from pydantic import SecretStr

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.ports.identity import Caller
from scheduling.domain.booking_request import (
    BookingRequest,
    BySlot,
)
from scheduling.domain.identifiers import PatientId, SlotId, TenantId
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.wiring.storage import open_storage
from tests.bench.report import Result
from tests.bench.stack import running_stack
from tests.bench.world import make_world

WARM_UP = 50
PAUSE = 0.02


async def measure(folder: Path, *, bookings: int = 1000) -> Result:
    """One at a time, with a pause in which everything falls asleep again."""
    arrived: dict[UUID, asyncio.Future[float]] = {}
    latencies: list[float] = []

    async def hear(message: Msg) -> None:
        subject = UUID(json.loads(message.data)["subject"])
        arrived[subject].set_result(time.perf_counter())

    async with running_stack(folder) as stack:
        world = await make_world(stack.database_url, uuid4(), slots=bookings + WARM_UP)
        client = await nats.connect(stack.nats_url)
        subscription = await client.jetstream().subscribe(
            f"scheduling.{world.tenant}.appointment.created",
            cb=hear,
            ordered_consumer=True,
        )
        caller = Caller(
            TenantId(world.tenant), "bench", frozenset(), None, uuid4().hex, None
        )
        settings = Settings(database_url=SecretStr(stack.database_url))
        loop = asyncio.get_running_loop()
        async with open_storage(settings) as storage:
            book = BookAppointment(storage.begin, storage.now)
            for n in range(bookings + WARM_UP):
                id = uuid4()
                arrived[id] = loop.create_future()
                request = BookingRequest(
                    patient_id=PatientId(world.patient(n)),
                    when=BySlot(SlotId(world.slot(n))),
                    appointment_type="follow-up",
                    id=id,  # type: ignore[arg-type]
                )
                await book(caller, request)
                committed = time.perf_counter()
                at = await asyncio.wait_for(arrived[id], 10)
                latencies.append((at - committed) * 1000)
                await asyncio.sleep(PAUSE)
        await subscription.unsubscribe()
        await client.close()
    latencies = sorted(latencies[WARM_UP:])
    p50, p99 = latencies[bookings // 2], latencies[bookings * 99 // 100]
    return Result(
        id="S5",
        work="commit → event at a subscriber, idle system",
        ours=f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {latencies[-1]:.1f} ms",
        reference="-",
        value=p99,
        bar=25,
        aim=10,
        unit="ms (p99)",
        at_most=True,
        raw={"latencies_ms": [round(latency, 2) for latency in latencies]},
    )

"""`scheduling inbox` as the process that operators run."""

import asyncio
import signal
from pathlib import Path
from uuid import uuid4

from scheduling.adapters.embedded.folders import free_port
from tests.following import (
    an_event,
    inbox_process,
    rows,
    sending,
    until_answered,
    until_rows,
)

FOLLOWED = "SELECT * FROM inbox"


def low_stock() -> dict[str, object]:
    data = {"equipmentId": str(uuid4()), "locationId": str(uuid4())}
    return an_event("equipment.low-stock", data)


async def test_asked_to_stop_it_finishes_what_it_has_and_ends_well(
    database_url: str, nats_url: str, tmp_path: Path
) -> None:
    inbox = await inbox_process(database_url, nats_url, tmp_path / "inbox.log")
    async with sending(nats_url) as sender:
        for _ in range(100):
            await sender.send(uuid4(), low_stock())
        await until_rows(database_url, 1, FOLLOWED)
        inbox.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(inbox.wait(), 30) == 0
        told = await sender.client.jsm().consumer_info(
            "SCHEDULING_INBOX", "scheduling-inbox"
        )
    followed = len(await rows(database_url, FOLLOWED))
    # What it took and did not follow, it gave back; nothing waits for a dead process.
    assert told.ack_floor is not None
    assert told.num_redelivered or told.ack_floor.stream_seq == followed
    again = await inbox_process(database_url, nats_url, tmp_path / "inbox.log")
    try:
        await asyncio.wait_for(until_rows(database_url, 100, FOLLOWED), 20)
    finally:
        await again.stop()


async def test_it_serves_its_figures_where_it_is_told_to(
    database_url: str, nats_url: str, tmp_path: Path
) -> None:
    port = free_port()
    inbox = await inbox_process(
        database_url,
        nats_url,
        tmp_path / "inbox.log",
        SCHEDULING_INBOX_METRICS_PORT=str(port),
    )
    async with sending(nats_url) as sender:
        await sender.send(uuid4(), low_stock())
        await sender.send(uuid4(), an_event("made.up", {}))
        await until_answered(nats_url, "SCHEDULING_INBOX", "scheduling-inbox")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
    told = (await reader.read()).decode()
    writer.close()
    await inbox.stop()
    for figure in (
        'received_total{outcome="applied",type="equipment.low-stock"} 1.0',
        'received_total{outcome="dead",type="unknown"} 1.0',
        'dead_letters_total{reason="UNKNOWN_TYPE"} 1.0',
        "lag_seconds_count 1.0",
        'waiting{consumer="scheduling-inbox"}',
        'waiting{consumer="scheduling-reactions"}',
        "in_flight",
    ):
        assert f"scheduling_inbox_{figure}" in told
    assert "made.up" not in told


async def test_a_stream_that_could_lose_news_ends_it_with_the_reason(
    database_url: str, nats_url: str, tmp_path: Path
) -> None:
    async with sending(nats_url) as sender:
        await sender.client.jsm().add_stream(
            name="SCHEDULING_INBOX", subjects=["inbox.>"], storage="memory"
        )
    log = tmp_path / "inbox.log"
    inbox = await inbox_process(database_url, nats_url, log)
    assert await asyncio.wait_for(inbox.wait(), 30) == 1
    assert "stream SCHEDULING_INBOX cannot be used as it is" in log.read_text()

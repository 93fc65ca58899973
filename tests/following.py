"""Inbox processes to run against real servers, and news for them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import nats
import orjson
from nats.aio.client import Client
from nats.js.errors import NoStreamResponseError, NotFoundError
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from scheduling.adapters.embedded.program import Program, Running, start
from scheduling.entrypoints.inbox.figures import InboxFigures
from scheduling.entrypoints.inbox.process import Inbox, follow_until
from scheduling.entrypoints.settings import Settings

PATIENCE = 60.0
STRUCTURED = {"Content-Type": "application/cloudevents+json"}


def settings_of(database_url: str, nats_url: str, **more: Any) -> Settings:  # noqa: ANN401
    return Settings(
        database_url=SecretStr(database_url), nats_url=SecretStr(nats_url), **more
    )


@asynccontextmanager
async def following(
    settings: Settings,
    **more: Any,  # noqa: ANN401
) -> AsyncIterator[InboxFigures]:
    """An inbox in this process, stopped gracefully at the end."""
    stop = asyncio.Event()
    figures = InboxFigures(CollectorRegistry())
    task = asyncio.create_task(follow_until(stop, Inbox(settings, **more), figures))
    try:
        yield figures
    finally:
        stop.set()
        await asyncio.wait_for(task, PATIENCE)


async def inbox_process(
    database_url: str, nats_url: str, log: Path, **environment: str
) -> Running:
    return await start(
        Program(
            name="inbox",
            command=(sys.executable, "-m", "scheduling", "inbox"),
            environment={
                **os.environ,
                "SCHEDULING_DATABASE_URL": database_url,
                "SCHEDULING_NATS_URL": nats_url,
                **environment,
            },
            log=log,
        )
    )


def an_event(type: str, data: object, **attributes: object) -> dict[str, Any]:
    """A CloudEvent that is one; None takes an attribute away."""
    event = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/somebody",
        "type": type,
        "data": data,
        **attributes,
    }
    return {name: value for name, value in event.items() if value is not None}


@asynccontextmanager
async def sending(nats_url: str) -> AsyncIterator["Sender"]:
    client = await nats.connect(nats_url, error_cb=_unheard)
    try:
        yield Sender(client)
    finally:
        await client.close()


class Sender:
    def __init__(self, client: Client) -> None:
        self.client = client
        self._jetstream = client.jetstream()

    async def send(
        self,
        tenant: UUID,
        event: Mapping[str, Any],
        *,
        headers: Mapping[str, str] = STRUCTURED,
    ) -> int:
        """Send it in structured mode; return its place in the stream."""
        subject = f"inbox.{tenant}.{event.get('type')}"
        return await self.send_bytes(subject, orjson.dumps(event), headers)

    async def send_bytes(
        self, subject: str, body: bytes, headers: Mapping[str, str]
    ) -> int:
        # Once the inbox has made the stream.
        for _ in range(int(PATIENCE / 0.02)):
            try:
                told = await self._jetstream.publish(
                    subject, body, headers=dict(headers)
                )
            except NoStreamResponseError:
                await asyncio.sleep(0.02)  # it cannot be awaited
            else:
                sequence: int = told.seq
                return sequence
        raise AssertionError("there is no stream")


async def send_raw(nats_url: str, subject: bytes, headers: bytes, body: bytes) -> None:
    """Send what no client would; return when the server has taken it."""
    parts = urlsplit(nats_url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    await reader.readline()
    writer.write(b'CONNECT {"verbose":false,"headers":true}\r\n')
    whole = len(headers) + len(body)
    writer.write(b"HPUB %s %d %d\r\n" % (subject, len(headers), whole))
    writer.write(headers + body + b"\r\nPING\r\n")
    await reader.readline()
    writer.close()
    await writer.wait_closed()


async def until_answered(nats_url: str, stream: str, consumer: str) -> None:
    """Return when the consumer has nothing that is not answered for."""
    async with sending(nats_url) as sender, asyncio.timeout(PATIENCE):
        manager = sender.client.jsm()
        while True:
            with suppress(NotFoundError):
                told = await manager.consumer_info(stream, consumer)
                if not told.num_pending and not told.num_ack_pending:
                    return
            await asyncio.sleep(0.05)  # a server: it cannot be awaited


async def rows(database_url: str, question: str, *given: object) -> list[Any]:
    """Ask as who may sweep: inbox, outbox and dead letters of all tenants are seen."""
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.fetch(question, *given)
    finally:
        await connection.close()


async def until_rows(
    database_url: str, count: int, question: str, *given: object
) -> list[Any]:
    """Ask until there are so many."""
    connection = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await connection.fetch(question, *given)
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.02)  # another process: it cannot be awaited
    finally:
        await connection.close()


async def _unheard(_error: Exception) -> None:
    """Servers are stopped on purpose here."""

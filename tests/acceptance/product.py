"""The product as it runs: API, relay and inbox as processes, over real servers."""

import asyncio
import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import asyncpg
import nats
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import DeliverPolicy
from nats.js.errors import NotFoundError

from scheduling.adapters.tokens.issuer import DevIssuer, open_dev_issuer
from scheduling.application.ports.messaging import WaitingEvent
from scheduling.entrypoints.settings import DEV_ISSUER_PREFIX
from tests.outbox_rows import complaints

PATIENCE = 60.0


@dataclass
class Product:
    """API, relay and inbox of one database; the socket outlives a killed API, as it
    does under the supervisor.
    """

    database_url: str
    nats_url: str
    folder: Path
    issuer: DevIssuer
    listening: socket.socket
    settings: dict[str, str] = field(default_factory=dict)
    api: subprocess.Popen[bytes] | None = None
    relay: subprocess.Popen[bytes] | None = None
    inbox: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def start_api(self) -> None:
        self.api = self._start("api", "--fd", str(self.listening.fileno()))

    def start_relay(self) -> None:
        self.relay = self._start("relay")

    def start_inbox(self) -> None:
        self.inbox = self._start("inbox")

    def kill_api(self) -> None:
        _kill(self.api)

    def kill_relay(self) -> None:
        _kill(self.relay)

    def kill_inbox(self) -> None:
        _kill(self.inbox)

    def until_ready(self) -> None:
        """Nobody accepts before the API does: this waits, it does not poll."""
        host, port = self.listening.getsockname()
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
        try:
            connection.request("GET", "/readyz")
            assert connection.getresponse().status == 200, self.logs()
        except TimeoutError as nobody:
            ended = self.api and self.api.poll()
            raise AssertionError(f"API ended: {ended}\n{self.logs()}") from nobody
        finally:
            connection.close()

    def stop(self) -> None:
        processes = (self.api, self.relay, self.inbox)
        for process in processes:
            if process is not None and process.poll() is None:
                process.terminate()
        for process in processes:
            if process is not None:
                process.wait(PATIENCE)

    def logs(self) -> str:
        """What all processes have said so far."""
        return "".join(
            file.read_text(errors="replace") for file in self.folder.glob("*.log")
        )

    async def events(self, tenant: UUID, *, whole: bool = False) -> list[Msg]:
        """Return the tenant's part of the stream, once all that was committed is in
        it; with what follows by itself, where `whole`.
        """
        async with asyncio.timeout(PATIENCE):
            while await self._unpublished(tenant):  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.02)
        return await self.in_stream(tenant, whole=whole)

    async def in_stream(self, tenant: UUID, *, whole: bool = False) -> list[Msg]:
        subject = f"scheduling.{tenant}.>"
        client = await nats.connect(self.nats_url, error_cb=_unheard)
        try:
            info = await client.jsm().stream_info("SCHEDULING", subject)
            subjects = info.state.subjects or {}
            subscription = await self._subscribed(client.jetstream(), tenant)
            stored = [
                await subscription.next_msg(timeout=PATIENCE)
                for _ in range(sum(subjects.values()))
            ]
            return [one for one in stored if whole or not follows(one.subject)]
        finally:
            await client.close()

    async def until_in_stream(self, tenant: UUID, count: int) -> None:
        """Return when that many of the tenant's events have arrived."""
        client = await nats.connect(self.nats_url, error_cb=_unheard)
        try:
            subscription = await self._subscribed(client.jetstream(), tenant)
            for _ in range(count):
                await subscription.next_msg(timeout=PATIENCE)
        finally:
            await client.close()

    async def _subscribed(
        self, jetstream: JetStreamContext, tenant: UUID
    ) -> JetStreamContext.PushSubscription:
        """Subscribe from the beginning; a stream that is yet to be is waited for."""
        for _ in range(int(PATIENCE / 0.02)):
            with suppress(NotFoundError):
                return await jetstream.subscribe(
                    f"scheduling.{tenant}.>",
                    ordered_consumer=True,
                    deliver_policy=DeliverPolicy.ALL,
                )
            await asyncio.sleep(0.02)  # it cannot be awaited
        raise AssertionError("there is no stream")

    async def committed(self, tenant: UUID) -> list[WaitingEvent]:
        """Return all that the outbox was ever given for the tenant, without what
        follows by itself.
        """
        rows = await self.rows(
            "SELECT id, tenant_id, partition, aggregate_id, aggregate_version, "
            "event_id, subject, body FROM outbox WHERE tenant_id = $1 ORDER BY id",
            tenant,
        )
        events = [WaitingEvent(*row) for row in rows]
        return [one for one in events if not follows(one.subject)]

    async def rows(self, question: str, *given: object) -> list[asyncpg.Record]:
        """Ask as the relay's role, which sees the events of all tenants."""
        connection = await asyncpg.connect(
            self.database_url, server_settings={"role": "scheduling_relay"}
        )
        try:
            return await connection.fetch(question, *given)
        finally:
            await connection.close()

    async def count(self, tenant: UUID, table: str) -> int:
        """Count a tenant's rows as the API's role sees them."""
        [row] = await self._of(tenant, f"SELECT count(*) FROM {table}")  # noqa: S608  # our own word
        number: int = row[0]
        return number

    async def audit(self, tenant: UUID) -> list[asyncpg.Record]:
        """Return the tenant's audit, the oldest first."""
        return await self._of(tenant, "SELECT * FROM audit ORDER BY at, id")

    async def _of(self, tenant: UUID, question: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(
            self.database_url,
            server_settings={"role": "scheduling_api", "app.tenant_id": str(tenant)},
        )
        try:
            return await connection.fetch(question)
        finally:
            await connection.close()

    async def _unpublished(self, tenant: UUID) -> int:
        [row] = await self.rows(
            "SELECT count(*) FROM outbox WHERE tenant_id = $1 AND published_at IS NULL",
            tenant,
        )
        number: int = row[0]
        return number

    def _start(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # ourselves
                [sys.executable, "-m", "scheduling", name, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(self.listening.fileno(),),
                env={
                    **os.environ,
                    "SCHEDULING_DATABASE_URL": self.database_url,
                    "SCHEDULING_NATS_URL": self.nats_url,
                    "SCHEDULING_JWKS_FILE": str(self.issuer.jwks_file),
                    "SCHEDULING_ISSUER": self.issuer.name,
                    "SCHEDULING_DEVELOPMENT": "true",
                    **self.settings,
                },
            )


@contextmanager
def running_product(
    database_url: str, nats_url: str, folder: Path, **settings: str
) -> Iterator[Product]:
    """`settings` are SCHEDULING_* variables of the processes."""
    with ExitStack() as closing:
        listening = closing.enter_context(socket.create_server(("127.0.0.1", 0)))
        folder.mkdir(parents=True, exist_ok=True)
        product = Product(
            database_url=database_url,
            nats_url=nats_url,
            folder=folder,
            issuer=open_dev_issuer(folder, prefix=DEV_ISSUER_PREFIX),
            listening=listening,
            settings=settings,
        )
        closing.callback(product.stop)
        product.start_api()
        product.start_relay()
        product.start_inbox()
        product.until_ready()
        yield product


def follows(subject: str) -> bool:
    """Whether it is told when the inbox has heard of something: sooner or later."""
    return subject.endswith(BY_ITSELF)


BY_ITSELF = (
    ".subfile.created",
    ".notification.requested",
    ".encounter.requested",
    ".slots.generation.completed",
)


def what_is_wrong(committed: list[WaitingEvent], stream: list[Msg]) -> list[str]:
    """Judge a tenant's stream by the ledger of what was committed: what is lost,
    doubled, invented, out of order, or has other bytes.
    """
    arrived = [UUID((message.headers or {})["Nats-Msg-Id"]) for message in stream]
    bodies = {event.event_id: event.body for event in committed}
    found = complaints(committed, arrived)
    found += [
        f"{id} has other bytes"
        for id, message in zip(arrived, stream, strict=True)
        if bodies.get(id, message.data) != message.data
    ]
    return found


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    assert process is not None
    process.kill()
    process.wait(PATIENCE)


async def _unheard(_error: Exception) -> None:
    """Servers are stopped on purpose here."""

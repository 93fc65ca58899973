"""The stage: the product's processes over PostgreSQL and NATS, each killable.

Processes have names: `postgres`, `nats`, `api-1`, `relay-1`, `inbox-1`, `cron-1`. All
API processes listen on one socket that outlives them, as replicas behind a door do, or
each on a port of its own. Logs, faults and whatever an experiment writes are in the
stage's folder.
"""

import asyncio
import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from scheduling.adapters.embedded.program import Program, Running, start
from scheduling.adapters.postgres.migrating import migrate
from scheduling.adapters.tokens.issuer import DevIssuer, open_dev_issuer
from scheduling.application.ports.identity import Scope
from scheduling.entrypoints.settings import DEV_ISSUER_PREFIX
from tests.chaos.faults import FaultLog, signal_family
from tests.chaos.servers import OwnServers, Servers

PATIENCE = 60.0
SERVERS = ("postgres", "nats")
ALL_SCOPES = " ".join(scope for scope in Scope if scope is not Scope.IMPORT)


@dataclass
class Stage:
    folder: Path
    servers: Servers
    issuer: DevIssuer
    doors: list[socket.socket]
    """Of `api-1`, `api-2`, …; one for all where they share it."""
    faults: FaultLog
    programs: dict[str, Program] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)

    def address(self, api: int = 1) -> tuple[str, int]:
        """Host and port of `api-N`; every N has one, whether it runs or not."""
        host, port = self.doors[(api - 1) % len(self.doors)].getsockname()
        return host, port

    def url(self, api: int = 1) -> str:
        host, port = self.address(api)
        return f"http://{host}:{port}"

    def token(self, tenant: UUID, *, subject: str = "reception") -> str:
        """All that staff may do, for longer than any experiment."""
        return self.issuer.mint(
            tenant_id=tenant, scope=ALL_SCOPES, subject=subject, lifetime=4 * 3600
        )

    def names(self, *kinds: str) -> list[str]:
        """Name the processes of these kinds, or all that the stage has."""
        return [n for n in self.programs if not kinds or n.split("-")[0] in kinds]

    async def start(self, name: str) -> None:
        """Start it anew; a server is waited for, another process is not."""
        self.running[name] = await start(self.programs[name])
        if name in SERVERS:
            await self.running[name].ready()

    async def kill(self, *names: str) -> None:
        """kill -9, with all descendants; return when they have ended."""
        for name in names:
            self.faults.note("kill -9", name)
            signal_family(self.running[name].pid, signal.SIGKILL)
        for name in names:
            await self.running[name].wait()

    async def restart(self, name: str) -> None:
        """Kill it and start it again."""
        await self.kill(name)
        await self.start(name)

    async def restart_gently(self, name: str) -> None:
        """Ask it to stop, as a deployment does, and start it again."""
        self.faults.note("stopped", name)
        await self.running[name].stop()
        await self.start(name)

    def pause(self, name: str) -> None:
        self.faults.note("SIGSTOP", name)
        signal_family(self.running[name].pid, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        self.faults.note("SIGCONT", name)
        signal_family(self.running[name].pid, signal.SIGCONT)

    async def until_ready(self) -> None:
        """Return when each door answers `/readyz` with 200."""
        for number in range(1, len(self.doors) + 1):
            await asyncio.to_thread(self._wait_at, number)

    def _wait_at(self, api: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while (status := self._asked_at(api)) != 200:
            if time.monotonic() > deadline:
                raise RuntimeError(f"not ready ({status}):\n{self.last_words()}")
            time.sleep(0.05)  # its database may be a moment behind

    def _asked_at(self, api: int) -> int:
        # Nobody accepts before the API does: this waits, it does not poll.
        connection = http.client.HTTPConnection(*self.address(api), timeout=PATIENCE)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status
        finally:
            connection.close()

    def logs(self) -> str:
        return "".join(
            file.read_text(errors="replace") for file in self.folder.glob("*.log")
        )

    def last_words(self) -> str:
        return "\n".join(self.logs().splitlines()[-20:])

    async def stop(self) -> None:
        """Stop all that still runs, the servers last."""
        processes = [n for n in self.running if n not in SERVERS]
        for name in self.running:
            signal_family(self.running[name].pid, signal.SIGCONT)
        await asyncio.gather(*(self.running[name].stop() for name in processes))
        for name in SERVERS[::-1]:
            if name in self.running:
                await self.running[name].stop()

    def add(self, kind: str, number: int, **settings: str) -> str:
        """Add a process of the product, not yet started; return its name. `settings`
        are its SCHEDULING_* variables besides those of all.
        """
        name = f"{kind}-{number}"
        door = self.doors[(number - 1) % len(self.doors)].fileno()
        listens = ("--fd", str(door)) if kind == "api" else ()
        self.programs[name] = Program(
            name=name,
            command=(sys.executable, "-m", "scheduling", kind, *listens),
            environment={
                **os.environ,
                "SCHEDULING_DATABASE_URL": self.servers.database_url,
                "SCHEDULING_NATS_URL": self.servers.nats_url,
                "SCHEDULING_JWKS_FILE": str(self.issuer.jwks_file),
                "SCHEDULING_ISSUER": self.issuer.name,
                "SCHEDULING_DEVELOPMENT": "true",
                "SCHEDULING_LOG_LEVEL": "warning",
                **settings,
            },
            descriptors=(door,) if kind == "api" else (),
            log=self.folder / f"{name}.log",
        )
        return name


@asynccontextmanager
async def a_stage(
    folder: Path,
    *,
    servers: Servers | OwnServers | None = None,
    apis: int = 1,
    relays: int = 1,
    inboxes: int = 0,
    crons: int = 0,
    shared_door: bool = True,
    **settings: str,
) -> AsyncIterator[Stage]:
    """Set the stage in `folder`; the block begins when the API is ready.

    `servers` are lent ones, which stay as they are, or own ones to start, migrate and
    remove; by default own ones below `folder`.
    """
    _open_folder(folder)
    given = servers or OwnServers.below(folder)
    async with AsyncExitStack() as closing:
        doors = [
            closing.enter_context(socket.create_server(("127.0.0.1", 0), backlog=2048))
            for _ in range(1 if shared_door else max(apis, 1))
        ]
        stage = Stage(
            folder=folder,
            servers=given.urls if isinstance(given, OwnServers) else given,
            issuer=open_dev_issuer(folder, prefix=DEV_ISSUER_PREFIX),
            doors=doors,
            faults=FaultLog(folder / "faults.jsonl"),
        )
        if isinstance(given, OwnServers):
            closing.callback(given.postgres.remove)
            stage.programs["postgres"] = given.postgres.program()
            stage.programs["nats"] = given.nats.program()
        closing.push_async_callback(stage.stop)
        for name in stage.names(*SERVERS):
            await stage.start(name)
        if isinstance(given, OwnServers):
            await migrate(stage.servers.database_url)
        for name in _cast(stage, settings, api=apis, relay=relays, inbox=inboxes):
            await stage.start(name)
        for name in _cast(stage, settings, cron=crons):
            await stage.start(name)
        if apis:
            await stage.until_ready()
        yield stage


def _open_folder(folder: Path) -> None:
    """PostgreSQL's user must be able to enter it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)


def _cast(stage: Stage, settings: dict[str, str], **counts: int) -> Iterable[str]:
    for kind, count in counts.items():
        for number in range(1, count + 1):
            yield stage.add(kind, number, **settings)

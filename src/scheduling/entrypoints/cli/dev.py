"""`scheduling dev`: everything on one machine, from an empty directory to `ready`."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from scheduling.adapters.embedded.folders import (
    FolderInUse,
    lock_folder,
    write_private,
)
from scheduling.adapters.embedded.nats import EmbeddedNats
from scheduling.adapters.embedded.postgres import EmbeddedPostgres
from scheduling.adapters.embedded.program import Program, ServerFailed
from scheduling.entrypoints.settings import DEV_ISSUER_PREFIX, Settings
from scheduling.entrypoints.supervisor import Stage, Supervisor

app = typer.Typer()

BACKLOG = 2048
FIRST_SEED = 600.0
"""Seconds that processes may wait for the first migration and the demo data."""

BETWEEN_QUESTIONS = 0.2
"""Seconds between two looks at an API that answers, but is not ready."""

GRACE = 25.0
"""Seconds; longer than the API gives its requests under way."""


@dataclass(frozen=True, kw_only=True)
class Options:
    host: str
    port: int
    data_dir: Path
    demo: bool
    workers: int


@app.command()
def dev(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port; a free one if it is taken")
    ] = 8080,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Where all data is kept; .data here by default"),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo/--no-demo", help="Fill a demo clinic group")
    ] = True,
    workers: Annotated[int, typer.Option(min=1, max=64, help="API processes")] = 1,
) -> None:
    """Run everything on this machine; Ctrl-C stops all of it."""
    options = Options(
        host=host,
        port=port,
        data_dir=(data_dir or default_data_dir()).resolve(),
        demo=demo,
        workers=workers,
    )
    try:
        asyncio.run(_run(options, Settings()))
    except (ServerFailed, FolderInUse, OSError, RuntimeError) as error:
        _say(str(error))
        raise typer.Exit(1) from error


def default_data_dir() -> Path:
    """`.data` here, or a directory of this user's where here is not ours to write."""
    here = Path(".data")
    if here.is_dir() or os.access(".", os.W_OK):
        return here
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "scheduling"


async def _run(options: Options, settings: Settings) -> None:
    """Run until a signal; children are stopped in order, whatever happens."""
    supervisor = Supervisor(_say)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.ask_to_stop)
    options.data_dir.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as closing:
        closing.callback(os.close, lock_folder(options.data_dir))
        listening = closing.enter_context(_listening(options.host, options.port))
        work = asyncio.create_task(
            _bring_up(supervisor, options, settings, listening, closing)
        )
        asked = asyncio.create_task(supervisor.asked_to_stop())
        try:
            await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                work.result()  # raises what went wrong
                await asked
        finally:
            await supervisor.stop()
            for task in (work, asked):
                task.cancel()
            await asyncio.gather(work, asked, return_exceptions=True)


async def _bring_up(
    supervisor: Supervisor,
    options: Options,
    settings: Settings,
    listening: socket.socket,
    closing: contextlib.ExitStack,
) -> None:
    """Start what the next thing stands on, and meanwhile whatever can be."""
    database_url, database = _database(options, settings, closing)
    nats_url, broker = _broker(options, settings)
    async with _together() as together:
        servers = together(
            *(supervisor.keep(program, Stage.STORE) for program in database),
            *(supervisor.keep(program, Stage.BROKER) for program in broker),
        )
        await asyncio.sleep(0)  # they start while the issuer's code loads
        environment = {
            **os.environ,
            "SCHEDULING_DATABASE_URL": database_url,
            "SCHEDULING_NATS_URL": nats_url,
            **await asyncio.to_thread(_trust_dev_issuer, options, settings),
        }
        gate, opened = os.pipe()
        closing.callback(os.close, gate)
        with os.fdopen(opened, "wb"):
            # They load their code while the database gets ready; then the gate opens.
            processes = together(
                *_processes(supervisor, options, environment, listening, gate)
            )
            await servers
            tenant = await _prepare(supervisor, options, environment)
        await processes
    url = f"http://{_name(options.host)}:{listening.getsockname()[1]}"
    told = {
        "apiUrl": url,
        "databaseUrl": database_url,
        "natsUrl": nats_url,
        "tenantId": tenant,
    }
    write_private(options.data_dir / "dev.json", json.dumps(told, indent=2) + "\n")
    _say(f"calendar {url}/calendar/")
    typer.echo(f"ready {url}")
    sys.stdout.flush()


@contextlib.asynccontextmanager
async def _together() -> AsyncIterator[Callable[..., asyncio.Future[list[None]]]]:
    """Leave no waiting behind, whichever of it fails or is given up first."""
    begun: list[asyncio.Future[list[None]]] = []

    def together(*work: Awaitable[None]) -> asyncio.Future[list[None]]:
        begun.append(asyncio.gather(*work))
        return begun[-1]

    try:
        yield together
    finally:
        for future in begun:
            future.cancel()
        await asyncio.gather(*begun, return_exceptions=True)


def _database(
    options: Options, settings: Settings, closing: contextlib.ExitStack
) -> tuple[str, list[Program]]:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value(), []
    postgres = EmbeddedPostgres.on_free_port(options.data_dir)
    if postgres.home.parent != options.data_dir:
        closing.callback(os.close, lock_folder(postgres.home))
    return postgres.database_url, [postgres.program()]


def _broker(options: Options, settings: Settings) -> tuple[str, list[Program]]:
    if settings.nats_url is not None:
        return settings.nats_url.get_secret_value(), []
    nats = EmbeddedNats.on_free_port(options.data_dir)
    return nats.url, [nats.program()]


def _trust_dev_issuer(options: Options, settings: Settings) -> dict[str, str]:
    """Make key and issuer of this data directory; keys named from outside win."""
    if settings.issuer is not None:
        return {}
    from scheduling.adapters.tokens.issuer import (  # noqa: PLC0415  # in a thread, while servers start
        open_dev_issuer,
    )

    issuer = open_dev_issuer(options.data_dir, prefix=DEV_ISSUER_PREFIX)
    return {
        "SCHEDULING_JWKS_FILE": str(issuer.jwks_file),
        "SCHEDULING_ISSUER": issuer.name,
        "SCHEDULING_DEVELOPMENT": "true",
    }


def _processes(
    supervisor: Supervisor,
    options: Options,
    environment: dict[str, str],
    listening: socket.socket,
    gate: int,
) -> Iterator[Awaitable[None]]:
    after = ("--after", str(gate))
    for name in ("relay", "inbox", "cron"):
        yield supervisor.keep(
            Program(
                name=name,
                command=(*_OURSELVES, name, *after),
                environment=environment,
                descriptors=(gate,),
                patience=GRACE,
            ),
            Stage.WORK,
        )
    for number in range(1, options.workers + 1):
        yield supervisor.keep(
            Program(
                name="api" if options.workers == 1 else f"api {number}",
                command=(*_OURSELVES, "api", "--fd", str(listening.fileno()), *after),
                environment=environment,
                descriptors=(listening.fileno(), gate),
                is_ready=_answers(listening),
                ready_within=FIRST_SEED,
                patience=GRACE,
            ),
            Stage.FRONT,
        )


async def _prepare(
    supervisor: Supervisor, options: Options, environment: dict[str, str]
) -> str:
    """Migrate and seed; return the tenant's id."""
    told, tell = os.pipe()
    with os.fdopen(told) as reading:
        try:
            program = Program(
                name="prepare",
                command=(
                    *_OURSELVES,
                    "prepare",
                    *("--tell", str(tell)),
                    "--demo" if options.demo else "--no-demo",
                ),
                environment=environment,
                descriptors=(tell,),
            )
            await supervisor.run(program, Stage.WORK)
        finally:
            os.close(tell)
        return reading.read()


# `-P`: a folder named `scheduling` where we were started is not this package.
_OURSELVES = (sys.executable, "-P", "-m", "scheduling")


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Hold the port for as long as we run: a restarted API loses no connection."""
    try:
        listening = _bind(host, port)
    except OSError:
        if port == 0:
            raise
        listening = _bind(host, 0)
        _say(f"port {port} is not free; using {listening.getsockname()[1]}")
    with listening:
        yield listening


def _bind(host: str, port: int) -> socket.socket:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _answers(listening: socket.socket) -> Callable[[], Awaitable[bool]]:
    host, port = listening.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # read, not bound

    async def is_ready() -> bool:
        """Ask /readyz. Nobody accepts before the API does: this waits, not polls."""
        try:
            reader, writer = await asyncio.open_connection(reachable, port)
            writer.write(
                b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            answer = await reader.readline()
            writer.close()
            await writer.wait_closed()
        except OSError:
            return False
        if b" 200 " in answer:
            return True
        await asyncio.sleep(BETWEEN_QUESTIONS)
        return False

    return is_ready


def _name(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _say(words: str) -> None:
    typer.echo(f"scheduling dev: {words}", err=True)

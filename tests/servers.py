"""PostgreSQL and NATS for the tests, shared where that is safe.

Chosen in this order: `TEST_DATABASE_URL` (a superuser's) and `TEST_NATS_URL`, Docker
where a daemon answers and testcontainers is installed, PostgreSQL 18 or newer of this
machine, the wheels that `scheduling dev` uses.

A keeper process (this file, run as a program) holds each server. Users hold a shared
lock on a file; the keeper waits for an exclusive one, so it ends the server after the
last user, however that one ended.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import nats

from scheduling.adapters.embedded.folders import free_port
from scheduling.adapters.embedded.nats import EmbeddedNats
from scheduling.adapters.embedded.postgres import EmbeddedPostgres
from scheduling.adapters.embedded.program import running
from scheduling.adapters.postgres.migrating import migrate
from scheduling.adapters.postgres.revisions import migrations_folder

SHIPPED = 18
LOGIN = "scheduling"
PASSWORD = "scheduling"  # noqa: S105  # of test servers only

T = TypeVar("T")
Judge = Callable[[bytes], list[str]]


class Background:
    """An event loop in a thread: fixtures stay usable by tests with and without one."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Databases:
    """Fresh databases on one server, cloned from a migrated template (about 20 ms).

    Before one is dropped, `judge` sees each event that was committed to it, whichever
    process wrote it, and returns what is wrong with it.
    """

    def __init__(
        self, superuser_url: str, background: Background, judge: Judge
    ) -> None:
        self._url = superuser_url
        self._background = background
        self._judge = judge
        self._admin: asyncpg.Connection[asyncpg.Record] = background.run(
            asyncpg.connect(superuser_url)
        )

    @contextlib.contextmanager
    def fresh(self, template: str) -> Iterator[str]:
        name = f"test_{uuid4().hex}"
        self._execute(
            f"CREATE DATABASE {name} TEMPLATE {template} OWNER {LOGIN} "
            "STRATEGY = file_copy"
        )
        try:
            yield as_login(self._url, name)
            found = self._background.run(_judged(_on(self._url, name), self._judge))
            assert not found, "\n".join(found[:20])
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def as_superuser(self, database_url: str) -> str:
        """Return the superuser's URL of one of them, to judge it or to break it."""
        return _on(self._url, urlsplit(database_url).path.lstrip("/"))

    def close(self) -> None:
        self._background.run(self._admin.close())

    def _execute(self, statement: str) -> None:
        self._background.run(self._admin.execute(statement))


class Streams:
    """One NATS server, emptied between tests."""

    def __init__(self, url: str, background: Background) -> None:
        self.url = url
        self._background = background
        self._connection = background.run(nats.connect(url))

    def clear(self) -> None:
        self._background.run(self._clear())

    def close(self) -> None:
        self._background.run(self._connection.close())

    async def _clear(self) -> None:
        manager = self._connection.jsm()
        for stream in await manager.streams_info():
            if stream.config.name is not None:
                await manager.delete_stream(stream.config.name)


def as_login(url: str, database: str) -> str:
    """Return the URL of the service's own login on that database."""
    parts = urlsplit(_on(url, database))
    _, _, place = parts.netloc.rpartition("@")
    return urlunsplit((parts.scheme, f"{LOGIN}:{PASSWORD}@{place}", parts.path, "", ""))


def _on(url: str, database: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{database}", "", ""))


# Dressed by us: tests of the relay commit bodies that are no events at all.
_EVENTS = """
SELECT body FROM outbox WHERE position('"source":"/scheduling"'::bytea IN body) > 0
"""


async def _judged(superuser_url: str, judge: Judge) -> list[str]:
    """Return what is wrong with the events of all tenants."""
    connection = await asyncpg.connect(superuser_url)
    try:
        if await connection.fetchval("SELECT to_regclass('outbox')") is None:
            return []
        async with connection.transaction(readonly=True):
            rows = connection.cursor(_EVENTS, prefetch=1000)
            return [found async for row in rows for found in judge(row["body"])]
    finally:
        await connection.close()


@contextlib.contextmanager
def postgres_server(folder: Path, background: Background) -> Iterator[tuple[str, str]]:
    """Yield a superuser's URL and the name of the migrated template."""
    with _shared("postgres", folder, os.environ.get("TEST_DATABASE_URL")) as url:
        with _locked(folder / "template.lock"):
            template = background.run(_migrated_template(url))
        yield url, template


@contextlib.contextmanager
def nats_server(folder: Path) -> Iterator[str]:
    with _shared("nats", folder, os.environ.get("TEST_NATS_URL")) as url:
        yield url


@contextlib.contextmanager
def _shared(kind: str, folder: Path, given: str | None) -> Iterator[str]:
    """Yield the server's URL; the first user of `folder` has it started."""
    folder.mkdir(parents=True, exist_ok=True)
    if given is not None:
        yield given
        return
    with (folder / "users").open("a") as users:
        with _locked(folder / "start.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            record = folder / "url"
            if not record.exists():
                _start_keeper(kind, folder)
            url = record.read_text()
        yield url


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start_keeper(kind: str, folder: Path) -> None:
    """Start it and wait until it has written `url`, or has ended without."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)  # noqa: FBT003  # the name says what it sets
    log = folder / "keeper.log"
    os.posix_spawn(
        sys.executable,
        [sys.executable, __file__, kind, str(folder), str(writing)],
        os.environ,
        setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        told.read()  # until it closes its end
    if not (folder / "url").exists():
        raise RuntimeError(f"no {kind} for the tests:\n{log.read_text()}")


async def _migrated_template(superuser_url: str) -> str:
    """Make the template once; its name tells which migrations it has been through."""
    digest = hashlib.sha256()
    for file in sorted((migrations_folder() / "versions").glob("*.py")):
        digest.update(file.read_bytes())
    template = f"template_{digest.hexdigest()[:16]}"
    admin = await asyncpg.connect(superuser_url)
    try:
        if await admin.fetchval(
            "SELECT count(*) FROM pg_database WHERE datname = $1", template
        ):
            return template
        if not await admin.fetchval(
            "SELECT count(*) FROM pg_roles WHERE rolname = $1", LOGIN
        ):
            await admin.execute(f"CREATE ROLE {LOGIN}")
        await admin.execute(
            f"ALTER ROLE {LOGIN} LOGIN CREATEROLE PASSWORD '{PASSWORD}'"
        )
        await admin.execute("DROP DATABASE IF EXISTS template_unfinished WITH (FORCE)")
        await admin.execute(f"CREATE DATABASE template_unfinished OWNER {LOGIN}")
        await migrate(as_login(superuser_url, "template_unfinished"))
        await admin.execute(f"ALTER DATABASE template_unfinished RENAME TO {template}")
        await admin.execute(f"ALTER DATABASE {template} ALLOW_CONNECTIONS false")
    finally:
        await admin.close()
    return template


def newest_system_binaries() -> Path | None:
    """Return this machine's PostgreSQL `bin` folder, if it is as new as ours."""
    found = shutil.which("postgres")
    if found is None:
        return None
    folder = Path(found).resolve().parent
    told = subprocess.run(  # noqa: S603  # an executable of PATH, no shell
        [str(folder / "postgres"), "--version"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    version = re.search(r"\) (\d+)", told)
    complete = all((folder / name).exists() for name in ("initdb", "pg_ctl"))
    if complete and version is not None and int(version[1]) >= SHIPPED:
        return folder
    return None


def _docker_answers() -> bool:
    docker = shutil.which("docker")
    if docker is None or find_spec("testcontainers") is None:
        return False
    asked = subprocess.run([docker, "info"], capture_output=True, check=False)  # noqa: S603  # an executable of PATH, no shell
    return asked.returncode == 0


@contextlib.contextmanager
def _in_docker(kind: str) -> Iterator[str]:
    container: Any
    if kind == "postgres":
        module = importlib.import_module("testcontainers.community.postgres")
        container = module.PostgresContainer(f"postgres:{SHIPPED}", driver=None)
        container.with_command("postgres -c fsync=off -c max_connections=300")
        with container:
            yield container.get_connection_url()
    else:
        module = importlib.import_module("testcontainers.community.nats")
        container = module.NatsContainer("nats:2").with_command("--jetstream")
        with container:
            yield container.nats_uri()


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """Yield a folder that a server's unprivileged user may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="scheduling-tests-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.asynccontextmanager
async def _program(kind: str, folder: Path) -> AsyncIterator[str]:
    if kind == "postgres":
        postgres = EmbeddedPostgres(
            data_dir=folder,
            port=free_port(),
            binaries=newest_system_binaries(),
            durable=False,
            max_connections=300,
        )
        async with running(postgres.program()):
            yield postgres.superuser_url
        postgres.remove()
    else:
        server = EmbeddedNats(data_dir=folder, port=free_port())
        async with running(server.program()):
            yield server.url


def _keep(url: str, folder: Path, told: int) -> None:
    """Announce the server, and return after its last user."""
    record = folder / "url"
    record.write_text(url)
    os.close(told)
    with (folder / "users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        record.unlink()


async def _keeper(kind: str, folder: Path, told: int) -> None:
    if _docker_answers():
        with _in_docker(kind) as url:
            _keep(url, folder, told)
        return
    with _scratch() as scratch:
        async with _program(kind, scratch) as url:
            await asyncio.to_thread(_keep, url, folder, told)


if __name__ == "__main__":
    asyncio.run(_keeper(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))

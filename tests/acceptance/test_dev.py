"""`scheduling dev` as a person at a terminal meets it."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx2
import nats
import pytest

from scheduling.adapters.embedded.postgres import EmbeddedPostgres
from scheduling.adapters.tokens.issuer import open_dev_issuer
from scheduling.application.ports.identity import Scope
from scheduling.entrypoints.settings import DEV_ISSUER_PREFIX

PATIENCE = 60.0
"""Seconds until `ready`, on a machine that runs other tests at the same time."""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter, so that all of it lies below."""
    folder = Path(tempfile.mkdtemp(prefix="scheduling-tests-"))
    folder.chmod(0o755)
    yield folder / "data"
    EmbeddedPostgres(data_dir=folder / "data", port=0).remove()
    shutil.rmtree(folder)


@dataclass(frozen=True)
class Dev:
    process: asyncio.subprocess.Process
    data_dir: Path
    ready: str

    @property
    def told(self) -> dict[str, str]:
        told: dict[str, str] = json.loads((self.data_dir / "dev.json").read_text())
        return told

    def child(self, *words: str) -> int:
        """Return the process whose command line has these words."""
        for children in Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            for pid in children.read_text().split():
                line = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                line[0] = Path(line[0]).name
                if set(words) <= set(line):
                    return int(pid)
        raise LookupError(words)

    async def says(self, part: str) -> str:
        """Return the next line of stderr that has `part`."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            async for line in self.process.stderr:
                if part in line.decode():
                    return line.decode()
        raise AssertionError(f"it never said {part}")

    async def stop(self, number: signal.Signals = signal.SIGINT) -> str:
        """Signal its whole group, as a terminal does; return the rest of stdout."""
        os.killpg(self.process.pid, number)
        said, _ = await asyncio.wait_for(self.process.communicate(), PATIENCE)
        return said.decode()


async def start_dev(data_dir: Path, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scheduling", "dev", "--data-dir", str(data_dir)),
        *("--no-demo", *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={k: v for k, v in os.environ.items() if not k.startswith("SCHEDULING_")},
        start_new_session=True,
    )


@contextlib.asynccontextmanager
async def dev(data_dir: Path, *options: str) -> AsyncIterator[Dev]:
    process = await start_dev(data_dir, *options)
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        yield Dev(process, data_dir, line.decode())
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.communicate()


async def status(url: str, path: str = "/readyz") -> int:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        line = await asyncio.wait_for(reader.readline(), PATIENCE)
        return int(line.split()[1])
    finally:
        writer.close()
        await writer.wait_closed()


async def until_ready(url: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while await status(url) != 200:  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.05)


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_it_gets_ready_says_where_and_continues_with_the_same_data(
    data_dir: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with dev(data_dir, "--port", str(port)) as first:
            told = first.told
            assert first.ready == f"ready {told['apiUrl']}\n"
            assert not told["apiUrl"].endswith(f":{port}")
            assert f"port {port} is not free" in await first.says("port")
            assert f" {told['apiUrl']}/calendar/\n" in await first.says("calendar")
            assert await status(told["apiUrl"]) == 200
            mode = stat.S_IMODE((data_dir / "dev.json").stat().st_mode)
            assert mode == 0o600
            await ask(told["databaseUrl"], "CREATE TABLE kept AS SELECT 42 AS answer")
            broker = await nats.connect(told["natsUrl"])
            await broker.close()
            assert await first.stop() == ""
            assert first.process.returncode == 0
    async with dev(data_dir, "--port", str(port)) as second:
        assert second.ready == f"ready http://127.0.0.1:{port}\n"
        assert second.told["tenantId"] == told["tenantId"]
        url = second.told["databaseUrl"]
        assert await ask(url, "SELECT answer FROM kept") == 42
        await second.stop(signal.SIGTERM)
        assert second.process.returncode == 0


async def test_what_dies_comes_back_at_the_same_place(data_dir: Path) -> None:
    async with dev(data_dir, "--port", "0", "--workers", "2") as running:
        told = running.told
        api = running.child("api", "--fd")
        for name, victim in (
            ("api", api),
            ("relay", running.child("relay")),
            ("cron", running.child("cron")),
            ("nats", running.child("nats-server")),
            ("postgres", running.child("postgres")),
        ):
            os.kill(victim, signal.SIGKILL)
            assert name in await running.says("ended with -9")
            # The port stays: whoever connects is served, now or in a moment.
            await until_ready(told["apiUrl"])
        assert await ask(told["databaseUrl"], "SELECT 1") == 1
        assert running.told == told
        await running.stop()
        assert running.process.returncode == 0


async def test_events_can_be_followed_and_who_does_holds_up_no_ctrl_c(
    data_dir: Path,
) -> None:
    async with dev(data_dir, "--port", "0") as running, asyncio.timeout(PATIENCE):
        told = running.told
        issuer = open_dev_issuer(data_dir, prefix=DEV_ISSUER_PREFIX)
        token = issuer.mint(tenant_id=UUID(told["tenantId"]), scope=Scope.READ)
        async with httpx2.AsyncClient(
            base_url=told["apiUrl"], headers={"Authorization": f"Bearer {token}"}
        ) as http:
            path = "/v1/events/stream"
            # 503 until the relay, another process, has made the stream.
            while not (heard := await followed(http, path, running)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert running.process.returncode == 0
        assert heard.startswith("retry: ")


async def followed(http: httpx2.AsyncClient, path: str, running: Dev) -> str:
    async with http.stream("GET", path) as answer:
        if answer.status_code == 503:
            return ""
        assert answer.status_code == 200
        texts = answer.aiter_text()
        first = await anext(texts)
        assert await running.stop() == ""
        return first + "".join([text async for text in texts])


async def test_after_kill_9_the_next_start_finds_all_in_order(data_dir: Path) -> None:
    async with dev(data_dir, "--port", "0") as first:
        await ask(first.told["databaseUrl"], "CREATE TABLE kept AS SELECT 42 AS answer")
        first.process.kill()
        await first.process.wait()
        async with dev(data_dir, "--port", "0") as second:
            url = second.told["databaseUrl"]
            assert await ask(url, "SELECT answer FROM kept") == 42
            await second.stop()
            assert second.process.returncode == 0


async def test_a_second_run_on_the_same_data_is_refused(data_dir: Path) -> None:
    async with dev(data_dir, "--port", "0") as first:
        second = await start_dev(data_dir, "--port", "0")
        said, complained = await asyncio.wait_for(second.communicate(), PATIENCE)
        assert second.returncode == 1
        assert said == b""
        assert b"another `scheduling dev` is running on" in complained
        assert await status(first.told["apiUrl"]) == 200


async def test_ctrl_c_while_starting_ends_well_too(data_dir: Path) -> None:
    process = await start_dev(data_dir, "--port", "0")
    deadline = time.monotonic() + PATIENCE
    while not (data_dir / "postgres.json").exists():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    said, complained = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert (process.returncode, said) == (0, b""), complained
    assert b"Traceback" not in complained
    async with dev(data_dir, "--port", "0") as after:
        assert await status(after.told["apiUrl"]) == 200


async def test_given_servers_replace_the_embedded_ones(
    data_dir: Path, empty_database_url: str, nats_url: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scheduling", "dev", "--data-dir", str(data_dir)),
        *("--no-demo", "--port", "0"),
        stdout=subprocess.PIPE,
        env={
            **os.environ,
            "SCHEDULING_DATABASE_URL": empty_database_url,
            "SCHEDULING_NATS_URL": nats_url,
        },
    )
    assert process.stdout is not None
    try:
        ready = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        assert ready.startswith(b"ready ")
        assert not (data_dir / "postgres").exists()
        assert not (data_dir / "nats").exists()
        assert await ask(empty_database_url, "SELECT to_regclass('appointments')::text")
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0

"""The product as a stranger starts it, for measuring: `scheduling dev`, empty."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from scheduling.adapters.embedded.postgres import EmbeddedPostgres
from scheduling.adapters.tokens.issuer import open_dev_issuer
from scheduling.application.ports.identity import Scope
from scheduling.entrypoints.settings import DEV_ISSUER_PREFIX


@dataclass(frozen=True, slots=True)
class Stack:
    """Where the parts of a running product are."""

    data_dir: Path
    api_url: str
    database_url: str
    nats_url: str
    process: asyncio.subprocess.Process

    def token(self, tenant: UUID) -> str:
        issuer = open_dev_issuer(self.data_dir, prefix=DEV_ISSUER_PREFIX)
        return issuer.mint(tenant_id=tenant, scope=" ".join(Scope))

    @contextmanager
    def without(self, *processes: str) -> Iterator[None]:
        """Keep processes of the product from working while the block runs: a reference
        that does nothing beside its load is compared with a product that does not.
        """
        stopped = [pid for name in processes for pid in self._of(name)]
        if len(stopped) != len(processes):
            raise RuntimeError(f"not all of {processes} are there")
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)

    def _of(self, name: str) -> list[int]:
        asked = ("pgrep", "-P", str(self.process.pid), "-f", f"scheduling {name}")
        found = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603  # our own words
        return [int(pid) for pid in found.stdout.split()]


@contextmanager
def bench_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter, gone afterwards with the cluster."""
    folder = Path(tempfile.mkdtemp(prefix="scheduling-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        EmbeddedPostgres(data_dir=folder, port=0).remove()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def running_stack(
    data_dir: Path, *, demo: bool = False
) -> AsyncGenerator[Stack, None]:
    """Start it on free ports; the block begins when it says that it is ready."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scheduling", "dev", "--port", "0"),
        *(() if demo else ("--no-demo",)),
        *("--data-dir", str(data_dir)),
        stdout=asyncio.subprocess.PIPE,
        stderr=sys.stderr
        if os.environ.get("BENCH_LOGS")
        else asyncio.subprocess.DEVNULL,
    )
    try:
        await _ready(process)
        told = json.loads((data_dir / "dev.json").read_text())
        yield Stack(
            data_dir, told["apiUrl"], told["databaseUrl"], told["natsUrl"], process
        )
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _ready(process: asyncio.subprocess.Process) -> None:
    if process.stdout is None:
        raise RuntimeError("the product was started without a pipe to listen on")
    async for line in process.stdout:
        if line.startswith(b"ready "):
            return
    raise RuntimeError(f"the product did not start ({await process.wait()})")
